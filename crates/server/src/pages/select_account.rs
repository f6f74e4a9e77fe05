//! Go on as the one who is signed in, or as somebody else: OpenID Connect Core §3.1.2.1 (`prompt`).

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// The form is `POST /select-account` with `csrf`, `request`, `choice` = `continue` | `other`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SelectAccount {
    /// The pending authorization request.
    pub(crate) request: String,
    /// The name of the application that asked.
    pub(crate) client: String,
    /// Who is signed in.
    pub(crate) name: String,
    /// The address, when there is one beside the name.
    pub(crate) email: Option<String>,
}

impl Page for SelectAccount {
    const TEMPLATE: &'static str = "select_account.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            request: "req_7Yk2".to_owned(),
            client: "Acme Notes".to_owned(),
            name: "Ada Lovelace".to_owned(),
            email: Some("ada@example.com".to_owned()),
        };
        let hostile = Self {
            client: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            email: None,
            ..first.clone()
        };
        vec![first, hostile]
    }
}
