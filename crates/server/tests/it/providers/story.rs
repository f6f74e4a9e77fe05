//! What happens to an account at every provider: it is connected, its token is used and renewed, the
//! person takes the grant back and gives it again, the operator mixes up a secret, and it is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::description::Place;
use super::table::{Refresh, Row};
use super::world::{CLIENT, SECRET, World};
use crate::support::connect::{CLIENT_ID, CLIENT_SECRET, RETURN_URL};
use crate::support::vault::hash;
use crate::support::{Page, client};

/// One row of the table, told from its beginning to its end.
pub(super) struct Story {
    world: Arc<World>,
    place: Place,
    row: Row,
}

impl Story {
    /// Of one provider.
    pub(super) fn new(world: Arc<World>, row: Row) -> Self {
        Self { place: world.place(row.stand_in), world, row }
    }

    /// All of it.
    pub(super) async fn tell(self) {
        let ada = self.connects().await;
        let token = self.token_is_good(&ada).await;
        self.renews(&ada, token).await;
        let grace = self.grant_is_taken_back_and_given_again().await;
        self.is_given_back(&ada, &grace).await;
        self.secret_is_wrong().await;
    }

    fn session(&self, subject: &str) -> Value {
        let integration = self.row.name;
        json!({"integration": integration, "subject": subject, "return_url": RETURN_URL})
    }

    /// Connects Ada's account, and looks at what is known of it.
    pub(super) async fn connects(&self) -> Value {
        let Row { sub, email, scope, refresh, .. } = self.row;
        let told = self.world.connect(&self.place, &self.session("ada"), "ada").await;
        assert_eq!(told["account"]["sub"], sub, "{told}");
        assert_eq!(told["account"]["email"].as_str(), email, "{told}");
        assert_eq!(set(told["scope"].as_str()), set(Some(scope)), "{told}");
        assert_eq!(told["status"], "active", "{told}");
        assert_eq!(told["refreshable"], refresh != Refresh::Never, "{told}");
        told
    }

    async fn token_is_good(&self, connection: &Value) -> String {
        let body = json!({"integration": self.row.name, "subject": "ada"});
        let page = self.world.post("/oauth/token", &body).await;
        assert_eq!(page.status, 200, "{page:?}");
        let told = page.json();
        assert_eq!(told["connection_id"], connection["connection_id"]);
        assert_eq!(told["provider"], self.row.name);
        assert_eq!(told["account"]["sub"], self.row.sub);
        assert_eq!(told["scope"], connection["scope"]);
        assert_eq!(told["refreshed"], false, "{told}");
        assert!(told["warning"].is_null(), "{told}");
        lives(&told, self.row.life);
        let token = text(&told, "access_token");
        let answer = self.opens(&token).await;
        assert!(self.is_open(&answer), "{answer:?}");
        token
    }

    /// Two refreshes, the second with what the first has given.
    async fn renews(&self, connection: &Value, first: String) {
        let row = self.row;
        let before = self.refresh_tokens().await;
        let mut last = first.clone();
        for version in 2..4 {
            let told = self.token("/oauth/refresh", &text(connection, "connection_id")).await;
            if row.refresh == Refresh::Never {
                assert_eq!(told["refreshed"], false, "{told}");
                assert_eq!(text(&told, "access_token"), first);
                return;
            }
            assert_eq!(told["refreshed"], true, "{told}");
            assert!(told["warning"].is_null(), "{told}");
            assert_eq!(set(told["scope"].as_str()), set(Some(row.scope)), "{told}");
            assert_eq!(told["account"]["sub"], row.sub, "{told}");
            lives(&told, row.renewed);
            let token = text(&told, "access_token");
            assert_ne!(token, last);
            assert!(self.is_open(&self.opens(&token).await), "after refresh {}", version - 1);
            let before = self.is_open(&self.opens(&last).await);
            assert_eq!(before, !row.ends_before, "the token before");
            last = token;
        }
        let used: Vec<_> = self.refresh_tokens().await;
        let new = used.len() - before.len();
        let wanted = match row.refresh {
            Refresh::Never | Refresh::Exchanges => 0,
            Refresh::Stays => 1,
            Refresh::Rotates => 2,
        };
        assert_eq!(new, wanted, "refresh tokens that were used: {used:?}");
    }

