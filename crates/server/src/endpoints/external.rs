//! Sign-in on the operator's own page: the way there, the API for its application under
//! `/external/requests/`, and `GET /login/external`, the way back.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use grantor_core::authorize;
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::RequestId;
use grantor_core::model::{ExternalIdentity, MethodName};
use grantor_core::params::Params;
use grantor_core::signin::external::{self, Begun, Outcome, Returned};
use serde_json::json as object;

use super::authorize::send;
use super::login::{Goal, signed};
use crate::app::App;
use crate::authenticate::throttled;
use crate::extract::{Caller, JsonObject, authorization};
use crate::onward::Onward;
use crate::pages::{ErrorKind, ErrorPage};
use crate::pending;
use crate::respond::{ApiError, Challenge, json};
use crate::visit::{Form, Visit};

/// Sends the browser to the operator's page.
pub(crate) async fn begin(visit: &Visit, goal: &Goal) -> Result<Response, Failure> {
    visit.app.limits.sign_in(visit.caller.source).map_err(throttled)?;
    let begun = Begun {
        request: goal.request,
        then: goal.onward.as_ref().map(Onward::path),
        browser: visit.browser,
        language: visit.language.tag(),
        select_account: visit.session.is_some(),
    };
    let url = external::begin(&visit.app.server, begun, visit.caller.now).await?;
    Ok(visit.see_other(&url))
}

/// `GET /external/requests/{challenge}`: who asks for what.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    challenge: Named,
    headers: HeaderMap,
) -> Response {
    let told = match known_caller(&app, caller, &headers) {
        Ok(()) => external::read(&app.server, &name(challenge), caller.now).await,
        Err(failure) => Err(failure),
    };
    answer(caller, told.map(|told| json(StatusCode::OK, &told)))
}

/// `POST /external/requests/{challenge}/accept`: who it is.
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    caller: Caller,
    challenge: Named,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let decided = async {
        known_caller(&app, caller, &headers)?;
        let identity = serde_json::from_value::<ExternalIdentity>(body?.into());
        let identity = identity.map_err(|_| Refusal::BadJson {})?;
        external::accept(&app.server, &name(challenge), identity, caller.now).await
    };
    answer(caller, decided.await.map(|url| redirect_to(&url)))
}

/// `POST /external/requests/{challenge}/reject`: that it is nobody.
pub(crate) async fn reject(
    State(app): State<Arc<App>>,
    caller: Caller,
    challenge: Named,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let decided = async {
        known_caller(&app, caller, &headers)?;
        let reason = body?.remove("reason");
        let reason = reason.as_ref().and_then(serde_json::Value::as_str);
        external::reject(&app.server, &name(challenge), reason, caller.now).await
    };
    answer(caller, decided.await.map(|url| redirect_to(&url)))
}

/// Failed attempts are counted per source, so that the secret cannot be searched for.
fn known_caller(app: &App, caller: Caller, headers: &HeaderMap) -> Result<(), Failure> {
    app.limits.client_auth(caller.source).map_err(throttled)?;
    let secret = authorization(headers).and_then(|value| value.split_once(' '));
    let secret = secret.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let known = external::authenticate(&app.server, secret.map(|(_, secret)| secret.trim()));
    if known.is_err() {
        app.limits.client_auth_failed(caller.source);
    }
    known
}

/// The challenge in the URL; one that is no text names nothing.
type Named = Result<Path<String>, PathRejection>;

fn name(challenge: Named) -> String {
    challenge.map(|Path(text)| text).unwrap_or_default()
}

fn redirect_to(url: &str) -> Response {
    json(StatusCode::OK, &object!({ "redirect_to": url }))
}

fn answer(caller: Caller, answered: Result<Response, Failure>) -> Response {
    answered.unwrap_or_else(|failure| {
        ApiError::new(failure, Challenge::Bearer, caller.request_id).into_response()
    })
}

/// `GET /login/external`: the browser comes back.
pub(crate) async fn back(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let returned = match Params::parse(query.as_bytes()) {
        Ok(params) => finish(&visit, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    match returned {
        Ok(returned) => go_on(&mut visit, returned).await,
        Err(failure) => visit.fail(failure),
    }
}

async fn finish(visit: &Visit, params: &Params<'_>) -> Result<Returned, Failure> {
    params.refuse_doubled("verifier")?;
    let verifier = params.required("verifier")?;
    external::finish(&visit.app.server, verifier, &visit.browser, visit.caller.now).await
}

async fn go_on(visit: &mut Visit, returned: Returned) -> Response {
    let success = matches!(returned.outcome, Outcome::SignedIn(_));
    let label = if success { "success" } else { "failure" };
    visit.app.metrics.sign_in(MethodName::External.as_str(), label);
    match returned.outcome {
        Outcome::SignedIn(signed_in) => {
            let onward = returned.then.as_deref().and_then(Onward::read);
            let goal = Goal { request: returned.request, onward };
            let response = signed(visit, &goal, &signed_in).await;
            response.unwrap_or_else(|failure| visit.fail(failure))
        }
        Outcome::NoAccount => visit.fail(Refusal::NoAccount {}),
        Outcome::Disabled => visit.fail(Refusal::AccountDisabled {}),
        Outcome::Rejected { reason } => match returned.request {
            Some(request) => give_up(visit, request).await,
            None => {
                let page = ErrorPage::new(ErrorKind::SignInRefused).reason(reason);
                visit.page_with(StatusCode::FORBIDDEN, &page, Form::none())
            }
        },
    }
}

/// The client is told that nobody signed in.
async fn give_up(visit: &mut Visit, request: RequestId) -> Response {
    let resumed = match pending::pick_up(visit, request).await {
        Ok(resumed) => resumed,
        Err(response) => return response,
    };
    let (server, now) = (&visit.app.server, visit.caller.now);
    match authorize::refuse(server, &resumed, Refusal::ExternalRejected {}, now).await {
        Ok(answer) => send(visit, &answer),
        Err(failure) => visit.fail(failure),
    }
}
