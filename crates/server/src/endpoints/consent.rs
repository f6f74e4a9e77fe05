//! `GET` and `POST /consent`: RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.4.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::{self, Need, Outcome, Resumed};
use grantor_core::error::Failure;
use grantor_core::model::{self, Client, GrantType, Scope};
use grantor_core::store::SessionView;
use grantor_core::{AuthorizationServer, signin};

use super::authorize::{conclude, page_for};
use crate::extract;
use crate::pages::{AccessPeriod, Consent, ConsentClient, ScopeRow};
use crate::pending;
use crate::visit::{Form, Visit};

/// Shows what the application asks for.
pub(crate) async fn page(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let resumed = match pending::named_in(&mut visit, query.as_deref()).await {
        Ok(resumed) => resumed,
        Err(response) => return response,
    };
    match (resumed.need, &visit.session) {
        (Need::Consent, Some(session)) => {
            show(&visit, &resumed, session).await.unwrap_or_else(|failure| visit.fail(failure))
        }
        (need, _) => visit.see_other(&page_for(need, resumed.pending.id)),
    }
}

/// Takes the person's answer.
pub(crate) async fn post(mut visit: Visit, form: extract::Form) -> Response {
    let (resumed, decision) = match pending::answered_by(&mut visit, &form, "decision").await {
        Ok(answered) => answered,
        Err(response) => return response,
    };
    let (server, now) = (&visit.app.server, visit.caller.now);
    let session = visit.session.as_ref();
    let outcome = match resumed.need {
        need @ (Need::SignIn | Need::SelectAccount) => {
            Ok(Outcome::Ask { need, request: resumed.pending.id })
        }
        Need::Consent | Need::Nothing if decision == "allow" => {
            authorize::finish(server, &resumed, session, true, now).await
        }
        Need::Consent | Need::Nothing => {
            authorize::deny(server, &resumed, now).await.map(Outcome::Answer)
        }
    };
    conclude(&visit, outcome)
}

async fn show(
    visit: &Visit,
    resumed: &Resumed,
    session: &SessionView,
) -> Result<Response, Failure> {
    let (server, client) = (&visit.app.server, &resumed.request.client);
    let given = server.store.consent(session.user.id, &client.client_id).await?;
    let id = resumed.pending.id.to_string();
    let offered = signin::offered(server, Some(&resumed.request));
    let method = offered.first().map_or("", |method| method.as_str());
    let page = Consent {
        request: id.clone(),
        client: client_view(client),
        return_host: resumed.request.return_to.host(),
        scopes: scope_rows(server, &resumed.request.scope_to_consent(), given.as_ref()),
        period: period(server, client),
        person: person(session),
        not_you_url: format!("/login?request={id}&method={method}"),
    };
    let form = Form::person(&id)
        .leads_to(Some(resumed.request.return_to.uri()))
        .shows(client.logo_uri.as_deref());
    Ok(visit.page(&page, form))
}

/// What is known about an application.
pub(crate) fn client_view(client: &Client) -> ConsentClient {
    ConsentClient {
        name: client.client_name.clone(),
        logo_url: client.logo_uri.clone(),
        home_url: client.client_uri.clone(),
        policy_url: client.policy_uri.clone(),
        tos_url: client.tos_uri.clone(),
    }
}

/// The scopes that are asked for, and which of them the person has not `given` before.
pub(crate) fn scope_rows(
    server: &AuthorizationServer,
    asked: &Scope,
    given: Option<&model::Consent>,
) -> Vec<ScopeRow> {
    let row = |name: &str| ScopeRow {
        name: name.to_owned(),
        description: server.policy.scopes.get(name).cloned().flatten(),
        new: given.is_none_or(|given| !given.scope.contains(name)),
    };
    asked.iter().map(row).collect()
}

/// How long an application keeps what it is given.
pub(crate) fn period(server: &AuthorizationServer, client: &Client) -> AccessPeriod {
    let lifetimes = server.policy.lifetimes.of(client);
    if !client.may_use(GrantType::RefreshToken) {
        return AccessPeriod::Once { seconds: lifetimes.access_token.0.into() };
    }
    AccessPeriod::UpTo { seconds: lifetimes.refresh_absolute.0.into() }
}

/// The first method that a client allows.
pub(crate) fn first_method(server: &AuthorizationServer, client: &Client) -> &'static str {
    let own = &client.sign_in_methods;
    let mut offered = server.policy.sign_in.methods.iter();
    let first = offered.find(|method| own.is_empty() || own.contains(method));
    first.map_or("", |method| method.as_str())
}

/// What a person is called: the name, else the address, else the name to sign in with.
pub(crate) fn person(session: &SessionView) -> String {
    let user = &session.user;
    let known = [&user.name, &user.email, &user.username].into_iter().flatten().next();
    known.cloned().unwrap_or_else(|| user.id.to_string())
}
