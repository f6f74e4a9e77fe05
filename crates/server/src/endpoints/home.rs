//! `GET /`: what this server is.

use axum::response::Response;

use super::consent::person;
use crate::pages::Home;
use crate::visit::{Form, Visit};

/// The landing page.
pub(crate) async fn page(visit: Visit) -> Response {
    let issuer = visit.app.server.policy.issuer.clone();
    let demo = visit.app.demo.as_ref();
    let page = Home {
        discovery_url: format!("{issuer}/.well-known/openid-configuration"),
        issuer,
        person: visit.session.as_ref().map(person),
        connections: !visit.app.server.policy.vault.integrations.is_empty(),
        sample_url: demo.map(|demo| demo.sample_url.clone()),
        mailbox_url: demo.filter(|demo| demo.mailbox.is_some()).map(|_| "/mailbox".to_owned()),
    };
    visit.page(&page, Form::none())
}
