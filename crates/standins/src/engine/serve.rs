//! A provider behind its URLs: which endpoint a path is, and one call after the other.
//!
//! Every endpoint answers at its own path (`/login/oauth/access_token`) and at its host and path
//! (`/github.com/login/oauth/access_token`), where the host has to be the right one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Request as Incoming, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::ledger::Ledger;
use super::provider::{Place, Provider, Scene};
use super::request::{Fields, Request, pairs, say};
use super::{Client, authorize, control, token};
use crate::calls::{Call, Desk, answer};
use crate::google::keys::Keys;
use crate::http::{Answer, MAX_REQUEST};
use crate::wire::Wire;

/// A provider that plays, with its memory and its faults.
pub(crate) struct Stage {
    pub(crate) provider: Provider,
    pub(crate) desk: Arc<Desk>,
    /// What its paths begin with.
    prefix: String,
    /// The client as it was at the start.
    client: Client,
    keys: Arc<Keys>,
    state: Mutex<(Ledger, Client)>,
}

impl Stage {
    pub(crate) fn new(provider: Provider, client: Client, prefix: &str, keys: Arc<Keys>) -> Self {
        let state = Mutex::new((Ledger::default(), client.clone()));
        Self { provider, desk: Arc::default(), prefix: prefix.to_owned(), client, keys, state }
    }

    /// What it remembers, and the client that it knows.
    pub(crate) fn state(&self) -> MutexGuard<'_, (Ledger, Client)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this provider is for whoever sent this request, without a slash at the end.
    pub(super) fn base(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        format!("http://{}{}", host.unwrap_or("localhost"), self.prefix)
    }

    /// Everything as at the start.
    pub(super) fn reset(&self) {
        self.desk.reset();
        *self.state() = (Ledger::default(), self.client.clone());
    }

    fn play(&self, request: &Request, run: fn(&mut Scene<'_>) -> Answer) -> Answer {
        let mut state = self.state();
        let (ledger, client) = &mut *state;
        let now = self.desk.clock.now();
        run(&mut Scene { provider: &self.provider, client, ledger, request, keys: &self.keys, now })
    }
}

/// All of a provider's URLs and its control endpoints, to be nested where it should be.
pub(crate) fn router(stage: Stage) -> Router {
    let stage = Arc::new(stage);
    control::router(&stage).fallback(serve).with_state(stage)
}

async fn serve(
    State(stage): State<Arc<Stage>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    incoming: Incoming,
) -> Response {
    let (parts, body) = incoming.into_parts();
    let Some((name, run, vars)) = stage.provider.find(parts.method.as_str(), parts.uri.path())
    else {
        let (name, method) = (stage.provider.name, parts.method.as_str());
        let text = format!("{name} has no {method} {}", parts.uri.path());
        return say(404, json!({ "message": text })).into_response();
    };
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST).await else {
        return say(400, json!({ "message": "the body is too large or broke off" }))
            .into_response();
    };
    let request = Request {
        base: stage.base(&parts.headers),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        method: parts.method,
        headers: parts.headers,
        body: body.to_vec(),
        vars,
    };
    let call = describe(name, &request);
    if stage.provider.id_tokens.is_some() {
        stage.keys.prepare();
        if matches!(name, "token" | "certs") {
            stage.keys.settled().await;
        }
    }
    let desk = stage.desk.clone();
    answer(&desk, wire, call, move || stage.play(&request, run)).await
}

fn describe(name: &'static str, request: &Request) -> Call {
    if name != "token" {
        return Call::of(name);
    }
    let mut fields = request.query.clone();
    fields.extend(request.fields());
    let field = |name| fields.get(name).map(String::as_str);
    Call::of_token(field("grant_type"), field("refresh_token"))
}

/// An endpoint that was found: its name, what it does, and what its pattern caught.
type Found = (&'static str, fn(&mut Scene<'_>) -> Answer, Fields);

impl Provider {
    fn find(&self, method: &str, path: &str) -> Option<Found> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        self.find_at(method, None, &segments).or_else(|| match segments.split_first() {
            Some((host, rest)) if host.contains('.') => self.find_at(method, Some(host), rest),
            Some(_) | None => None,
        })
    }

    fn find_at(&self, method: &str, host: Option<&str>, path: &[&str]) -> Option<Found> {
        if let Some(vars) = self.authorize.at.matches(host, path)
            && ["GET", "POST"].contains(&method)
        {
            return Some(("authorize", authorize::run, vars));
        }
        if let Some(vars) = self.token.at.matches(host, path)
            && (method == "POST" || (method == "GET" && self.token.get))
        {
            return Some(("token", token::run, vars));
        }
        self.api.iter().filter(|one| one.method == method).find_map(|one| {
            let vars = one.at.matches(host, path)?;
            Some((one.name, one.run, vars))
        })
    }
}

impl Place {
    fn matches(self, host: Option<&str>, path: &[&str]) -> Option<Fields> {
        let mut vars = Fields::new();
        if let Some(host) = host {
            vars.extend(caught_by(self.host, host)?);
            vars.insert("host".to_owned(), host.to_owned());
        }
        let mut known = self.path.split('|');
        let inner = known.find_map(|one| caught(&one.split('/').skip(1).collect::<Vec<_>>(), path));
        vars.extend(inner?);
        Some(vars)
    }
}

/// Whether a host fits a pattern of hosts.
pub(super) fn is_one_of(hosts: &str, host: &str) -> bool {
    caught_by(hosts, host).is_some()
}

fn caught_by(hosts: &str, host: &str) -> Option<Fields> {
    let labels: Vec<&str> = host.split('.').collect();
    hosts.split('|').find_map(|one| caught(&one.split('.').collect::<Vec<_>>(), &labels))
}

/// What the variables of a pattern caught, or nothing where it does not fit.
fn caught(pattern: &[&str], parts: &[&str]) -> Option<Fields> {
    if pattern.len() != parts.len() {
        return None;
    }
    let mut vars = Fields::new();
    for (wanted, part) in pattern.iter().zip(parts) {
        match wanted
            .split_once('{')
            .and_then(|(before, name)| Some((before, name.split_once('}')?)))
        {
            Some((before, (name, after))) => {
                let inner = part.strip_prefix(before)?.strip_suffix(after)?;
                if inner.is_empty() {
                    return None;
                }
                vars.insert(name.to_owned(), inner.to_owned());
            }
            None if wanted == part => {}
            None => return None,
        }
    }
    Some(vars)
}

#[cfg(test)]
mod tests {
    use super::super::provider::at;
    use super::caught;

    #[test]
    fn variables_are_caught_within_a_segment_and_hosts_are_compared() {
        let split = |text: &'static str| text.split('/').collect::<Vec<_>>();
        let vars = caught(&split("a/{tenant}/{id}.json"), &split("a/acme/7.json")).expect("fits");
        assert_eq!((vars["tenant"].as_str(), vars["id"].as_str()), ("acme", "7"));
        assert_eq!(caught(&split("a/{id}.json"), &split("a/.json")), None);
        let place = at("{subdomain}.zendesk.com|login.example.com", "/oauth/tokens");
        let path = ["oauth", "tokens"];
        assert_eq!(
            place.matches(Some("acme.zendesk.com"), &path).expect("ok")["subdomain"],
            "acme"
        );
        assert!(place.matches(Some("login.example.com"), &path).is_some());
        assert!(place.matches(None, &path).is_some());
        assert!(place.matches(Some("zendesk.com"), &path).is_none());
    }
}
