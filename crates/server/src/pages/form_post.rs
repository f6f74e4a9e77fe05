//! The answer as a form that sends itself: OAuth 2.0 Form Post Response Mode §2.

use serde::Serialize;

use super::{HiddenField, Page, text::HOSTILE};

/// A POST to the application's redirect URI; a button stands in when there is no JavaScript.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FormPost {
    /// The redirect URI, validated. Its origin has to be in the policy's `form-action`.
    pub(crate) action: String,
    /// The parameters of the answer, in order.
    pub(crate) fields: Vec<HiddenField>,
    /// The application's name.
    pub(crate) client: String,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form_post.html";

    fn samples() -> Vec<Self> {
        let sample = |client: &str, state: &str| Self {
            action: "https://notes.example.com/callback".to_owned(),
            fields: vec![
                HiddenField::new("code", "grt_ac_sample"),
                HiddenField::new("state", state),
                HiddenField::new("iss", "http://localhost:5050"),
            ],
            client: client.to_owned(),
        };
        vec![sample("Acme Notes", "af0ifjsldkj"), sample(HOSTILE, HOSTILE)]
    }
}
