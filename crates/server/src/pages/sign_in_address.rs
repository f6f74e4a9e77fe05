//! Sign-in with an admin token, first step: where to send it. `POST /login`.

use serde::Serialize;

use super::{Page, SignInFrame, text::HOSTILE};

/// Asks for the e-mail address. The form sends `csrf`, `request` or `then`, `method=admin_token`, `email`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SignInAddress {
    /// What it has in common with the other forms.
    #[serde(flatten)]
    pub(crate) frame: SignInFrame,
    /// What the field begins with: a `login_hint`, or what was typed before the error.
    pub(crate) email: String,
    /// What was wrong with the last try.
    pub(crate) error: Option<AddressError>,
    /// Whether a token is mailed to the address; otherwise the person has one already.
    pub(crate) mailed: bool,
    /// The mailbox page (demo only).
    pub(crate) mailbox_url: Option<String>,
}

/// Why an address was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum AddressError {
    /// It is empty or no e-mail address.
    Invalid,
    /// Too many tokens were asked for.
    TooMany {
        /// How long to wait.
        wait_seconds: u64,
    },
}

impl Page for SignInAddress {
    const TEMPLATE: &'static str = "sign_in_address.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            frame: SignInFrame::sample("password"),
            email: String::new(),
            error: None,
            mailed: true,
            mailbox_url: Some("/mailbox".to_owned()),
        };
        let fixed = Self { mailed: false, mailbox_url: None, ..first.clone() };
        let direct = Self { frame: SignInFrame::default(), mailbox_url: None, ..first.clone() };
        let wrong = Self {
            email: "ada@example".to_owned(),
            error: Some(AddressError::Invalid),
            ..first.clone()
        };
        let busy = Self {
            email: "ada@example.com".to_owned(),
            error: Some(AddressError::TooMany { wait_seconds: 1_790 }),
            ..first.clone()
        };
        let hostile =
            Self { frame: SignInFrame::hostile(), email: HOSTILE.to_owned(), ..first.clone() };
        vec![first, fixed, direct, wrong, busy, hostile]
    }
}
