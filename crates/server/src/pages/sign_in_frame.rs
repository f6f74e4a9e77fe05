//! What every form of the sign-in page has beside its own fields.

use serde::Serialize;

use super::text::HOSTILE;

/// Part of the views of the sign-in pages.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SignInFrame {
    /// The pending authorization request; `None` when `/login` was opened directly.
    pub(crate) request: Option<String>,
    /// Without one: the path of the page that needs the sign-in.
    pub(crate) then: Option<String>,
    /// The name of the application that asked.
    pub(crate) client: Option<String>,
    /// The other methods that are offered.
    pub(crate) alternatives: Vec<Alternative>,
}

/// A link to another sign-in method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Alternative {
    /// Its name, such as `password`.
    pub(crate) method: String,
    /// The operator's words for it. Without them the page has its own for the methods that it knows.
    pub(crate) label: Option<String>,
    /// Where it begins, with what the sign-in is for.
    pub(crate) url: String,
}

impl SignInFrame {
    pub(super) fn sample(other: &str) -> Self {
        Self {
            request: Some("req_7Yk2".to_owned()),
            then: None,
            client: Some("Acme Notes".to_owned()),
            alternatives: vec![Alternative::sample(other, None)],
        }
    }

    pub(super) fn device() -> Self {
        let then = Some("/device?user_code=WDJB-MJHT".to_owned());
        let label = Some("Use your company account".to_owned());
        Self { then, alternatives: vec![Alternative::sample("external", label)], ..Self::default() }
    }

    pub(super) fn hostile() -> Self {
        let alternatives = vec![Alternative::sample(HOSTILE, Some(HOSTILE.to_owned()))];
        Self { client: Some(HOSTILE.to_owned()), alternatives, ..Self::sample("password") }
    }
}

impl Alternative {
    fn sample(method: &str, label: Option<String>) -> Self {
        let url = "/login?request=req_7Yk2&method=x".to_owned();
        Self { method: method.to_owned(), label, url }
    }
}
