//! Crates for Rust, which bring no HTTP client: they are given a closure.

mod oauth2;
mod openidconnect;

use ::oauth2::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::support::{Browser, Page, Server, client};

/// What a program registers that acts for itself.
fn machine() -> Value {
    json!({
        "grant_types": ["client_credentials", "refresh_token"],
        "response_types": [],
        "scope": "read",
    })
}

/// The URL as it is in front of a TLS proxy.
fn over_tls(url: &str) -> String {
    url.replacen("http://", "https://", 1)
}

/// Sends what a crate wants sent, and notes the secrets in the answer. For `over_tls` it is the
/// proxy.
async fn send(server: &Server, mut request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let plain = request.uri().to_string().replacen("https://", "http://", 1);
    *request.uri_mut() = plain.parse().expect("a URL");
    let answer = client().execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.text().await?;
    server.seen.add_all_in(&body);
    let mut response = HttpResponse::new(body.into_bytes());
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

/// The code of an answer that is for this request.
fn code(page: &Page, server: &Server, state: &str) -> String {
    let answer = page.answer();
    assert_eq!((&answer["state"], &answer["iss"]), (&state.to_owned(), &server.issuer));
    answer["code"].clone()
}

impl Server {
    /// Opens what a device shows, signs in and decides.
    async fn decide_device(&self, browser: &Browser, who: &str, url: &str, decision: &str) -> Page {
        let page = browser.open(url).await;
        let page = self.type_token(browser, &page, who).await;
        browser.send_form(&page.form("/device").with("decision", decision)).await
    }
}