    /// The person takes the grant back at the provider; only she can repair that.
    async fn grant_is_taken_back_and_given_again(&self) -> Value {
        let Row { stand_in, name, refresh, .. } = self.row;
        let told = self.world.connect(&self.place, &self.session("grace"), "grace").await;
        let id = text(&told, "connection_id");
        let token = self.token("/oauth/token", &id).await;
        self.place.control("POST", "revoke", &person(stand_in, "grace")).await;
        let rejected = hash(&token["access_token"]);
        let body = json!({"connection_id": id, "rejected_token_sha256": rejected});
        let page = self.world.post("/oauth/refresh", &body).await;
        let error = page.json();
        assert_eq!((page.status, &error["error"]), (409, &json!("reauth_required")), "{page:?}");
        // Without a refresh token only the caller knows that it is over.
        let (reason, status) = match refresh {
            Refresh::Never => ("no_refresh_token", "active"),
            Refresh::Exchanges | Refresh::Stays | Refresh::Rotates => {
                ("grant_dead", "reauth_required")
            }
        };
        assert_eq!(error["reason"], reason, "{error}");
        assert!(error["connect_url"].is_string(), "{error}");
        let shown = self.connection(&id).await;
        assert_eq!(shown["status"], status, "{shown}");
        let again = json!({"connection_id": id, "return_url": RETURN_URL});
        let told = self.world.connect(&self.place, &again, "grace").await;
        assert_eq!((&told["connection_id"], &told["status"]), (&json!(id), &json!("active")));
        assert_eq!(told["generation"], 2, "{name}: {told}");
        let token = self.token("/oauth/refresh", &id).await;
        assert_eq!(token["refreshed"], refresh != Refresh::Never, "{token}");
        told
    }

    /// The provider does not know the secret any more: that is no fault of any connection.
    async fn secret_is_wrong(&self) {
        let Row { name, refresh, revokes, .. } = self.row;
        let late = self.world.connect(&self.place, &self.session("late"), "ada").await;
        let id = text(&late, "connection_id");
        let token = text(&self.token("/oauth/token", &id).await, "access_token");
        self.change_secret("a-secret-of-others").await;
        let page = self.world.walk(&self.place, &self.session("later"), "ada").await;
        assert_eq!(page.status, 502, "{page:?}");
        page.must_say("does not know this server");
        if refresh != Refresh::Never {
            let told = self.token("/oauth/refresh", &id).await;
            assert_eq!(told["refreshed"], false, "{told}");
            assert_eq!(text(&told, "access_token"), token);
            assert_eq!(told["warning"]["code"], "refresh_delayed", "{told}");
            assert_eq!(told["warning"]["reason"], "client_broken", "{told}");
            let paused = format!(
                "SELECT COUNT(*) FROM audit_event WHERE action = 'integration.paused' \
                 AND target = 'integration:{name}'"
            );
            assert_eq!(self.world.server.sql(&paused), "1");
        }
        let shown = self.connection(&id).await;
        assert_eq!((&shown["status"], &shown["trouble"]), (&json!("active"), &Value::Null));
        self.change_secret("").await;
        let provider = if revokes { "revoked" } else { "cannot_revoke" };
        self.disconnect(&id, provider).await;
    }

    /// Ada has taken her grant back before, which is as good; Grace's is alive, but nobody has used
    /// it for long.
    async fn is_given_back(&self, ada: &Value, grace: &Value) {
        let Row { stand_in, revokes, shared, .. } = self.row;
        self.idles("grace").await;
        self.place.control("POST", "revoke", &person(stand_in, "ada")).await;
        for (connection, shared) in [(ada, shared), (grace, false)] {
            let provider = match (shared, revokes) {
                (true, _) => "shared",
                (false, true) => "revoked",
                (false, false) => "cannot_revoke",
            };
            self.disconnect(&text(connection, "connection_id"), provider).await;
        }
        let left = self.place.control("GET", "grants", &Value::Null).await;
        assert_eq!(left.to_string().contains("grace"), !revokes, "{left}");
    }

