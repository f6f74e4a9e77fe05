//! The accounts that somebody has connected.

use serde::Serialize;

use super::connect::scopes;
use super::time::SAMPLE_NOW;
use super::{AccountView, Page, text::HOSTILE};

/// `GET /connections` in a browser.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Connections {
    /// The accounts, the newest first.
    pub(crate) connections: Vec<ConnectionRow>,
    /// What can be connected. Each has a form `POST /connections/connect` with `csrf` and
    /// `integration`.
    pub(crate) offered: Vec<Offer>,
    /// What was just done.
    pub(crate) done: Option<ConnectionsNotice>,
}

/// A connected account.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectionRow {
    /// For `POST /connections/connect` with `csrf` and `connection`, and
    /// `GET /connections/disconnect?connection=`.
    pub(crate) id: String,
    /// What people call the provider.
    pub(crate) provider: String,
    /// The account.
    pub(crate) account: AccountView,
    /// What is granted.
    pub(crate) scopes: Vec<String>,
    /// How it is doing.
    pub(crate) status: RowStatus,
    /// Whether it can be connected again here.
    pub(crate) again: bool,
    /// Since when, in epoch seconds.
    pub(crate) since: i64,
    /// When a service last got a token of it, within a minute.
    pub(crate) last_used: Option<i64>,
}

/// How a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RowStatus {
    /// It works.
    Active,
    /// Refreshes have been failing for a while; it may still work.
    Trouble,
    /// The provider says that the grant is over.
    GrantDead,
    /// The provider wants a new sign-in.
    SignInAgain,
    /// The refresh token is too old.
    Expired,
    /// There was never a refresh token.
    NoRefreshToken,
    /// The refresh token was lost.
    Lost,
    /// The operator wants it.
    Operator,
    /// It is being given back.
    Disconnecting,
}

/// Something that can be connected.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Offer {
    /// The integration.
    pub(crate) integration: String,
    /// What people call the provider.
    pub(crate) provider: String,
    /// Whether an account of it is connected already.
    pub(crate) more: bool,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionsNotice {
    /// A connection is gone.
    Disconnected,
    /// A connection is served no more; the provider has still to be told.
    Disconnecting,
}

impl RowStatus {
    const ALL: [Self; 9] = [
        Self::Active,
        Self::Trouble,
        Self::GrantDead,
        Self::SignInAgain,
        Self::Expired,
        Self::NoRefreshToken,
        Self::Lost,
        Self::Operator,
        Self::Disconnecting,
    ];
}

impl Page for Connections {
    const TEMPLATE: &'static str = "connections.html";

    fn samples() -> Vec<Self> {
        let offer = |integration: &str, provider: &str, more| Offer {
            integration: integration.to_owned(),
            provider: provider.to_owned(),
            more,
        };
        let row = |number: i64, status| ConnectionRow {
            id: format!("con_{number}"),
            provider: "Google".to_owned(),
            account: AccountView::sample("ada@example.com", Some("example.com")),
            scopes: scopes(&[
                "openid",
                "email",
                "https://www.googleapis.com/auth/calendar",
                "unheard:of",
            ]),
            status,
            again: status != RowStatus::Disconnecting,
            since: SAMPLE_NOW - 86_400 * (number + 1),
            last_used: (number % 2 == 0).then_some(SAMPLE_NOW - 600),
        };
        let none = Self {
            connections: Vec::new(),
            offered: vec![offer("google", "Google", false), offer("github", "GitHub", false)],
            done: None,
        };
        let two = Self {
            connections: vec![row(0, RowStatus::Active), row(1, RowStatus::SignInAgain)],
            offered: vec![offer("google", "Google", true)],
            done: Some(ConnectionsNotice::Disconnected),
        };
        let every = Self {
            connections: (0..).zip(RowStatus::ALL).map(|(n, status)| row(n, status)).collect(),
            offered: Vec::new(),
            done: Some(ConnectionsNotice::Disconnecting),
        };
        let hostile = Self {
            connections: vec![ConnectionRow {
                provider: HOSTILE.to_owned(),
                account: AccountView::sample(HOSTILE, Some(HOSTILE)),
                scopes: scopes(&[HOSTILE]),
                ..row(2, RowStatus::GrantDead)
            }],
            offered: vec![offer("google", HOSTILE, true)],
            done: None,
        };
        let empty = Self { connections: Vec::new(), offered: Vec::new(), done: None };
        vec![none, two, every, hostile, empty]
    }
}
