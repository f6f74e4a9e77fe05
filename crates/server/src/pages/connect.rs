//! Connecting an account at a provider: before the way there, the last question, and the end.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// An account at a provider, as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AccountView {
    /// Its address, else its name, else its id.
    pub(crate) shown: String,
    /// Its organisation.
    pub(crate) organization: Option<String>,
}

/// Says what will happen at the provider.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectStart {
    /// What people call the provider.
    pub(crate) provider: String,
    /// The service that made the link, if one did.
    pub(crate) service: Option<String>,
    /// For whom it is, as the service calls them; `None` for the person who is signed in.
    pub(crate) subject: Option<String>,
    /// The account that is granted again.
    pub(crate) account: Option<AccountView>,
    /// What will be asked for.
    pub(crate) scopes: Vec<String>,
    /// Where the button leads.
    pub(crate) go_url: String,
}

/// The last question of a link that anybody can open: whether this account is for this subject. The
/// form is `POST /connect/confirm` with `csrf`, `code` and `decision` = `allow` | `deny`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectConfirm {
    /// What people call the provider.
    pub(crate) provider: String,
    /// The service that made the link, if one did.
    pub(crate) service: Option<String>,
    /// For whom it will be.
    pub(crate) subject: String,
    /// The account that was signed in with.
    pub(crate) account: AccountView,
    /// What is granted.
    pub(crate) granted: Vec<String>,
    /// What was asked for and not granted.
    pub(crate) refused: Vec<String>,
    /// What the form brings back.
    pub(crate) code: String,
}

/// The account is connected.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectResult {
    /// What people call the provider.
    pub(crate) provider: String,
    /// The account.
    pub(crate) account: AccountView,
    /// What is granted.
    pub(crate) granted: Vec<String>,
    /// What was asked for and not granted.
    pub(crate) refused: Vec<String>,
    /// Seconds until it has to be connected again, if that is known: there is no refresh token.
    pub(crate) ends_in: Option<u64>,
    /// Where the application waits.
    pub(crate) return_url: Option<String>,
    /// Whether it is among the connections of the person who is signed in.
    pub(crate) own: bool,
}

impl AccountView {
    pub(super) fn sample(shown: &str, organization: Option<&str>) -> Self {
        Self { shown: shown.to_owned(), organization: organization.map(str::to_owned) }
    }
}

pub(super) fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const CALENDAR: &str = "https://www.googleapis.com/auth/calendar.readonly";
const DRIVE: &str = "https://www.googleapis.com/auth/drive";

impl Page for ConnectStart {
    const TEMPLATE: &'static str = "connect_start.html";

    fn samples() -> Vec<Self> {
        let own = Self {
            provider: "Google".to_owned(),
            service: None,
            subject: None,
            account: None,
            scopes: scopes(&["openid", "email", CALENDAR, DRIVE]),
            go_url: "/connect/grt_cl_x/go".to_owned(),
        };
        let link = Self {
            service: Some("reports".to_owned()),
            subject: Some("user-42".to_owned()),
            scopes: scopes(&["openid", "email", "unheard:of"]),
            ..own.clone()
        };
        let asked = Self { service: Some("reports".to_owned()), ..own.clone() };
        let again = Self {
            account: Some(AccountView::sample("ada@example.com", Some("example.com"))),
            ..own.clone()
        };
        let hostile = Self {
            provider: HOSTILE.to_owned(),
            service: Some(HOSTILE.to_owned()),
            subject: Some(HOSTILE.to_owned()),
            account: Some(AccountView::sample(HOSTILE, Some(HOSTILE))),
            scopes: scopes(&[HOSTILE]),
            go_url: "/connect/x/go".to_owned(),
        };
        vec![own, link, asked, again, hostile]
    }
}

impl Page for ConnectConfirm {
    const TEMPLATE: &'static str = "connect_confirm.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            provider: "Google".to_owned(),
            service: Some("reports".to_owned()),
            subject: "user-42".to_owned(),
            account: AccountView::sample("ada@example.com", Some("example.com")),
            granted: scopes(&["openid", "email", CALENDAR]),
            refused: scopes(&[DRIVE]),
            code: "grt_cc_x".to_owned(),
        };
        let all = Self { service: None, refused: Vec::new(), ..first.clone() };
        let hostile = Self {
            provider: HOSTILE.to_owned(),
            service: Some(HOSTILE.to_owned()),
            subject: HOSTILE.to_owned(),
            account: AccountView::sample(HOSTILE, Some(HOSTILE)),
            granted: scopes(&[HOSTILE]),
            refused: scopes(&[HOSTILE]),
            code: "x".to_owned(),
        };
        vec![first, all, hostile]
    }
}

impl Page for ConnectResult {
    const TEMPLATE: &'static str = "connect_result.html";

    fn samples() -> Vec<Self> {
        let own = Self {
            provider: "Google".to_owned(),
            account: AccountView::sample("ada@example.com", Some("example.com")),
            granted: scopes(&["openid", "email", CALENDAR]),
            refused: scopes(&[DRIVE]),
            ends_in: None,
            return_url: None,
            own: true,
        };
        let short = Self { refused: Vec::new(), ends_in: Some(3_540), own: false, ..own.clone() };
        let back = Self {
            return_url: Some("https://app.example.com/connected".to_owned()),
            account: AccountView::sample("octo-cat", None),
            own: false,
            ..own.clone()
        };
        let hostile = Self {
            provider: HOSTILE.to_owned(),
            account: AccountView::sample(HOSTILE, Some(HOSTILE)),
            granted: scopes(&[HOSTILE]),
            refused: scopes(&[HOSTILE]),
            return_url: Some("javascript:alert(1)".to_owned()),
            ..short.clone()
        };
        vec![own, short, back, hostile]
    }
}
