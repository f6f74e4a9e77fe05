//! Sign-in by a method that is one form, such as a name and a password. `POST /login`.
//!
//! Its texts are named after the method and the field: `ask-password-username`, `ask-password-wrong`.
//! A method without texts is shown with the names of its fields.

use serde::Serialize;

use super::{Page, SignInFrame, text::HOSTILE};

/// The form sends `csrf`, `request` or `then`, `method`, and the fields.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SignInForm {
    /// What it has in common with the other forms.
    #[serde(flatten)]
    pub(crate) frame: SignInFrame,
    /// The method's name.
    pub(crate) method: String,
    /// The fields, in order. The first that is empty has the focus.
    pub(crate) fields: Vec<FormField>,
    /// What was wrong with the last try.
    pub(crate) error: Option<FormError>,
}

/// One field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FormField {
    /// Its name, which is also its id.
    pub(crate) name: String,
    /// `name`, `password` or `secret`.
    pub(crate) kind: &'static str,
    /// What it begins with.
    pub(crate) value: String,
}

/// Why what was typed was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum FormError {
    /// Some of it, and the page does not say which.
    Wrong,
    /// Too many tries for this name or from this place.
    TooMany {
        /// How long to wait.
        wait_seconds: u64,
    },
}

impl FormField {
    fn sample(name: &str, kind: &'static str, value: &str) -> Self {
        Self { name: name.to_owned(), kind, value: value.to_owned() }
    }
}

impl Page for SignInForm {
    const TEMPLATE: &'static str = "sign_in_form.html";

    fn samples() -> Vec<Self> {
        let fields = |name| {
            vec![
                FormField::sample("username", "name", name),
                FormField::sample("password", "password", ""),
            ]
        };
        let first = Self {
            frame: SignInFrame::sample("admin_token"),
            method: "password".to_owned(),
            fields: fields(""),
            error: None,
        };
        let again =
            |error| Self { fields: fields("demo_user"), error: Some(error), ..first.clone() };
        let without_texts = Self {
            method: "magic_word".to_owned(),
            fields: vec![
                FormField::sample("account", "name", "ada"),
                FormField::sample("magic_word", "secret", ""),
            ],
            error: Some(FormError::Wrong),
            ..first.clone()
        };
        vec![
            first.clone(),
            again(FormError::Wrong),
            again(FormError::TooMany { wait_seconds: 45 }),
            Self { frame: SignInFrame::default(), ..first.clone() },
            Self { frame: SignInFrame::device(), ..first.clone() },
            without_texts,
            Self { frame: SignInFrame::hostile(), fields: fields(HOSTILE), ..first.clone() },
        ]
    }
}
