//! Real providers, each under its name: `/github/login/oauth/authorize`, `/zoom/oauth/token`.
//!
//! Each file is written from the documentation that it names. Paths are the provider's own, and may
//! have their host before them: `/github/api.github.com/user`; a wrong host is not found. Where an
//! answer names an address of the provider (`instance_url`, `accounts-server`), it is one of here.
//!
//! People sign in as at [`crate::rotating`], with `as=ada` or `as=grace`. Under
//! `/{provider}/_control/` are the control endpoints, faults and counts of each.

use std::io;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::engine::provider::Provider;
use crate::engine::serve::{Stage, router};
use crate::http;

mod airtable;
mod asana;
mod atlassian;
mod boxes;
mod discord;
mod dropbox;
mod facebook;
mod github;
mod github_app;
mod gitlab;
mod hubspot;
mod linear;
mod linkedin;
mod microsoft;
mod notion;
mod plain;
mod quickbooks;
mod salesforce;
mod slack;
mod spotify;
mod x;
mod xero;
mod zendesk;
mod zoho;
mod zoom;

pub use crate::engine::Client;

/// Everybody, in alphabetical order.
const PROVIDERS: &[Provider] = &[
    airtable::PROVIDER,
    asana::PROVIDER,
    atlassian::PROVIDER,
    boxes::PROVIDER,
    discord::PROVIDER,
    dropbox::PROVIDER,
    facebook::PROVIDER,
    github::PROVIDER,
    github_app::PROVIDER,
    gitlab::PROVIDER,
    hubspot::PROVIDER,
    linear::PROVIDER,
    linkedin::PROVIDER,
    microsoft::PROVIDER,
    notion::PROVIDER,
    plain::PROVIDER,
    quickbooks::PROVIDER,
    salesforce::PROVIDER,
    slack::PROVIDER,
    slack::CLASSIC,
    spotify::PROVIDER,
    x::PROVIDER,
    xero::PROVIDER,
    zendesk::PROVIDER,
    zoho::PROVIDER,
    zoom::PROVIDER,
];

/// The names of the providers, as their paths begin.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.name)
}

/// Serves all of them on every listener until `stop` completes; each knows this client. Fails when
/// a listener breaks.
pub async fn serve(
    client: Client,
    listeners: Vec<TcpListener>,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (mut all, keys) = (Router::new(), Arc::default());
    for provider in PROVIDERS {
        let prefix = format!("/{}", provider.name);
        let keys = Arc::clone(&keys);
        let stage = Stage::new(provider.clone(), client.clone(), &prefix, keys);
        all = all.nest(&prefix, router(stage));
    }
    http::serve(all, listeners, stop).await
}
