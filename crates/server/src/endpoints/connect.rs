//! `/connect/…` in a browser: the link, the way to the provider and back, and the last question.

pub(crate) mod sessions;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::model::{Account, ConnectMode, Scope};
use grantor_core::params::Params;
use grantor_core::vault::audit::Actor;
use grantor_core::vault::connect::{
    self, Ahead, Connected, DeadEnd, Opened, Outcome, Returned, Stop, Unconfirmed, Visitor,
};

use crate::extract;
use crate::onward::Onward;
use crate::pages::{
    AccountView, ConnectConfirm, ConnectEnd, ConnectEndKind, ConnectResult, ConnectStart,
};
use crate::visit::{Form, Visit};

/// The subject of the form of the last question.
const SUBJECT: &str = "connect";

/// What the path names, a link or an integration; what is no text is none of ours.
type Named = Result<Path<String>, PathRejection>;

/// `GET /connect/{link}`: to the provider, or first to a page that says what will happen.
pub(crate) async fn open(
    visit: Visit,
    method: Method,
    headers: HeaderMap,
    link: Named,
) -> Response {
    let link = text(link);
    let opened = connect::open(&visit.app.server, &link, &visitor(&visit), visit.caller.now).await;
    match opened {
        Ok(Opened::Go) => match only_looks(&method, &headers) {
            Some(status) => status.into_response(),
            None => leave(&visit, &link).await,
        },
        Ok(Opened::SignIn) => sign_in(&visit, &link),
        Ok(Opened::Ask(ahead)) => visit.page(&start_page(&link, *ahead), Form::none()),
        Ok(Opened::Stopped(end)) => stopped(&visit, end),
        Err(failure) => visit.fail(failure),
    }
}

/// `GET /connect/{link}/go`: leaves for the provider. By GET, because browsers hold every redirect
/// after a form to `form-action`, and a provider's sign-in may lead to any other site.
pub(crate) async fn go(visit: Visit, method: Method, headers: HeaderMap, link: Named) -> Response {
    match only_looks(&method, &headers) {
        Some(status) => status.into_response(),
        None => leave(&visit, &text(link)).await,
    }
}

/// `GET /connect/callback`: the provider sends the browser back.
pub(crate) async fn callback(visit: Visit, RawQuery(query): RawQuery) -> Response {
    called_back(visit, None, query).await
}

/// `GET /connect/callback/{integration}`: the same, for a provider with a redirect URI of its own.
pub(crate) async fn callback_of(visit: Visit, name: Named, RawQuery(query): RawQuery) -> Response {
    called_back(visit, Some(text(name)), query).await
}

