//! The steps of signing in, each of which ends in a page or a redirect.

use axum::http::StatusCode;
use axum::response::Response;
use grantor_core::error::Failure;
use grantor_core::id::AttemptId;
use grantor_core::model::SignInAttempt;
use grantor_core::params::Params;
use grantor_core::signin::admin_token::{self, Asked, Asking, Typed};
use grantor_core::signin::session::{self, Device};
use grantor_core::signin::{FormMethod, SignedIn};

use super::Goal;
use super::forms::{self, Stage};
use crate::pages::{AddressError, FormError, SignInToken, TokenError};
use crate::visit::Visit;

/// Sends a token to an address, or seems to.
pub(super) async fn ask_token(
    visit: &Visit,
    stage: &Stage,
    email: &str,
    resend: bool,
) -> Result<Response, Failure> {
    let asked = Asked {
        email,
        request: stage.resumed.as_ref().map(|resumed| resumed.pending.id),
        browser: visit.browser,
        application: stage.resumed.as_ref().map(|own| own.request.client.client_name.as_str()),
        address: &visit.caller.source.to_string(),
        language: visit.language.tag(),
    };
    Ok(match admin_token::ask(&visit.app.server, asked, visit.caller.now).await? {
        Asking::Sent(attempt) => {
            visit.app.mail_queued.notify_one();
            let resent = if resend { "&resent=1" } else { "" };
            visit.see_other(&stage.url(&format!("method=admin_token&attempt={attempt}{resent}")))
        }
        Asking::Wait { until } => {
            let wait = u64::from(visit.caller.now.until(until).0);
            let error = AddressError::TooMany { wait_seconds: wait };
            let status = StatusCode::TOO_MANY_REQUESTS;
            forms::address(visit, stage, email, Some(error), status)
        }
        Asking::NotAnAddress => {
            let status = StatusCode::BAD_REQUEST;
            forms::address(visit, stage, email, Some(AddressError::Invalid), status)
        }
    })
}

/// Shows the form for the token of an attempt.
pub(super) async fn show_token(visit: &Visit, stage: &Stage, id: AttemptId) -> Response {
    match visit.app.server.store.attempt(id, &visit.browser, visit.caller.now).await {
        Ok(Some(attempt)) => token(visit, stage, id, Some(&attempt), None),
        Ok(None) => token(visit, stage, id, None, Some(TokenError::Gone)),
        Err(error) => visit.fail(error),
    }
}

/// Takes a token.
pub(super) async fn try_token(
    visit: &mut Visit,
    stage: &Stage,
    id: AttemptId,
    typed: &str,
) -> Result<Response, Failure> {
    let (server, now) = (&visit.app.server, visit.caller.now);
    let before = server.store.attempt(id, &visit.browser, now).await?;
    let request = stage.resumed.as_ref().map(|resumed| resumed.pending.id);
    let outcome = admin_token::finish(server, id, request, &visit.browser, typed, now).await?;
    let label = if matches!(outcome, Typed::SignedIn(_)) { "success" } else { "failure" };
    visit.app.metrics.sign_in("admin_token", label);
    match outcome {
        Typed::SignedIn(signed_in) => signed(visit, &stage.goal, &signed_in).await,
        Typed::Wrong { tries_left } => {
            let error = TokenError::Wrong { tries_left: Some(tries_left) };
            Ok(token(visit, stage, id, before.as_ref(), Some(error)))
        }
        Typed::Gone => Ok(token(visit, stage, id, before.as_ref(), Some(TokenError::Gone))),
    }
}

/// Takes what was typed into the form of a method.
pub(super) async fn try_form(
    visit: &mut Visit,
    stage: &Stage,
    form: &dyn FormMethod,
    typed: &Params<'_>,
) -> Result<Response, Failure> {
    let (server, now) = (&visit.app.server, visit.caller.now);
    let method = stage.method.as_str();
    let account = form.fields().first().and_then(|field| typed.get(field.name)).unwrap_or_default();
    if let Err(wait) = visit.app.limits.account(account) {
        visit.app.metrics.sign_in(method, "limited");
        let error = FormError::TooMany { wait_seconds: wait.0.into() };
        return Ok(forms::form(visit, stage, form, account, Some(error)));
    }
    let signed_in = form.sign_in(server, typed, now).await?;
    let label = if signed_in.is_some() { "success" } else { "failure" };
    visit.app.metrics.sign_in(method, label);
    match signed_in {
        Some(signed_in) => signed(visit, &stage.goal, &signed_in).await,
        None => Ok(forms::form(visit, stage, form, account, Some(FormError::Wrong))),
    }
}

/// Begins the session and goes on to what it is for.
pub(crate) async fn signed(
    visit: &mut Visit,
    goal: &Goal,
    signed_in: &SignedIn,
) -> Result<Response, Failure> {
    let address = visit.caller.source.to_string();
    let device = Device { user_agent: &visit.user_agent, address: &address };
    let (server, replaces) = (&visit.app.server, visit.session.as_ref());
    let (cookie, view) =
        session::start(server, signed_in, device, replaces, visit.caller.now).await?;
    let lifetime = server.policy.lifetimes.session_absolute;
    let cookie = visit.app.cookies.set_session(&cookie.reveal(), lifetime);
    visit.set_cookie(cookie);
    visit.session = Some(view);
    Ok(visit.see_other(&goal.path()))
}

fn token(
    visit: &Visit,
    stage: &Stage,
    id: AttemptId,
    attempt: Option<&SignInAttempt>,
    error: Option<TokenError>,
) -> Response {
    let now = visit.caller.now;
    let policy = &visit.app.server.policy.sign_in.admin_token;
    let emailed = forms::mails_tokens(visit);
    let pause_over = attempt.map(|attempt| attempt.created_at.plus(policy.limits.pause));
    let status = match error {
        None => StatusCode::OK,
        Some(TokenError::Wrong { .. } | TokenError::Gone) => StatusCode::BAD_REQUEST,
    };
    let page = SignInToken {
        frame: stage.frame(visit),
        attempt: id.to_string(),
        address: attempt.filter(|_| emailed).map(|attempt| attempt.email.clone()),
        lives_seconds: attempt.filter(|_| emailed).map(|own| now.until(own.expires_at).0.into()),
        resend_wait_seconds: pause_over.map_or(0, |over| now.until(over).0.into()),
        resent: stage.resent && error.is_none(),
        error,
        other_address_url: stage.url("method=admin_token"),
        mailbox_url: forms::mailbox_url(visit),
    };
    visit.page_with(status, &page, stage.form())
}
