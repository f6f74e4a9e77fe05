//! `/docs`: the reference.

use crate::support::{Server, client};

#[tokio::test]
async fn every_operation_of_the_document_can_be_read_and_linked_to() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let page = server.get("/docs").await;
    assert_eq!(page.status, 200);
    for (path, own) in document["paths"].as_object().expect("paths") {
        let operations = own.as_object().expect("operations").values();
        for id in operations.filter_map(|operation| operation["operationId"].as_str()) {
            assert!(page.body.contains(&format!("<h3 id=\"{id}\"")), "{path}: {id}");
            assert!(page.body.contains(&format!("href=\"#{id}\"")), "{path}: {id}");
        }
    }
    page.must_say("Client authentication failed.");
}

#[tokio::test]
async fn it_needs_no_script_and_nothing_from_elsewhere() {
    let server = Server::start().await;
    let page = server.get("/docs").await;
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(!page.body.contains("<script"));
    let sources = page.body.split(" src=\"").skip(1).chain(page.body.split("<link").skip(1));
    for source in sources {
        let source = source.split('>').next().unwrap_or_default();
        assert!(!source.contains("http"), "{source}");
    }
    let german = client().get(server.url("/docs")).header("accept-language", "de");
    server.request(german).await.must_say("API-Referenz");
}
