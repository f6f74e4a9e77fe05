//! The forms of the sign-in page.

use axum::http::StatusCode;
use axum::response::Response;
use grantor_core::authorize::Resumed;
use grantor_core::policy::AdminTokenMode;
use grantor_core::signin::{FieldKind, FormMethod, Method};

use super::{Goal, SUBJECT};
use crate::onward::Onward;
use crate::pages::{
    AddressError, Alternative, FormError, FormField, SignInAddress, SignInForm, SignInFrame,
};
use crate::visit::{Form, Visit};

/// What the sign-in page is about.
pub(super) struct Stage {
    /// The pending request, if the page was not opened by itself.
    pub(super) resumed: Option<Resumed>,
    /// What the sign-in is for.
    pub(super) goal: Goal,
    /// The methods that are offered.
    pub(super) offered: Vec<Method>,
    /// The one in use.
    pub(super) method: Method,
    /// A new token has just been sent.
    pub(super) resent: bool,
}

impl Stage {
    /// What every form of the page has beside its own fields.
    pub(super) fn frame(&self, visit: &Visit) -> SignInFrame {
        let client = self.resumed.as_ref().map(|own| own.request.client.client_name.clone());
        SignInFrame {
            request: self.goal.request.map(|request| request.to_string()),
            then: self.goal.onward.as_ref().map(Onward::path),
            client,
            alternatives: self.alternatives(visit),
        }
    }

    /// The page's own URL, with more parameters.
    pub(super) fn url(&self, more: &str) -> String {
        self.goal.login(more)
    }

    /// Links to the methods that are not in use.
    fn alternatives(&self, visit: &Visit) -> Vec<Alternative> {
        let external = visit.app.server.policy.sign_in.external.as_ref();
        let label = external.and_then(|own| own.label.as_ref());
        let others = self.offered.iter().filter(|method| **method != self.method);
        let link = |method: &Method| Alternative {
            method: method.as_str().to_owned(),
            label: label.filter(|_| *method == Method::External).cloned(),
            url: self.url(&format!("method={}", method.as_str())),
        };
        others.map(link).collect()
    }

    /// The form's promise of where it leads.
    pub(super) fn form(&self) -> Form<'_> {
        let uri = self.resumed.as_ref().map(|resumed| resumed.request.return_to.uri());
        Form::anybody(SUBJECT).leads_to(uri)
    }
}

/// Asks for the address, for the first time.
pub(super) fn first_address(visit: &Visit, stage: &Stage, hint: &str) -> Response {
    address(visit, stage, hint, None, StatusCode::OK)
}

/// Shows the form of a method, for the first time.
pub(super) fn first_form(
    visit: &Visit,
    stage: &Stage,
    own: &dyn FormMethod,
    hint: &str,
) -> Response {
    form(visit, stage, own, hint, None)
}

/// Asks for the address.
pub(super) fn address(
    visit: &Visit,
    stage: &Stage,
    email: &str,
    error: Option<AddressError>,
    status: StatusCode,
) -> Response {
    let page = SignInAddress {
        frame: stage.frame(visit),
        email: email.to_owned(),
        error,
        mailed: mails_tokens(visit),
        mailbox_url: mailbox_url(visit),
    };
    visit.page_with(status, &page, stage.form())
}

/// Shows the form of a method. What names the account stands there again, a secret never does.
pub(super) fn form(
    visit: &Visit,
    stage: &Stage,
    own: &dyn FormMethod,
    account: &str,
    error: Option<FormError>,
) -> Response {
    let status = match error {
        None => StatusCode::OK,
        Some(FormError::Wrong) => StatusCode::BAD_REQUEST,
        Some(FormError::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
    };
    let field = |(n, own): (usize, &grantor_core::signin::Field)| FormField {
        name: own.name.to_owned(),
        kind: match own.kind {
            FieldKind::Name => "name",
            FieldKind::Password => "password",
            FieldKind::Secret => "secret",
        },
        value: account.chars().filter(|_| n == 0 && own.kind == FieldKind::Name).collect(),
    };
    let page = SignInForm {
        frame: stage.frame(visit),
        method: stage.method.as_str().to_owned(),
        fields: own.fields().iter().enumerate().map(field).collect(),
        error,
    };
    visit.page_with(status, &page, stage.form())
}

/// Whether admin tokens are sent, not known beforehand.
pub(super) fn mails_tokens(visit: &Visit) -> bool {
    matches!(visit.app.server.policy.sign_in.admin_token.mode, AdminTokenMode::Emailed)
}

/// The demo's mailbox, where tokens are mailed.
pub(super) fn mailbox_url(visit: &Visit) -> Option<String> {
    let demo = visit.app.demo.as_ref().filter(|demo| demo.mailbox.is_some() && mails_tokens(visit));
    demo.map(|_| "/mailbox".to_owned())
}
