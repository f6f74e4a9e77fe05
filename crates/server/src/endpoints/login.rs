//! `GET` and `POST /login`: the sign-in pages.

mod forms;
mod steps;

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::{self, Need, Resumed};
use grantor_core::error::Refusal;
use grantor_core::id::AttemptId;
use grantor_core::params::Params;
use grantor_core::signin::{self, Method};

use super::authorize::{conclude, page_for};
use crate::authenticate::throttled;
use crate::extract;
use crate::pending;
use crate::visit::{Visit, pending_id};
use forms::Stage;

/// The subject of the sign-in forms. Not the request: signing in is the same in every tab.
pub(crate) const SUBJECT: &str = "login";

/// Shows what is needed to sign in. With a pending request that needs no sign-in (any more), goes
/// on to what it needs, unless another method was asked for by name.
pub(crate) async fn page(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let asked = match Asked::read(&query) {
        Ok(asked) => asked,
        Err(refusal) => return visit.fail(refusal),
    };
    let stage = match Stage::enter(&mut visit, &asked).await {
        Ok(stage) => stage,
        Err(response) => return response,
    };
    if let (Some(resumed), None) = (&stage.resumed, asked.method)
        && resumed.need != Need::SignIn
    {
        return go_on(&visit, resumed).await;
    }
    if stage.resumed.is_none() && visit.session.is_some() && asked.method.is_none() {
        return visit.see_other("/account");
    }
    match asked.attempt {
        Some(attempt) => steps::show_token(&visit, &stage, attempt).await,
        None => forms::first(&visit, &stage, asked.login_hint(&stage)),
    }
}

/// Takes an address, a token, or a name and password.
pub(crate) async fn post(mut visit: Visit, form: extract::Form) -> Response {
    let read = form.params().and_then(|params| {
        visit.check_csrf(&params, SUBJECT, false)?;
        visit.app.limits.sign_in(visit.caller.source).map_err(throttled)?;
        Asked::of(&params)
    });
    let asked = match read {
        Ok(asked) => asked,
        Err(refusal) => return visit.fail(refusal),
    };
    let stage = match Stage::enter(&mut visit, &asked).await {
        Ok(stage) => stage,
        Err(response) => return response,
    };
    let Ok(params) = form.params() else {
        return visit.fail(Refusal::NotUtf8 {});
    };
    let done = match (stage.method, asked.attempt) {
        (Method::AdminToken, Some(attempt))
            if params.get("token").is_some() || params.get("resend").is_none() =>
        {
            steps::try_token(&mut visit, &stage, attempt, params.get("token").unwrap_or_default())
                .await
        }
        (Method::AdminToken, _) => {
            let resend = params.get("resend").is_some();
            steps::ask_token(&visit, &stage, params.get("email").unwrap_or_default(), resend).await
        }
        (Method::External, _) => Err(Refusal::NoMethodLeft {}.into()),
        (Method::Password, _) => {
            let username = params.get("username").unwrap_or_default();
            steps::password(
                &mut visit,
                &stage,
                username,
                params.get("password").unwrap_or_default(),
            )
            .await
        }
    };
    done.unwrap_or_else(|failure| visit.fail(failure))
}

/// What the query or the form says.
pub(crate) struct Asked {
    request: Option<grantor_core::id::RequestId>,
    method: Option<Method>,
    attempt: Option<AttemptId>,
    resent: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Refusal> {
        Self::of(&Params::parse(query.as_bytes())?)
    }

    fn of(params: &Params<'_>) -> Result<Self, Refusal> {
        params.refuse_any_doubled()?;
        let attempt = params.get("attempt").map(str::parse).transpose();
        Ok(Self {
            request: pending_id(params)?,
            method: params.get("method").and_then(Method::parse),
            attempt: attempt.map_err(|_| Refusal::RequestGone {})?,
            resent: params.get("resent").is_some(),
        })
    }

    fn login_hint<'a>(&self, stage: &'a Stage) -> &'a str {
        let request = stage.resumed.as_ref().map(|resumed| &resumed.request);
        request.and_then(|request| request.login_hint.as_deref()).unwrap_or_default()
    }
}

impl Stage {
    /// Picks up the pending request, if there is one, and chooses the method.
    async fn enter(visit: &mut Visit, asked: &Asked) -> Result<Self, Response> {
        let resumed = match asked.request {
            Some(id) => Some(pending::pick_up(visit, id).await?),
            None => None,
        };
        let request = resumed.as_ref().map(|resumed| &resumed.request);
        let offered = signin::offered(&visit.app.server, request);
        let chosen = asked.method.filter(|method| offered.contains(method));
        let Some(method) = chosen.or_else(|| offered.first().copied()) else {
            return Err(visit.fail(Refusal::NoMethodLeft {}));
        };
        Ok(Self { resumed, offered, method, resent: asked.resent })
    }
}

async fn go_on(visit: &Visit, resumed: &Resumed) -> Response {
    if resumed.need == Need::Nothing {
        let (server, now) = (&visit.app.server, visit.caller.now);
        return conclude(
            visit,
            authorize::finish(server, resumed, visit.session.as_ref(), false, now).await,
        );
    }
    visit.see_other(&page_for(resumed.need, resumed.pending.id))
}
