//! Consent: who asks, for what, for how long, and what happens next. RFC 6749 §10.2, §10.13.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// The form is `POST /consent` with `csrf`, `request`, `decision` = `allow` | `deny`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Consent {
    /// The pending authorization request.
    pub(crate) request: String,
    /// Who asks.
    pub(crate) client: ConsentClient,
    /// The host (and port) of the redirect URI.
    pub(crate) return_host: String,
    /// What it asks for; the page puts the new ones first.
    pub(crate) scopes: Vec<ScopeRow>,
    /// How long the application keeps the access.
    pub(crate) period: AccessPeriod,
    /// Who is signed in: a name or an address.
    pub(crate) person: String,
    /// Where "Not you?" leads.
    pub(crate) not_you_url: String,
}

/// What is known about the application.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConsentClient {
    /// Its name.
    pub(crate) name: String,
    /// Its picture; the origin has to be in `img-src`.
    pub(crate) logo_url: Option<String>,
    /// Its home page.
    pub(crate) home_url: Option<String>,
    /// Its privacy policy.
    pub(crate) policy_url: Option<String>,
    /// Its terms of service.
    pub(crate) tos_url: Option<String>,
}

/// One scope that is asked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScopeRow {
    /// As in the request.
    pub(crate) name: String,
    /// The operator's words for it. Without them the page has its own for the scopes that it knows,
    /// and shows the bare name of others.
    pub(crate) description: Option<String>,
    /// This person has not granted it to this application before.
    pub(crate) new: bool,
}

/// How long an application can use what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum AccessPeriod {
    /// It cannot renew it.
    Once {
        /// The lifetime of the access token.
        seconds: u64,
    },
    /// It can renew it for so long.
    UpTo {
        /// The lifetime of the refresh token.
        seconds: u64,
    },
    /// It can renew it for as long as the consent stands.
    UntilWithdrawn,
}

impl ScopeRow {
    fn sample(name: &str, description: Option<&str>, new: bool) -> Self {
        Self { name: name.to_owned(), description: description.map(str::to_owned), new }
    }
}

impl Page for Consent {
    const TEMPLATE: &'static str = "consent.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            request: "req_7Yk2".to_owned(),
            client: ConsentClient {
                name: "Acme Notes".to_owned(),
                logo_url: None,
                home_url: Some("https://notes.example.com/".to_owned()),
                policy_url: Some("https://notes.example.com/privacy".to_owned()),
                tos_url: Some("https://notes.example.com/terms".to_owned()),
            },
            return_host: "notes.example.com".to_owned(),
            scopes: ["openid", "profile", "email", "read"]
                .map(|name| ScopeRow::sample(name, None, true))
                .to_vec(),
            period: AccessPeriod::UpTo { seconds: 30 * 86_400 },
            person: "ada@example.com".to_owned(),
            not_you_url: "/login?request=req_7Yk2".to_owned(),
        };
        let more = Self {
            scopes: vec![
                ScopeRow::sample("openid", None, false),
                ScopeRow::sample("email", None, false),
                ScopeRow::sample("offline_access", None, true),
                ScopeRow::sample("write", None, true),
                ScopeRow::sample("invoices:pay", Some("Pay invoices in your name"), true),
                ScopeRow::sample("ledger.audit", None, false),
            ],
            period: AccessPeriod::UntilWithdrawn,
            ..first.clone()
        };
        let hostile = Self {
            client: ConsentClient {
                name: HOSTILE.to_owned(),
                logo_url: Some("https://notes.example.com/\"><script>1</script>".to_owned()),
                home_url: Some("javascript:alert(1)".to_owned()),
                policy_url: None,
                tos_url: None,
            },
            return_host: "localhost:5051".to_owned(),
            scopes: vec![ScopeRow::sample(HOSTILE, Some(HOSTILE), true)],
            period: AccessPeriod::Once { seconds: 3_600 },
            person: HOSTILE.to_owned(),
            ..first.clone()
        };
        vec![first, more, hostile]
    }
}
