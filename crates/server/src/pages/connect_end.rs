//! Dead ends on the way to a connected account: what happened, and what to do next.

use serde::Serialize;

use super::connect::scopes;
use super::{AccountView, Page, text::HOSTILE};

/// Why an account is not connected. The texts come from its kind.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectEnd {
    kind: ConnectEndKind,
    /// What people call the provider, once that is known.
    pub(crate) provider: Option<String>,
    /// The provider's error code.
    pub(crate) error: Option<String>,
    /// The provider's words.
    pub(crate) detail: Option<String>,
    /// The account that is connected, and the one that was signed in with.
    pub(crate) accounts: Option<(AccountView, AccountView)>,
    /// What was not granted.
    pub(crate) missing: Vec<String>,
    /// Where to try again.
    pub(crate) retry_url: Option<String>,
    /// Where the application waits.
    pub(crate) return_url: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConnectEndKind {
    /// The link is not known, or too old.
    LinkGone,
    /// The link was used to the end.
    LinkUsed,
    /// The page was loaded twice, or belongs to a flow that was begun anew since.
    StateGone,
    /// The page was loaded twice, and the account is connected.
    AlreadyDone,
    /// The flow was begun in another browser.
    OtherBrowser,
    /// Somebody else is signed in than the link is for.
    OtherPerson,
    /// The connection is not there any more.
    ConnectionGone,
    /// The operator does not offer it any more.
    NotOffered,
    /// The person said no.
    Denied,
    /// The provider told an error.
    Provider,
    /// The provider did not take what the browser brought back.
    CodeRefused,
    /// The provider refuses this server.
    Misconfigured,
    /// The provider did not answer.
    Away,
    /// What came back is not from the provider, or not for this server.
    Untrusted,
    /// Another account than the connected one.
    OtherAccount,
    /// What is needed was not granted.
    ScopesMissing,
}

impl ConnectEndKind {
    const ALL: [Self; 16] = [
        Self::LinkGone,
        Self::LinkUsed,
        Self::StateGone,
        Self::AlreadyDone,
        Self::OtherBrowser,
        Self::OtherPerson,
        Self::ConnectionGone,
        Self::NotOffered,
        Self::Denied,
        Self::Provider,
        Self::CodeRefused,
        Self::Misconfigured,
        Self::Away,
        Self::Untrusted,
        Self::OtherAccount,
        Self::ScopesMissing,
    ];
}

impl ConnectEnd {
    /// The page for `kind`, with nothing but its texts.
    pub(crate) const fn new(kind: ConnectEndKind) -> Self {
        Self {
            kind,
            provider: None,
            error: None,
            detail: None,
            accounts: None,
            missing: Vec::new(),
            retry_url: None,
            return_url: None,
        }
    }
}

impl Page for ConnectEnd {
    const TEMPLATE: &'static str = "connect_end.html";

    fn samples() -> Vec<Self> {
        let named = |kind| Self { provider: Some("Google".to_owned()), ..Self::new(kind) };
        let retry = Some("/connect/grt_cl_x".to_owned());
        let mut samples: Vec<_> = ConnectEndKind::ALL.map(Self::new).to_vec();
        samples.push(Self {
            retry_url: retry.clone(),
            return_url: Some("https://app.example.com/connected?error=access_denied".to_owned()),
            ..named(ConnectEndKind::Denied)
        });
        samples.push(Self {
            error: Some("admin_policy_enforced".to_owned()),
            detail: Some("Your administrator does not allow this application.".to_owned()),
            retry_url: retry.clone(),
            ..named(ConnectEndKind::Provider)
        });
        samples.push(Self {
            accounts: Some((
                AccountView::sample("ada@example.com", None),
                AccountView::sample("grace@example.com", None),
            )),
            retry_url: retry.clone(),
            ..named(ConnectEndKind::OtherAccount)
        });
        samples.push(Self {
            missing: scopes(&["https://www.googleapis.com/auth/calendar.readonly", "other"]),
            retry_url: retry,
            ..named(ConnectEndKind::ScopesMissing)
        });
        samples.push(Self {
            provider: Some(HOSTILE.to_owned()),
            error: Some(HOSTILE.to_owned()),
            detail: Some(HOSTILE.to_owned()),
            accounts: Some((
                AccountView::sample(HOSTILE, None),
                AccountView::sample(HOSTILE, None),
            )),
            missing: scopes(&[HOSTILE]),
            return_url: Some("javascript:alert(1)".to_owned()),
            ..Self::new(ConnectEndKind::OtherAccount)
        });
        samples
    }
}
