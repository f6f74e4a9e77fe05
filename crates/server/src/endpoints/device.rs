//! `GET` and `POST /device`: the person's part of RFC 8628, §3.3.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use grantor_core::device::{self, Waiting};
use grantor_core::error::{Failure, Refusal};
use grantor_core::params::Params;
use grantor_core::store::SessionView;

use super::consent::{client_view, first_method, period, person, scope_rows};
use crate::authenticate::throttled;
use crate::extract;
use crate::onward::Onward;
use crate::pages::{DeviceCode, DeviceConfirm, DeviceDone};
use crate::visit::{Form, Visit};

/// The subject of the form for the code.
const SUBJECT: &str = "device";

/// Asks for the code; with one, asks whether that device may go on.
pub(crate) async fn page(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let params = match Params::parse(query.as_bytes()) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal),
    };
    let Some(typed) = params.get("user_code") else {
        return enter(&visit, "", false);
    };
    confirm(&visit, typed).await.unwrap_or_else(|failure| visit.fail(failure))
}

/// Takes the code, or the person's answer.
pub(crate) async fn post(visit: Visit, form: extract::Form) -> Response {
    let answered = match form.params() {
        Ok(params) => take(&visit, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    answered.unwrap_or_else(|failure| visit.fail(failure))
}

async fn take(visit: &Visit, params: &Params<'_>) -> Result<Response, Failure> {
    params.refuse_any_doubled()?;
    let typed = params.get("user_code").unwrap_or_default();
    if let Some(decision) = params.get("decision") {
        return decide(visit, params, typed, decision == "allow").await;
    }
    visit.check_csrf(params, SUBJECT, false)?;
    let Some(waiting) = look_up(visit, typed).await? else {
        return Ok(enter(visit, typed, true));
    };
    let here = Onward::Device(Some(waiting.device.user_code));
    Ok(visit.see_other(&here.path()))
}

/// RFC 8628 §5.1: wrong codes are counted, so that the right ones cannot be searched for.
async fn look_up(visit: &Visit, typed: &str) -> Result<Option<Waiting>, Failure> {
    let limits = &visit.app.limits;
    limits.user_code(visit.caller.source).map_err(throttled)?;
    let waiting = device::waiting(&visit.app.server, typed, visit.caller.now).await?;
    if waiting.is_none() {
        limits.user_code_wrong(visit.caller.source);
    }
    Ok(waiting)
}

async fn confirm(visit: &Visit, typed: &str) -> Result<Response, Failure> {
    let Some(waiting) = look_up(visit, typed).await? else {
        return Ok(enter(visit, typed, true));
    };
    match signed_in(visit, &waiting)? {
        Ok(session) => show(visit, &waiting, session).await,
        Err(sign_in) => Ok(visit.see_other(&sign_in)),
    }
}

/// The session that may answer, or the sign-in page that comes first.
fn signed_in<'a>(
    visit: &'a Visit,
    waiting: &Waiting,
) -> Result<Result<&'a SessionView, String>, Refusal> {
    let here = Onward::Device(Some(waiting.device.user_code.clone()));
    let Some(session) = &visit.session else {
        return Ok(Err(here.login()));
    };
    let needed = device::sign_in_needed(&visit.app.server, waiting, session, visit.caller.now)?;
    Ok(needed.map_or(Ok(session), |method| Err(here.login_by(method.as_str()))))
}

async fn show(
    visit: &Visit,
    waiting: &Waiting,
    session: &SessionView,
) -> Result<Response, Failure> {
    let (server, client) = (&visit.app.server, &waiting.client);
    let given = server.store.consent(session.user.id, &client.client_id).await?;
    let here = Onward::Device(Some(waiting.device.user_code.clone()));
    let page = DeviceConfirm {
        user_code: device::shown(&waiting.device.user_code),
        client: client_view(client),
        scopes: scope_rows(server, &waiting.device.scope, given.as_ref()),
        period: period(server, client),
        person: person(session),
        not_you_url: here.login_by(first_method(server, client)),
    };
    let subject = subject(waiting);
    Ok(visit.page(&page, Form::person(&subject).shows(client.logo_uri.as_deref())))
}

async fn decide(
    visit: &Visit,
    params: &Params<'_>,
    typed: &str,
    allowed: bool,
) -> Result<Response, Failure> {
    let Some(waiting) = look_up(visit, typed).await? else {
        return Err(Refusal::RequestGone {}.into());
    };
    let session = match signed_in(visit, &waiting)? {
        Ok(session) => session,
        Err(sign_in) => return Ok(visit.see_other(&sign_in)),
    };
    visit.check_csrf(params, &subject(&waiting), true)?;
    device::answer(&visit.app.server, &waiting, session, allowed, visit.caller.now).await?;
    let page = DeviceDone { client: waiting.client.client_name.clone(), allowed };
    Ok(visit.page(&page, Form::none()))
}

/// What the form is about: this device and no other.
fn subject(waiting: &Waiting) -> String {
    format!("{SUBJECT} {}", waiting.device.id)
}

/// The form for the code. Wrong, expired and answered ones look the same.
fn enter(visit: &Visit, typed: &str, wrong: bool) -> Response {
    let page = DeviceCode { user_code: typed.chars().take(40).collect(), wrong };
    let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    visit.page_with(status, &page, Form::anybody(SUBJECT))
}
