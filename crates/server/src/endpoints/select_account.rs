//! `GET` and `POST /select-account`: `prompt=select_account` of OpenID Connect Core 1.0 §3.1.2.1.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::authorize::Need;
use grantor_core::signin;

use super::authorize::page_for;
use super::consent::person;
use crate::extract;
use crate::pages::SelectAccount;
use crate::pending;
use crate::visit::{Form, Visit};

/// Asks with which account to go on.
pub(crate) async fn page(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let resumed = match pending::named_in(&mut visit, query.as_deref()).await {
        Ok(resumed) => resumed,
        Err(response) => return response,
    };
    let id = resumed.pending.id;
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
    visit.page(&page, Form::person(&subject).leads_to(Some(resumed.request.return_to.uri())))
}

/// Takes the choice.
pub(crate) async fn post(mut visit: Visit, form: extract::Form) -> Response {
    let (resumed, choice) = match pending::answered_by(&mut visit, &form, "choice").await {
        Ok(answered) => answered,
        Err(response) => return response,
    };
    let id = resumed.pending.id;
    if choice == "continue" {
        return match visit.app.server.store.choose_account(id, visit.caller.now).await {
            Ok(()) => visit.see_other(&format!("/login?request={id}")),
            Err(error) => visit.fail(error),
        };
    }
    let offered = signin::offered(&visit.app.server, Some(&resumed.request));
    let method = offered.first().map_or("", |method| method.as_str());
    visit.see_other(&format!("/login?request={id}&method={method}"))
}
