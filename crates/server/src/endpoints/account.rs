//! `GET /account` and what can be ended there: sessions and consents.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::error::{Failure, Refusal};
use grantor_core::model::{Consent, Session};
use grantor_core::params::Params;
use grantor_core::store::SessionView;

use super::consent::person;
use crate::extract;
use crate::pages::{Account, AccountNotice, Confirm, ConsentRow, SessionRow};
use crate::visit::{Form, Visit};

/// The subject of the forms of this page.
const SUBJECT: &str = "account";

/// Where one is signed in, and what has access.
pub(crate) async fn page(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let Some(session) = &visit.session else {
        return visit.see_other("/login");
    };
    let done = match query.as_deref() {
        Some("done=session") => Some(AccountNotice::SessionEnded),
        Some("done=consent") => Some(AccountNotice::ConsentWithdrawn),
        Some(_) | None => None,
    };
    show(&visit, session, done).await.unwrap_or_else(|failure| visit.fail(failure))
}

/// Asks before one session, or every other one, is ended.
pub(crate) async fn ask_end(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let Some(session) = &visit.session else {
        return visit.see_other("/login");
    };
    let query = query.unwrap_or_default();
    let page = confirm_end(&visit, session, &query).await;
    page.map_or_else(|failure| visit.fail(failure), |page| visit.page(&page, Form::person(SUBJECT)))
}

/// Ends one session, or every other one.
pub(crate) async fn end(visit: Visit, form: extract::Form) -> Response {
    let Some(session) = &visit.session else {
        return visit.see_other("/login");
    };
    match end_named(&visit, session, &form).await {
        Ok(()) => visit.see_other("/account?done=session"),
        Err(failure) => visit.fail(failure),
    }
}

/// Asks before a consent is withdrawn.
pub(crate) async fn ask_withdraw(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let Some(session) = &visit.session else {
        return visit.see_other("/login");
    };
    let query = query.unwrap_or_default();
    let page = confirm_withdraw(&visit, session, &query).await;
    page.map_or_else(|failure| visit.fail(failure), |page| visit.page(&page, Form::person(SUBJECT)))
}

/// Withdraws a consent; every token that came from it is revoked.
pub(crate) async fn withdraw(visit: Visit, form: extract::Form) -> Response {
    let Some(session) = &visit.session else {
        return visit.see_other("/login");
    };
    match withdraw_named(&visit, session, &form).await {
        Ok(()) => visit.see_other("/account?done=consent"),
        Err(failure) => visit.fail(failure),
    }
}

async fn show(
    visit: &Visit,
    session: &SessionView,
    done: Option<AccountNotice>,
) -> Result<Response, Failure> {
    let store = &visit.app.server.store;
    let sessions = store.sessions_of(session.user.id, visit.caller.now).await?;
    let mut consents = Vec::new();
    for consent in store.consents_of(session.user.id).await? {
        let client = store.client(&consent.client_id).await?;
        let name = client.map_or_else(|| consent.client_id.clone(), |own| own.client_name.clone());
        consents.push(consent_row(&consent, name));
    }
    let page = Account {
        name: person(session),
        username: session.user.username.clone(),
        email: session.user.email.clone(),
        sessions: sessions.iter().map(|own| session_row(own, session)).collect(),
        consents,
        connections: !visit.app.server.policy.vault.integrations.is_empty(),
        done,
    };
    Ok(visit.page(&page, Form::person(SUBJECT)))
}

fn session_row(own: &Session, current: &SessionView) -> SessionRow {
    SessionRow {
        id: own.id.to_string(),
        user_agent: own.user_agent.clone(),
        address: own.address.clone(),
        started_at: own.created_at.epoch(),
        last_seen_at: own.last_seen_at.epoch(),
        current: own.id == current.session.id,
    }
}

fn consent_row(consent: &Consent, client: String) -> ConsentRow {
    ConsentRow {
        client_id: consent.client_id.clone(),
        client,
        scopes: consent.scope.iter().map(ToOwned::to_owned).collect(),
        since: consent.created_at.epoch(),
    }
}

async fn confirm_end(
    visit: &Visit,
    session: &SessionView,
    query: &str,
) -> Result<Confirm, Failure> {
    let params = Params::parse(query.as_bytes())?;
    let named = params.required("session")?;
    let sessions = visit.app.server.store.sessions_of(session.user.id, visit.caller.now).await?;
    if named == "others" {
        return Ok(Confirm::end_other_sessions(sessions.len().saturating_sub(1)));
    }
    let found = sessions.iter().find(|own| own.id.to_string() == named);
    let found = found.ok_or(Refusal::RequestGone {})?;
    Ok(Confirm::end_session(named, found.user_agent.as_str(), found.address.as_str()))
}

async fn end_named(
    visit: &Visit,
    session: &SessionView,
    form: &extract::Form,
) -> Result<(), Failure> {
    let params = form.params()?;
    visit.check_csrf(&params, SUBJECT, true)?;
    let (store, user) = (&visit.app.server.store, session.user.id);
    match params.required("session")? {
        "others" => {
            store.end_other_sessions(user, session.session.id).await?;
        }
        named => {
            let id = named.parse().map_err(|_| Refusal::RequestGone {})?;
            store.end_session(user, id).await?;
        }
    }
    Ok(())
}

async fn confirm_withdraw(
    visit: &Visit,
    session: &SessionView,
    query: &str,
) -> Result<Confirm, Failure> {
    let params = Params::parse(query.as_bytes())?;
    let client_id = params.required("client_id")?;
    let store = &visit.app.server.store;
    store.consent(session.user.id, client_id).await?.ok_or(Refusal::RequestGone {})?;
    let client = store.client(client_id).await?;
    let name = client.map_or_else(|| client_id.to_owned(), |own| own.client_name.clone());
    Ok(Confirm::withdraw_consent(client_id, name))
}

async fn withdraw_named(
    visit: &Visit,
    session: &SessionView,
    form: &extract::Form,
) -> Result<(), Failure> {
    let params = form.params()?;
    visit.check_csrf(&params, SUBJECT, true)?;
    let (store, user) = (&visit.app.server.store, session.user.id);
    store.withdraw_consent(user, params.required("client_id")?, visit.caller.now).await?;
    Ok(())
}
