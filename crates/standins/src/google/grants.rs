//! Tokens as they are answered: RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3 and §12.2.

use std::collections::BTreeSet;

use aws_lc_rs::error::Unspecified;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::app::App;
use super::config::{Client, Person};
use super::id_token;
use super::scopes::{self, OPENID};
use super::state::State;
use super::tokens::{Access, Refresh, TESTING_LIFETIME};
use crate::http::Answer;

/// What is issued at once.
#[derive(Debug)]
pub(super) struct Issued {
    access_token: String,
    expires_in: u32,
    scopes: BTreeSet<String>,
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<i64>,
    /// Whose identity the ID token tells, if `openid` was granted.
    person: Option<Person>,
    client_id: String,
    nonce: Option<String>,
    again: bool,
}

/// What tokens are for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) client: &'a Client,
    pub(super) sub: &'a str,
    pub(super) scopes: BTreeSet<String>,
    pub(super) nonce: Option<String>,
    pub(super) with_refresh_token: bool,
}

/// Tokens of a new grant.
pub(super) fn issue(state: &mut State, wanted: Wanted<'_>, now: i64) -> Issued {
    let Wanted { client, sub, scopes, nonce, with_refresh_token } = wanted;
    let mut issued = access(state, client, sub, scopes, now);
    issued.nonce = nonce;
    if with_refresh_token {
        // Google: seven days in testing, unless nothing is asked for but who somebody is.
        let in_testing =
            client.testing && !issued.scopes.iter().all(|own| scopes::is_for_signing_in(own));
        let lifetime = in_testing.then_some(TESTING_LIFETIME);
        let of = of_client(client, sub, &issued.scopes, now);
        let expires_at = lifetime.map(|lifetime| now + lifetime);
        let token = state.tokens.issue_refresh(&of, expires_at, now, &state.behaviour);
        issued.refresh_token = Some(token);
        issued.refresh_token_expires_in = lifetime.map(|lifetime| lifetime - 1);
    }
    issued
}

/// An access token of a grant that lives; no refresh token comes with it.
pub(super) fn renew(state: &mut State, client: &Client, found: Refresh, now: i64) -> Issued {
    let issued = access(state, client, &found.sub, found.scopes, now);
    let refresh_token_expires_in = found.expires_at.map(|end| end - now);
    Issued { refresh_token_expires_in, again: true, ..issued }
}

fn access(
    state: &mut State,
    client: &Client,
    sub: &str,
    scopes: BTreeSet<String>,
    now: i64,
) -> Issued {
    let lifetime = state.behaviour.expires_in;
    let access = of_client(client, sub, &scopes, now + i64::from(lifetime));
    let access_token = state.tokens.issue_access(access, now, &state.behaviour);
    let person = state.account(sub).map(|own| own.person.clone());
    Issued {
        access_token,
        expires_in: lifetime,
        person: person.filter(|_| scopes.contains(OPENID)),
        scopes,
        refresh_token: None,
        refresh_token_expires_in: None,
        client_id: client.id.clone(),
        nonce: None,
        again: false,
    }
}

fn of_client(client: &Client, sub: &str, scopes: &BTreeSet<String>, expires_at: i64) -> Access {
    let (client_id, sub) = (client.id.clone(), sub.to_owned());
    Access { client_id, sub, scopes: scopes.clone(), expires_at }
}

impl Issued {
    /// As it is written, with an ID token where there is one.
    pub(super) fn answer(&self, app: &App) -> Result<Answer, Unspecified> {
        let mut body = json!({
            "access_token": self.access_token,
            "expires_in": self.expires_in,
        });
        if let Some(token) = &self.refresh_token {
            body["refresh_token"] = token.as_str().into();
        }
        body["scope"] = self.scope().into();
        body["token_type"] = "Bearer".into();
        if let Some(person) = &self.person {
            let issuer = id_token::issuer(app);
            let claims = id_token::Claims {
                issuer: &issuer,
                client_id: &self.client_id,
                person,
                scopes: &self.scopes,
                nonce: self.nonce.as_deref(),
                access_token: &self.access_token,
            };
            body["id_token"] = app.keys.sign(&claims.value())?.into();
        }
        if let Some(left) = self.refresh_token_expires_in {
            body["refresh_token_expires_in"] = Value::from(left);
        }
        Ok(Answer::json(StatusCode::OK, body))
    }

    /// Another order in a refreshed answer, which means nothing.
    fn scope(&self) -> String {
        let scope = scopes::in_answer(&self.scopes);
        match self.again {
            true => scope.split(' ').rev().collect::<Vec<_>>().join(" "),
            false => scope,
        }
    }
}
