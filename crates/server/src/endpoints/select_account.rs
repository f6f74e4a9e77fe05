//! `GET` and `POST /select-account`: `prompt=select_account` of OpenID Connect Core 1.0 §3.1.2.1.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::Need;
use grantor_core::error::Refusal;
use grantor_core::params::Params;
use grantor_core::signin;

use super::authorize::page_for;
use super::consent::person;
use crate::extract;
use crate::pages::SelectAccount;
use crate::pending;
use crate::visit::{Form, Visit, pending_id};

/// Asks with which account to go on.
pub(crate) async fn page(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let id = Params::parse(query.as_bytes()).and_then(|params| pending_id(&params));
    let Ok(Some(id)) = id else {
        return visit.fail(Refusal::RequestGone {});
    };
    let resumed = match pending::pick_up(&mut visit, id).await {
        Ok(resumed) => resumed,
        Err(response) => return response,
    };
    let (Need::SelectAccount, Some(session)) = (resumed.need, &visit.session) else {
        return visit.see_other(&page_for(resumed.need, id));
    };
    let name = person(session);
    let page = SelectAccount {
        request: id.to_string(),
        client: resumed.request.client.client_name.clone(),
        email: session.user.email.clone().filter(|email| *email != name),
        name,
    };
    let subject = id.to_string();
    visit.page(
        &page,
        Form::person(&subject).leads_to(Some(resumed.request.return_to.uri())),
    )
}

/// Takes the choice.
pub(crate) async fn post(mut visit: Visit, form: extract::Form) -> Response {
    let read = form.params().and_then(|params| {
        let id = pending_id(&params)?.ok_or(Refusal::RequestGone {})?;
        visit.check_csrf(&params, &id.to_string(), true)?;
        Ok((id, params.get("choice") == Some("continue")))
    });
    let (id, goes_on) = match read {
        Ok(read) => read,
        Err(refusal) => return visit.fail(refusal),
    };
    let resumed = match pending::pick_up(&mut visit, id).await {
        Ok(resumed) => resumed,
        Err(response) => return response,
    };
    if goes_on {
        return match visit
            .app
            .server
            .store
            .choose_account(id, visit.caller.now)
            .await
        {
            Ok(()) => visit.see_other(&format!("/login?request={id}")),
            Err(error) => visit.fail(error),
        };
    }
    let offered = signin::offered(&visit.app.server, Some(&resumed.request));
    let method = offered.first().map_or("", |method| method.as_str());
    visit.see_other(&format!("/login?request={id}&method={method}"))
}
