//! What client backends and resource servers do besides asking for tokens.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::browser::{Page, client};
use super::flow::{App, challenge};
use super::server::Server;

impl Server {
    /// Registers a client that acts for itself, with further options of `client add`.
    pub(crate) fn machine(&self, id: &str, options: &[&str]) -> App {
        let mut all = vec!["--grant", "client_credentials"];
        all.extend(options);
        self.app_with(id, &all)
    }

    /// A form that a client posts, authenticated.
    pub(crate) async fn as_client(&self, app: &App, path: &str, pairs: &[(&str, &str)]) -> Page {
        let request = client().post(self.url(path));
        let mut fields = pairs.to_vec();
        let request = match &app.secret {
            Some(secret) => request.basic_auth(&app.id, Some(secret)),
            None => {
                fields.push(("client_id", &app.id));
                request
            }
        };
        self.request(request.form(&fields)).await
    }

    /// What the server says of a token.
    pub(crate) async fn introspect(&self, app: &App, token: &str) -> Value {
        let page = self.as_client(app, "/introspect", &[("token", token)]).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    }

    /// Gives a token back.
    pub(crate) async fn revoke(&self, app: &App, token: &str) {
        let page = self.as_client(app, "/revoke", &[("token", token)]).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""), "{page:?}");
    }

    /// The status of a resource, once it is `wanted`: what the command line changes is seen within a
    /// second.
    pub(crate) async fn bearer_soon(&self, path: &str, token: &str, wanted: u16) -> u16 {
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            let status = self.bearer(path, token).await.status;
            if status == wanted || Instant::now() > until {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The left half of a SHA-256: `at_hash` and `c_hash` (OpenID Connect Core 1.0 §3.1.3.6).
pub(crate) fn half_hash(value: &str) -> String {
    let whole = URL_SAFE_NO_PAD.decode(challenge(value)).expect("base64url");
    URL_SAFE_NO_PAD.encode(&whole[..16])
}