async fn called_back(visit: Visit, through: Option<String>, query: Option<String>) -> Response {
    // The rest is done even if the browser does not wait for it: a code works once, and what it was
    // redeemed for must not get lost.
    let done = tokio::spawn(async move {
        take_back(&visit, through.as_deref(), query.as_deref().unwrap_or_default()).await
    });
    done.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// `POST /connect/confirm`: the person's answer, in mode `link`.
pub(crate) async fn confirm(visit: Visit, form: extract::Form) -> Response {
    let answered = match form.params() {
        Ok(params) => take_answer(&visit, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    answered.unwrap_or_else(|failure| visit.fail(failure))
}

fn text(link: Named) -> String {
    link.map(|Path(text)| text).unwrap_or_default()
}

/// What is told to whoever looks at a link before anybody has followed it: a flow that is begun now
/// would end the one of a person who is at the provider.
fn only_looks(method: &Method, headers: &HeaderMap) -> Option<StatusCode> {
    // RFC 9110 §9.3.2: HEAD is for finding out, and nothing follows from it.
    if method == Method::HEAD {
        return Some(StatusCode::NO_CONTENT);
    }
    // A browser drops what it has fetched ahead when that is an error, and asks again.
    let purpose = headers.get("sec-purpose").and_then(|value| value.to_str().ok());
    let ahead = purpose.is_some_and(|value| value.contains("prefetch"));
    ahead.then_some(StatusCode::SERVICE_UNAVAILABLE)
}

fn visitor(visit: &Visit) -> Visitor<'_> {
    let person = visit.session.as_ref().map(|session| session.user.id);
    Visitor { browser: &visit.browser, person }
}

/// Who is at the browser, as far as that is known.
pub(super) fn actor(visit: &Visit) -> Actor {
    let person = visit.session.as_ref().map(|session| format!("user:{}", session.user.id));
    visit.caller.actor(person.unwrap_or_else(|| "browser".to_owned()))
}

async fn leave(visit: &Visit, link: &str) -> Response {
    match connect::leave(&visit.app.server, link, &visitor(visit), visit.caller.now).await {
        Ok(Ok(url)) => visit.see_other(&url),
        Ok(Err(end)) if end.why == Stop::OtherPerson && visit.session.is_none() => {
            sign_in(visit, link)
        }
        Ok(Err(end)) => stopped(visit, end),
        Err(failure) => visit.fail(failure),
    }
}

/// The sign-in page, which leads back to the link.
fn sign_in(visit: &Visit, link: &str) -> Response {
    let onward = Onward::read(&format!("/connect/{link}"));
    visit.see_other(&onward.map_or_else(|| "/login".to_owned(), |onward| onward.login()))
}

async fn take_back(visit: &Visit, through: Option<&str>, query: &str) -> Response {
    let params = match Params::parse(query.as_bytes()) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal),
    };
    let actor = actor(visit);
    let returned = Returned { params: &params, through, visitor: visitor(visit), actor: &actor };
    match connect::callback(&visit.app.server, &returned, visit.caller.now).await {
        Ok(Outcome::Onward(url)) => visit.see_other(&url),
        Ok(Outcome::Connected(connected)) => {
            visit.app.notices_queued.notify_one();
            result(visit, &connected)
        }
        Ok(Outcome::Confirm(unconfirmed)) => {
            let subject = format!("{SUBJECT} {}", unconfirmed.code);
            visit.page(&confirm_page(*unconfirmed), Form::anybody(&subject))
        }
        Ok(Outcome::Stopped(end)) => stopped(visit, end),
        Err(failure) => visit.fail(failure),
    }
}

async fn take_answer(visit: &Visit, params: &Params<'_>) -> Result<Response, Failure> {
    params.refuse_any_doubled()?;
    let code = params.get("code").unwrap_or_default();
    visit.check_csrf(params, &format!("{SUBJECT} {code}"), false)?;
    let confirmed = params.get("decision") == Some("allow");
    let (server, now) = (&visit.app.server, visit.caller.now);
    let answered =
        connect::answer(server, code, confirmed, &visitor(visit), &actor(visit), now).await?;
    Ok(match answered {
        Ok(connected) => {
            visit.app.notices_queued.notify_one();
            result(visit, &connected)
        }
        Err(end) => stopped(visit, end),
    })
}

fn start_page(link: &str, ahead: Ahead) -> ConnectStart {
    let own = ahead.session.mode == ConnectMode::SelfService;
    ConnectStart {
        provider: ahead.integration.label.clone(),
        service: ahead.service,
        subject: (!own).then_some(ahead.session.subject),
        account: ahead.before.map(|own| account(&own.account)),
        scopes: names(&ahead.scope),
        go_url: format!("/connect/{link}/go"),
    }
}

fn confirm_page(own: Unconfirmed) -> ConnectConfirm {
    ConnectConfirm {
        account: account(&own.account),
        granted: names(&own.scope),
        refused: names(&own.refused),
        provider: own.provider,
        service: own.service,
        subject: own.subject,
        code: own.code,
    }
}