    /// So much time passes that the access token of `subject` is over, here and at the provider.
    pub(super) async fn idles(&self, subject: &str) {
        let Row { name, refresh, renewed: Some(life), .. } = self.row else { return };
        if matches!(refresh, Refresh::Never | Refresh::Exchanges) {
            return;
        }
        let span = life + 60;
        self.place.control("POST", "clock", &json!({"advance": span})).await;
        self.world.server.sql(&format!(
            "PRAGMA busy_timeout = 10000; UPDATE connection \
             SET issued_at = issued_at - {span}, expires_at = expires_at - {span} \
             WHERE integration = '{name}' AND subject = '{subject}'"
        ));
    }

    async fn disconnect(&self, id: &str, provider: &str) {
        let page = self.world.api("DELETE", &format!("/connections/{id}")).await;
        let wanted = json!({"status": "disconnected", "provider": provider});
        assert_eq!((page.status, page.json()), (200, wanted), "{}", page.url);
    }

    /// A token of a connection, of one endpoint or the other.
    async fn token(&self, path: &str, id: &str) -> Value {
        let page = self.world.post(path, &json!({"connection_id": id})).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    }

    async fn connection(&self, id: &str) -> Value {
        let page = self.world.api("GET", &format!("/connections/{id}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    }

    /// A call of the provider's API.
    async fn opens(&self, token: &str) -> Page {
        let (method, rest) = self.row.api.split_once(' ').expect("a method");
        let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let url = format!("https://{}", path.replace("{token}", token));
        let url = self.place.lead(&url).expect("a URL");
        let mut request = client()
            .request(method.parse().expect("a method"), url)
            .bearer_auth(token)
            .header("user-agent", "a test")
            .header("notion-version", "2025-09-03");
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        self.world.server.request(request).await
    }

    fn is_open(&self, answer: &Page) -> bool {
        answer.status == 200 && answer.body.contains(self.row.shows)
    }

    /// The refresh tokens that the provider has seen.
    async fn refresh_tokens(&self) -> Vec<String> {
        let counts = self.place.control("GET", "counts", &Value::Null).await;
        let seen = counts["refresh_tokens"].as_object().expect("counts");
        seen.keys().cloned().collect()
    }

    async fn change_secret(&self, to: &str) {
        let (id, own) = match self.row.stand_in {
            "google" => (CLIENT_ID, CLIENT_SECRET),
            _ => (CLIENT, SECRET),
        };
        let secret = if to.is_empty() { own } else { to };
        let path = format!("clients/{id}");
        let body = json!({"secret": secret});
        self.place.control("PATCH", &path, &body).await;
    }
}

/// An account, as the control endpoints of a stand-in name it.
fn person(stand_in: &str, name: &str) -> Value {
    match (stand_in, name) {
        ("google", "ada") => json!({"account": "ada@example.com"}),
        ("google", _) => json!({"account": "grace@example.org"}),
        (_, name) => json!({"account": name}),
    }
}

/// A member that is a text.
pub(super) fn text(told: &Value, name: &str) -> String {
    told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}")).to_owned()
}

/// RFC 6749 §3.3: the order of scopes does not matter.
fn set(scope: Option<&str>) -> BTreeSet<String> {
    let names = scope.unwrap_or_default().split(' ').filter(|name| !name.is_empty());
    names.map(ToOwned::to_owned).collect()
}

/// So many seconds, less those that the test took.
#[track_caller]
pub(super) fn lives(told: &Value, wanted: Option<u32>) {
    match (wanted, told["expires_in"].as_u64()) {
        (None, None) => assert!(told["expires_at"].is_null(), "{told}"),
        (Some(wanted), Some(left)) => {
            let wanted = u64::from(wanted);
            assert!((wanted.saturating_sub(60)..=wanted).contains(&left), "{wanted}: {told}");
        }
        (wanted, left) => panic!("{left:?} in place of {wanted:?}: {told}"),
    }
}
