//! Signing out: OpenID Connect RP-Initiated Logout 1.0 §2, §3.

use serde::Serialize;

use super::{HiddenField, Page, text::HOSTILE};

/// Asks before `POST /logout` with `csrf` and [`LogoutConfirm::fields`].
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LogoutConfirm {
    /// Who is signed in.
    pub(crate) person: String,
    /// The application that asked for it.
    pub(crate) client: Option<String>,
    /// What the form carries on: `post_logout_redirect_uri`, `state`, `client_id`.
    pub(crate) fields: Vec<HiddenField>,
    /// Where "Stay signed in" leads.
    pub(crate) stay_url: String,
}

/// Says that it is done.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SignedOut {
    /// The application's name, when it asked for the sign-out.
    pub(crate) client: Option<String>,
    /// The way back to the application: a registered address only.
    pub(crate) return_url: Option<String>,
}

impl Page for LogoutConfirm {
    const TEMPLATE: &'static str = "logout_confirm.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            person: "ada@example.com".to_owned(),
            client: None,
            fields: Vec::new(),
            stay_url: "/account".to_owned(),
        };
        let asked = Self {
            client: Some("Acme Notes".to_owned()),
            fields: vec![HiddenField::new("state", HOSTILE)],
            ..first.clone()
        };
        let hostile =
            Self { person: HOSTILE.to_owned(), client: Some(HOSTILE.to_owned()), ..first.clone() };
        vec![first, asked, hostile]
    }
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        let back = |client: Option<&str>| Self {
            client: client.map(str::to_owned),
            return_url: Some("https://notes.example.com/".to_owned()),
        };
        vec![
            Self { client: None, return_url: None },
            back(None),
            back(Some("Acme Notes")),
            back(Some(HOSTILE)),
        ]
    }
}
