//! The account page: who you are, where you are signed in, which applications have access.

use serde::Serialize;

use super::{Page, text::HOSTILE, time::SAMPLE_NOW};

/// Its buttons lead to [`super::Confirm`] pages: `GET /account/sessions/end?session=ID|others` and
/// `GET /account/consents/withdraw?client_id=ID`, each of which answers with the POST form.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Account {
    /// A name, or the address when there is none.
    pub(crate) name: String,
    /// The name to sign in with.
    pub(crate) username: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// Where this person is signed in, the current one among them.
    pub(crate) sessions: Vec<SessionRow>,
    /// The applications that have access.
    pub(crate) consents: Vec<ConsentRow>,
    /// Whether accounts at providers can be connected here.
    pub(crate) connections: bool,
    /// What was just done, if anything.
    pub(crate) done: Option<AccountNotice>,
}

/// What the page confirms after a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountNotice {
    /// One or more sessions were ended.
    SessionEnded,
    /// An application lost its access.
    ConsentWithdrawn,
}

/// One session.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SessionRow {
    /// What the form sends as `session`: an id, never the cookie's secret.
    pub(crate) id: String,
    /// The browser's `User-Agent` header as it came; the page says "Firefox on Linux".
    pub(crate) user_agent: String,
    /// The network address.
    pub(crate) address: String,
    /// Epoch seconds.
    pub(crate) started_at: i64,
    /// Epoch seconds.
    pub(crate) last_seen_at: i64,
    /// This browser.
    pub(crate) current: bool,
}

/// One application with access.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConsentRow {
    /// What the form sends as `client_id`.
    pub(crate) client_id: String,
    /// The application's name.
    pub(crate) client: String,
    /// The scopes granted.
    pub(crate) scopes: Vec<String>,
    /// Epoch seconds.
    pub(crate) since: i64,
}

impl SessionRow {
    fn sample() -> Self {
        Self {
            id: "s1".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
                .to_owned(),
            address: "203.0.113.7".to_owned(),
            started_at: SAMPLE_NOW - 3_700,
            last_seen_at: SAMPLE_NOW - 20,
            current: true,
        }
    }

    fn sample_elsewhere() -> Self {
        Self {
            id: "s2".to_owned(),
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Safari/604.1"
                .to_owned(),
            address: "2001:db8::51".to_owned(),
            started_at: SAMPLE_NOW - 9 * 86_400,
            last_seen_at: SAMPLE_NOW - 7_300,
            current: false,
        }
    }
}

impl ConsentRow {
    fn sample() -> Self {
        Self {
            client_id: "sample".to_owned(),
            client: "Acme Notes".to_owned(),
            scopes: ["openid", "profile", "email", "read"].map(str::to_owned).to_vec(),
            since: SAMPLE_NOW - 45 * 86_400,
        }
    }
}

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        let unused = ConsentRow {
            client_id: "ledger".to_owned(),
            client: "Ledger for small companies".to_owned(),
            scopes: vec!["invoices:pay".to_owned()],
            ..ConsentRow::sample()
        };
        let full = Self {
            name: "Ada Lovelace".to_owned(),
            username: Some("ada".to_owned()),
            email: Some("ada@example.com".to_owned()),
            sessions: vec![SessionRow::sample(), SessionRow::sample_elsewhere()],
            consents: vec![ConsentRow::sample(), unused],
            connections: true,
            done: None,
        };
        let fresh = Self {
            name: "demo_user@example.com".to_owned(),
            username: None,
            sessions: vec![SessionRow::sample()],
            consents: Vec::new(),
            connections: false,
            done: Some(AccountNotice::ConsentWithdrawn),
            ..full.clone()
        };
        let foreign = SessionRow {
            id: HOSTILE.to_owned(),
            user_agent: HOSTILE.to_owned(),
            address: HOSTILE.to_owned(),
            ..SessionRow::sample_elsewhere()
        };
        let foreign_consent = ConsentRow {
            client_id: HOSTILE.to_owned(),
            client: HOSTILE.to_owned(),
            scopes: vec![HOSTILE.to_owned()],
            ..ConsentRow::sample()
        };
        let hostile = Self {
            name: HOSTILE.to_owned(),
            username: Some(HOSTILE.to_owned()),
            sessions: vec![SessionRow::sample(), foreign],
            consents: vec![foreign_consent],
            done: Some(AccountNotice::SessionEnded),
            ..full.clone()
        };
        vec![full, fresh, hostile]
    }
}