fn result(visit: &Visit, connected: &Connected) -> Response {
    let connection = &connected.connection;
    let person = visit.session.as_ref().map(|session| session.user.id.to_string());
    let page = ConnectResult {
        provider: connected.provider.clone(),
        account: account(&connection.account),
        granted: names(&connection.scope),
        refused: names(&connected.refused),
        ends_in: connection
            .expires_at
            .filter(|_| !connection.refreshable)
            .map(|at| visit.caller.now.until(at).0.into()),
        return_url: connected.return_url.clone(),
        own: person.as_ref() == Some(&connection.subject),
    };
    visit.page(&page, Form::none())
}

/// The page of a dead end.
fn stopped(visit: &Visit, end: DeadEnd) -> Response {
    let (kind, status) = kind(&end.why);
    let mut page = ConnectEnd::new(kind);
    match end.why {
        Stop::Provider { error, description } => {
            page.error = Some(error);
            page.detail = description;
        }
        Stop::OtherAccount(own) => {
            page.accounts = Some((account(&own.expected), account(&own.given)));
        }
        Stop::ScopesMissing { missing } => page.missing = names(&missing),
        Stop::LinkGone
        | Stop::LinkUsed
        | Stop::StateGone
        | Stop::AlreadyDone
        | Stop::OtherBrowser
        | Stop::OtherPerson
        | Stop::ConnectionGone
        | Stop::NotOffered
        | Stop::Denied
        | Stop::CodeRefused
        | Stop::Misconfigured
        | Stop::Away
        | Stop::Untrusted(_) => {}
    }
    page.provider = end.provider;
    page.retry_url = end.retry.map(|link| format!("/connect/{link}"));
    page.return_url = end.back;
    visit.page_with(status, &page, Form::none())
}

const fn kind(why: &Stop) -> (ConnectEndKind, StatusCode) {
    match why {
        Stop::LinkGone => (ConnectEndKind::LinkGone, StatusCode::NOT_FOUND),
        Stop::LinkUsed => (ConnectEndKind::LinkUsed, StatusCode::GONE),
        Stop::StateGone => (ConnectEndKind::StateGone, StatusCode::BAD_REQUEST),
        Stop::AlreadyDone => (ConnectEndKind::AlreadyDone, StatusCode::OK),
        Stop::OtherBrowser => (ConnectEndKind::OtherBrowser, StatusCode::BAD_REQUEST),
        Stop::OtherPerson => (ConnectEndKind::OtherPerson, StatusCode::FORBIDDEN),
        Stop::ConnectionGone => (ConnectEndKind::ConnectionGone, StatusCode::GONE),
        Stop::NotOffered => (ConnectEndKind::NotOffered, StatusCode::FORBIDDEN),
        Stop::Denied => (ConnectEndKind::Denied, StatusCode::OK),
        Stop::Provider { .. } => (ConnectEndKind::Provider, StatusCode::BAD_REQUEST),
        Stop::CodeRefused => (ConnectEndKind::CodeRefused, StatusCode::BAD_REQUEST),
        Stop::Misconfigured => (ConnectEndKind::Misconfigured, StatusCode::BAD_GATEWAY),
        Stop::Away => (ConnectEndKind::Away, StatusCode::SERVICE_UNAVAILABLE),
        Stop::Untrusted(_) => (ConnectEndKind::Untrusted, StatusCode::BAD_REQUEST),
        Stop::OtherAccount(_) => (ConnectEndKind::OtherAccount, StatusCode::BAD_REQUEST),
        Stop::ScopesMissing { .. } => (ConnectEndKind::ScopesMissing, StatusCode::BAD_REQUEST),
    }
}

/// An account as pages show it.
pub(super) fn account(own: &Account) -> AccountView {
    let known = [own.email.as_ref(), own.name.as_ref()].into_iter().flatten().next();
    AccountView { shown: known.unwrap_or(&own.sub).clone(), organization: own.organization.clone() }
}

/// The names of scopes.
pub(super) fn names(scope: &Scope) -> Vec<String> {
    scope.iter().map(ToOwned::to_owned).collect()
}
