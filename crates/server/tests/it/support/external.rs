//! The operator's own sign-in page, as a program that the test plays or runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::browser::{Browser, Page, client};
use super::server::{Server, Setup};

/// What the application shows to the API.
pub(crate) const API_SECRET: &str = "a-secret-of-the-sign-in-page-0001";

impl Setup {
    /// With a sign-in page at `url`, and no other method before it.
    #[must_use]
    pub(crate) fn external(self, url: &str) -> Self {
        self.set("sign_in.methods", vec!["external", "password"])
            .set("sign_in.external.url", url)
            .set("sign_in.external.secret", API_SECRET)
    }
}

impl Server {
    /// A call of the API with the secret.
    pub(crate) async fn ask_about(&self, challenge: &str) -> Page {
        let url = self.url(&format!("/external/requests/{challenge}"));
        self.request(client().get(url).bearer_auth(API_SECRET)).await
    }

    /// An answer of the application: `accept` or `reject`.
    pub(crate) async fn tell(&self, challenge: &str, action: &str, body: &Value) -> Page {
        let url = self.url(&format!("/external/requests/{challenge}/{action}"));
        self.request(client().post(url).bearer_auth(API_SECRET).json(body)).await
    }

    /// Accepts, and gives the path that the browser goes on to.
    pub(crate) async fn accept(&self, challenge: &str, body: &Value) -> String {
        redirect_to(&self.tell(challenge, "accept", body).await, self)
    }
}

/// Where the browser is to go, as a path of the server.
pub(crate) fn redirect_to(page: &Page, server: &Server) -> String {
    assert_eq!(page.status, 200, "{page:?}");
    let json = page.json();
    let url = json["redirect_to"].as_str().expect("a URL");
    let path = url.strip_prefix(&server.issuer).expect("at the server");
    assert!(path.starts_with("/login/external?verifier=grt_ev_"), "{path}");
    path.to_owned()
}

/// The challenge that a browser is sent off with.
pub(crate) async fn challenge(browser: &Browser, path: &str) -> String {
    let page = browser.open(path).await;
    let answer: BTreeMap<String, String> = page.answer();
    answer["login_challenge"].clone()
}
