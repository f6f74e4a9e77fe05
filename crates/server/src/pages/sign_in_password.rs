//! Sign-in with a name and a password. `POST /login`.

use serde::Serialize;

use super::{Alternative, Page, text::HOSTILE};

/// The form sends `csrf`, `request`, `method=password`, `username`, `password`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SignInPassword {
    /// The pending authorization request; `None` when `/login` was opened directly.
    pub(crate) request: Option<String>,
    /// The name of the application that asked.
    pub(crate) client: Option<String>,
    /// What the name field begins with.
    pub(crate) username: String,
    /// What was wrong with the last try.
    pub(crate) error: Option<PasswordError>,
    /// The other methods that are offered.
    pub(crate) alternatives: Vec<Alternative>,
}

/// Why a name and a password were not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PasswordError {
    /// One of them, and the page does not say which.
    Wrong,
    /// Too many tries for this name or from this place.
    TooMany {
        /// How long to wait.
        wait_seconds: u64,
    },
}

impl Page for SignInPassword {
    const TEMPLATE: &'static str = "sign_in_password.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            request: Some("req_7Yk2".to_owned()),
            client: Some("Acme Notes".to_owned()),
            username: String::new(),
            error: None,
            alternatives: vec![Alternative {
                method: "admin_token".to_owned(),
                url: "/login?request=req_7Yk2&method=admin_token".to_owned(),
            }],
        };
        let again =
            |error| Self { username: "demo_user".to_owned(), error: Some(error), ..first.clone() };
        vec![
            first.clone(),
            again(PasswordError::Wrong),
            again(PasswordError::TooMany { wait_seconds: 45 }),
            Self { request: None, client: None, alternatives: Vec::new(), ..first.clone() },
            Self {
                client: Some(HOSTILE.to_owned()),
                username: HOSTILE.to_owned(),
                ..first.clone()
            },
        ]
    }
}
