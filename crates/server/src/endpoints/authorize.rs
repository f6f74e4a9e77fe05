//! `GET` and `POST /authorize`: RFC 6749 §3.1.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::{self, AuthorizationResponse, Need, Outcome, ResponseMode};
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::RequestId;

use crate::extract::Form;
use crate::pages::{FormPost, HiddenField};
use crate::respond::log_broken;
use crate::visit::{self, Visit};

/// The longest request that is kept while a person signs in.
const LONGEST: usize = 16 * 1024;

/// The request is in the query.
pub(crate) async fn from_query(visit: Visit, RawQuery(query): RawQuery) -> Response {
    begin(visit, query.as_deref().unwrap_or_default(), false).await
}

/// OpenID Connect Core 1.0 §3.1.2.1: the same parameters in a form.
pub(crate) async fn from_form(visit: Visit, form: Form) -> Response {
    match form.text() {
        Ok(text) => {
            let without_cookies = visit.known_browser().is_none() && visit.session.is_none();
            begin(visit, text, without_cookies).await
        }
        Err(refusal) => visit.fail(refusal),
    }
}

async fn begin(mut visit: Visit, encoded: &str, without_cookies: bool) -> Response {
    if encoded.len() > LONGEST {
        return visit.fail(Refusal::RequestTooLong {});
    }
    let (server, now) = (&visit.app.server, visit.caller.now);
    let (session, browser) = (visit.session.as_ref(), visit.known_browser());
    let outcome = authorize::begin(server, encoded, session, browser, without_cookies, now).await;
    visit.stay_unknown();
    conclude(&visit, outcome)
}

/// Sends the browser where an authorization request goes next.
pub(crate) fn conclude(visit: &Visit, outcome: Result<Outcome, Failure>) -> Response {
    match outcome {
        Ok(Outcome::Answer(answer)) => send(visit, &answer),
        Ok(Outcome::Ask { need, request }) => visit.see_other(&page_for(need, request)),
        Err(failure) => visit.fail(failure),
    }
}

/// Sends an answer to the client, through the browser.
pub(crate) fn send(visit: &Visit, answer: &AuthorizationResponse) -> Response {
    if let Some(broken) = &answer.broken {
        log_broken(broken, visit.caller.request_id);
    }
    match answer.mode {
        ResponseMode::Query | ResponseMode::Fragment => visit.see_other(&answer.location()),
        ResponseMode::FormPost => {
            let fields = answer.pairs.iter().map(|(name, value)| HiddenField::new(*name, value));
            let page = FormPost {
                action: answer.redirect_uri.clone(),
                fields: fields.collect(),
                client: answer.client_name.clone(),
            };
            let form = visit::Form::none().leads_to(Some(&answer.redirect_uri));
            visit.page(&page, form)
        }
    }
}

/// The page that asks for what is missing.
pub(crate) fn page_for(need: Need, request: RequestId) -> String {
    match need {
        // The sign-in page answers a request that needs nothing more.
        Need::SignIn | Need::Nothing => format!("/login?request={request}"),
        Need::SelectAccount => format!("/select-account?request={request}"),
        Need::Consent => format!("/consent?request={request}"),
    }
}
