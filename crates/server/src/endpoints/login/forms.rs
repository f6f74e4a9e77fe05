//! The forms of the sign-in page.

use axum::http::StatusCode;
use axum::response::Response;
use grantor_core::authorize::Resumed;
use grantor_core::error::Refusal;
use grantor_core::policy::AdminTokenMode;
use grantor_core::signin::Method;

use super::SUBJECT;
use crate::pages::{AddressError, Alternative, PasswordError, SignInAddress, SignInPassword};
use crate::visit::{Form, Visit};

/// What the sign-in page is about.
pub(super) struct Stage {
    /// The pending request, if the page was not opened by itself.
    pub(super) resumed: Option<Resumed>,
    /// The methods that are offered.
    pub(super) offered: Vec<Method>,
    /// The one in use.
    pub(super) method: Method,
    /// A new token has just been sent.
    pub(super) resent: bool,
}

impl Stage {
    /// The `request` field of the forms.
    pub(super) fn request(&self) -> Option<String> {
        self.resumed.as_ref().map(|resumed| resumed.pending.id.to_string())
    }

    /// The application's name.
    pub(super) fn client(&self) -> Option<String> {
        self.resumed.as_ref().map(|resumed| resumed.request.client.client_name.clone())
    }

    /// The page's own URL, with more parameters.
    pub(super) fn url(&self, more: &str) -> String {
        match self.request() {
            Some(request) => format!("/login?request={request}&{more}"),
            None => format!("/login?{more}"),
        }
    }

    /// Links to the methods that are not in use.
    pub(super) fn alternatives(&self) -> Vec<Alternative> {
        let others = self.offered.iter().filter(|method| **method != self.method);
        let link = |method: &Method| Alternative {
            method: method.as_str().to_owned(),
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

/// The first form of the method in use.
pub(super) fn first(visit: &Visit, stage: &Stage, hint: &str) -> Response {
    match stage.method {
        Method::AdminToken => address(visit, stage, hint, None, StatusCode::OK),
        Method::Password => password(visit, stage, hint, None, StatusCode::OK),
        Method::External => visit.fail(Refusal::NoMethodLeft {}),
    }
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
        request: stage.request(),
        client: stage.client(),
        email: email.to_owned(),
        error,
        alternatives: stage.alternatives(),
        mailed: mails_tokens(visit),
        mailbox_url: mailbox_url(visit),
    };
    visit.page_with(status, &page, stage.form())
}

/// Asks for name and password.
pub(super) fn password(
    visit: &Visit,
    stage: &Stage,
    username: &str,
    error: Option<PasswordError>,
    status: StatusCode,
) -> Response {
    let page = SignInPassword {
        request: stage.request(),
        client: stage.client(),
        username: username.to_owned(),
        error,
        alternatives: stage.alternatives(),
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
