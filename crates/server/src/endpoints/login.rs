//! `GET` and `POST /login`: the sign-in pages.

mod forms;
mod steps;

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::{self, Need, Resumed};
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::{AttemptId, RequestId};
use grantor_core::params::Params;
use grantor_core::signin::{self, Method, Way};

use super::authorize::{conclude, page_for};
use super::external;
use crate::authenticate::throttled;
use crate::extract;
use crate::onward::Onward;
use crate::pending;
use crate::visit::{Visit, pending_id};
use forms::Stage;
pub(crate) use steps::signed;

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
        return visit.see_other(&stage.goal.path());
    }
    let shown = match (signin::way(stage.method), asked.attempt) {
        (Way::Token, Some(attempt)) => Ok(steps::show_token(&visit, &stage, attempt).await),
        (Way::Token, None) => Ok(forms::first_address(&visit, &stage, asked.login_hint(&stage))),
        (Way::Form(form), _) => {
            Ok(forms::first_form(&visit, &stage, form, asked.login_hint(&stage)))
        }
        (Way::Elsewhere, _) => external::begin(&visit, &stage.goal).await,
    };
    shown.unwrap_or_else(|failure| visit.fail(failure))
}

/// Takes what was typed.
pub(crate) async fn post(mut visit: Visit, form: extract::Form) -> Response {
    let read = form.params().and_then(|params| {
        visit.check_csrf(&params, SUBJECT, false)?;
        visit.app.limits.sign_in(visit.caller.source).map_err(throttled)?;
        Ok((Asked::of(&params)?, params))
    });
    let (asked, params) = match read {
        Ok(read) => read,
        Err(refusal) => return visit.fail(refusal),
    };
    let stage = match Stage::enter(&mut visit, &asked).await {
        Ok(stage) => stage,
        Err(response) => return response,
    };
    let done = take(&mut visit, &stage, asked.attempt, &params).await;
    done.unwrap_or_else(|failure| visit.fail(failure))
}

async fn take(
    visit: &mut Visit,
    stage: &Stage,
    attempt: Option<AttemptId>,
    params: &Params<'_>,
) -> Result<Response, Failure> {
    let typed = |name| params.get(name).unwrap_or_default();
    let resend = params.get("resend").is_some();
    match (signin::way(stage.method), attempt) {
        (Way::Token, Some(attempt)) if params.get("token").is_some() || !resend => {
            steps::try_token(visit, stage, attempt, typed("token")).await
        }
        (Way::Token, _) => steps::ask_token(visit, stage, typed("email"), resend).await,
        (Way::Form(form), _) => steps::try_form(visit, stage, form, params).await,
        (Way::Elsewhere, _) => external::begin(visit, &stage.goal).await,
    }
}

/// What a sign-in is for.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// The authorization request behind it.
    pub(crate) request: Option<RequestId>,
    /// Without one: the page that needs it.
    pub(crate) onward: Option<Onward>,
}

impl Goal {
    /// Where the browser goes once somebody is signed in.
    pub(crate) fn path(&self) -> String {
        match (&self.request, &self.onward) {
            (Some(request), _) => format!("/login?request={request}"),
            (None, Some(onward)) => onward.path(),
            (None, None) => "/account".to_owned(),
        }
    }

    /// The sign-in page for it, with more parameters.
    fn login(&self, more: &str) -> String {
        match (&self.request, &self.onward) {
            (Some(request), _) => format!("/login?request={request}&{more}"),
            (None, Some(onward)) => format!("/login?{}&{more}", onward.parameter()),
            (None, None) => format!("/login?{more}"),
        }
    }
}

/// What the query or the form says.
pub(crate) struct Asked {
    request: Option<RequestId>,
    onward: Option<Onward>,
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
            onward: params.get("then").and_then(Onward::read),
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
        let goal = Goal { request: asked.request, onward: asked.onward.clone() };
        Ok(Self { resumed, goal, offered, method, resent: asked.resent })
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
