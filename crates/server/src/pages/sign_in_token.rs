//! Sign-in with an admin token, second step: type it. `POST /login`.

use serde::Serialize;

use super::{Page, SignInFrame, text::HOSTILE};

/// Asks for the token. The form sends `csrf`, `request` or `then`, `attempt`, `method=admin_token`, `token`;
/// the form below it `csrf`, `request`, `method=admin_token`, `email`, `resend=1`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SignInToken {
    /// What it has in common with the other forms.
    #[serde(flatten)]
    pub(crate) frame: SignInFrame,
    /// The half-done sign-in that the token belongs to.
    pub(crate) attempt: String,
    /// Where the token was sent, whole: the page masks it. `None` for the static token.
    pub(crate) address: Option<String>,
    /// How long the token lives from now on; `None` for the static token.
    pub(crate) lives_seconds: Option<u64>,
    /// How long until a new one may be sent; 0 when it may be now.
    pub(crate) resend_wait_seconds: u64,
    /// A new token was sent by the last request.
    pub(crate) resent: bool,
    /// What was wrong with the last try.
    pub(crate) error: Option<TokenError>,
    /// Back to the first step.
    pub(crate) other_address_url: String,
    /// The mailbox page (demo only).
    pub(crate) mailbox_url: Option<String>,
}

/// Why a token was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum TokenError {
    /// It is not the one that was sent. With no tries left, it cannot be used any more.
    Wrong {
        /// How many tries are left; `None` when they are not counted (static token).
        tries_left: Option<u32>,
    },
    /// It is too old, was used already, or another one was sent since.
    Gone,
}

impl Page for SignInToken {
    const TEMPLATE: &'static str = "sign_in_token.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            frame: SignInFrame::sample("password"),
            attempt: "att_9Qx4".to_owned(),
            address: Some("ada@example.com".to_owned()),
            lives_seconds: Some(600),
            resend_wait_seconds: 0,
            resent: false,
            error: None,
            other_address_url: "/login?request=req_7Yk2&method=admin_token".to_owned(),
            mailbox_url: Some("/mailbox".to_owned()),
        };
        let with = |error| Self { error: Some(error), ..first.clone() };
        vec![
            first.clone(),
            with(TokenError::Wrong { tries_left: Some(4) }),
            with(TokenError::Wrong { tries_left: Some(1) }),
            with(TokenError::Wrong { tries_left: Some(0) }),
            with(TokenError::Gone),
            Self { resend_wait_seconds: 40, frame: SignInFrame::device(), ..first.clone() },
            Self { resent: true, resend_wait_seconds: 60, ..first.clone() },
            Self {
                frame: SignInFrame::default(),
                address: None,
                lives_seconds: None,
                mailbox_url: None,
                error: Some(TokenError::Wrong { tries_left: None }),
                ..first.clone()
            },
            Self {
                frame: SignInFrame::hostile(),
                address: Some(HOSTILE.to_owned()),
                attempt: HOSTILE.to_owned(),
                ..first.clone()
            },
        ]
    }
}
