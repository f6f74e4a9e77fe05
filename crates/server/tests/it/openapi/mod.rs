//! `/openapi.json`: the description of the running server.

use crate::support::Server;

#[tokio::test]
async fn the_document_is_about_this_server() {
    let server = Server::start().await;
    let page = server.get("/openapi.json").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    assert_eq!(page.header("cache-control"), Some("public, max-age=300"));
    let document = page.json();
    assert_eq!(document["openapi"], "3.1.1");
    assert_eq!(document["servers"][0]["url"], server.issuer.as_str());
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(!page.body.contains("{issuer}") && !page.body.contains("x-when"));
}

#[tokio::test]
async fn what_is_off_is_not_described() {
    let described = async |server: &Server| {
        let document = server.get("/openapi.json").await.json();
        let paths = document["paths"].as_object().expect("paths");
        let grants = document["paths"]["/token"]["post"]["requestBody"].to_string();
        (paths.keys().cloned().collect::<Vec<_>>(), grants)
    };
    let whole = Server::setup().set("registration.policy", "open").set("grants.password", true);
    let (paths, grants) = described(&whole.start().await).await;
    for path in ["/register", "/create-client", "/protected"] {
        assert!(paths.iter().any(|own| own == path), "{path}: {paths:?}");
    }
    assert!(grants.contains("PasswordGrant") && !grants.contains("JwtBearerGrant"), "{grants}");
    let bare =
        Server::setup().set("registration.policy", "closed").set("sample_api.enabled", false);
    let (paths, grants) = described(&bare.start().await).await;
    for path in ["/register", "/create-client", "/protected"] {
        assert!(paths.iter().all(|own| own != path), "{path}: {paths:?}");
    }
    assert!(paths.iter().all(|own| !own.starts_with("/external/")), "{paths:?}");
    assert!(!grants.contains("PasswordGrant"), "{grants}");
}
