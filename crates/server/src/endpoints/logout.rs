//! `GET` and `POST /logout`: OpenID Connect RP-Initiated Logout 1.0 §2.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::error::Failure;
use grantor_core::logout::{self, LogoutRequest};
use grantor_core::params::Params;
use grantor_core::store::SessionView;

use super::consent::person;
use crate::extract;
use crate::pages::{HiddenField, LogoutConfirm, SignedOut};
use crate::visit::{Form, Visit};

/// The subject of the form.
const SUBJECT: &str = "logout";

/// The parameters that the form carries on. A hint has served its purpose when the page asks.
const CARRIED: [&str; 3] = ["client_id", "post_logout_redirect_uri", "state"];

/// A request in the query: by a person, or by a client that sends the browser.
pub(crate) async fn ask(visit: Visit, RawQuery(query): RawQuery) -> Response {
    answer(visit, query.unwrap_or_default().as_bytes()).await
}

/// A request in a form: ours, or one that a client had the browser post.
pub(crate) async fn post(visit: Visit, form: extract::Form) -> Response {
    match form.text() {
        // A cross-site POST comes without cookies (SameSite=Lax); the redirect has them.
        Ok(text) if visit.known_browser().is_none() => visit.see_other(&format!("/logout?{text}")),
        Ok(text) => answer(visit, text.as_bytes()).await,
        Err(refusal) => visit.fail(refusal),
    }
}

async fn answer(mut visit: Visit, encoded: &[u8]) -> Response {
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal),
    };
    let (server, now) = (&visit.app.server, visit.caller.now);
    let request = match logout::read(server, &params, now).await {
        Ok(request) => request,
        Err(failure) => return visit.fail(failure),
    };
    let Some(session) = visit.session.clone() else {
        return signed_out(&visit, request);
    };
    // RP-Initiated Logout 1.0 §2: without proof of who asks, the person is asked.
    let proved = request.subject == Some(session.user.id);
    if !proved && visit.check_csrf(&params, SUBJECT, true).is_err() {
        return confirm(&visit, &session, &request, &params);
    }
    match end(&mut visit, &session).await {
        Ok(()) => signed_out(&visit, request),
        Err(failure) => visit.fail(failure),
    }
}

async fn end(visit: &mut Visit, session: &SessionView) -> Result<(), Failure> {
    visit.app.server.store.end_session(session.user.id, session.session.id).await?;
    let cleared = visit.app.cookies.clear_session();
    visit.set_cookie(cleared);
    visit.session = None;
    Ok(())
}

fn confirm(
    visit: &Visit,
    session: &SessionView,
    request: &LogoutRequest,
    params: &Params<'_>,
) -> Response {
    let carried =
        CARRIED.iter().filter_map(|name| Some(HiddenField::new(*name, params.get(name)?)));
    let page = LogoutConfirm {
        person: person(session),
        client: request.client.as_ref().map(|client| client.client_name.clone()),
        fields: carried.collect(),
        stay_url: "/account".to_owned(),
    };
    let form = Form::person(SUBJECT).leads_to(request.return_to.as_deref());
    visit.page(&page, form)
}

fn signed_out(visit: &Visit, request: LogoutRequest) -> Response {
    match request.return_to {
        Some(uri) => visit.see_other(&uri),
        None => {
            let client = request.client.as_deref();
            let page = SignedOut {
                client: client.map(|client| client.client_name.clone()),
                return_url: client.and_then(|client| client.client_uri.clone()),
            };
            visit.page(&page, Form::none())
        }
    }
}
