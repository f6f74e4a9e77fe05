//! API keys come and go: made, given another secret, revoked; each with its entry in the audit log.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{make, rotate};
use crate::AuthorizationServer;
use crate::error::{Broken, Failure, Refusal};
use crate::model::{ApiKey, ApiKeyRights};
use crate::registration::text::misleads;
use crate::store::{Added, Recorded, StoreError};
use crate::time::{Seconds, Timestamp};
use crate::vault::audit::{self, Actor};
use crate::vault::subject;

/// Characters of the name of a service, at most.
const LONGEST_SERVICE: usize = 100;

/// Attempts to find an id that is free, or to change a key that others change.
const TRIES: u32 = 8;

/// What became of a change to a key.
#[derive(Debug)]
pub enum Changed<T> {
    /// It is stored.
    Done(T),
    /// There is no key with this id.
    Unknown,
    /// The key was revoked before.
    Revoked,
}

/// A key, and its text, which is shown once.
#[derive(Debug)]
pub struct Shown {
    /// As it is stored.
    pub key: ApiKey,
    /// What the service sends.
    pub text: Zeroizing<String>,
}

/// Makes a key for `service` and stores it. Refuses a name or a subject that nobody can have.
pub async fn create(
    server: &AuthorizationServer,
    service: &str,
    rights: ApiKeyRights,
    expires_at: Option<Timestamp>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Shown, Failure> {
    if !is_name(service) {
        let want = "send a name of 1 to 100 printable characters";
        return Err(Refusal::BadParameter { name: "service", want }.into());
    }
    // Without characters it is the subject of an integration that acts for itself.
    let mut people = rights.subjects.iter().flatten().filter(|own| !own.is_empty());
    people.try_for_each(|own| subject::check(own))?;
    for _ in 0..TRIES {
        let (key, text) = make(server, service.to_owned(), rights.clone(), expires_at, now);
        let recorded = recorded(server, &key, "api_key.created", actor, now);
        if server.store.add_api_key(key.clone(), recorded).await? == Added::Done {
            return Ok(Shown { key, text });
        }
    }
    Err(Broken::Corrupt("no id for an API key is free".to_owned()).into())
}

/// Gives a key another secret; the one it has works for `overlap` longer, and no longer than the key.
/// With `expires_at`, the key works until then.
pub async fn replace_secret(
    server: &AuthorizationServer,
    id: &str,
    overlap: Seconds,
    expires_at: Option<Timestamp>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Changed<Shown>, Failure> {
    for _ in 0..TRIES {
        let before = match living(server, id).await? {
            Changed::Done(before) => before,
            Changed::Unknown => return Ok(Changed::Unknown),
            Changed::Revoked => return Ok(Changed::Revoked),
        };
        let (mut key, text) = rotate(server, &before, overlap, now);
        key.expires_at = expires_at.or(key.expires_at);
        if let (Some(end), Some(previous)) = (key.expires_at, &mut key.previous) {
            previous.until = previous.until.min(end);
        }
        let recorded = recorded(server, &key, "api_key.rotated", actor, now);
        if server.store.replace_api_key(&before, key.clone(), recorded).await? {
            return Ok(Changed::Done(Shown { key, text }));
        }
    }
    Err(contended(id))
}

/// Ends a key with both its secrets.
pub async fn revoke(
    server: &AuthorizationServer,
    id: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Changed<ApiKey>, Failure> {
    for _ in 0..TRIES {
        let before = match living(server, id).await? {
            Changed::Done(before) => before,
            over => return Ok(over),
        };
        let key = ApiKey { revoked_at: Some(now), previous: None, ..before.clone() };
        let recorded = recorded(server, &key, "api_key.revoked", actor, now);
        if server.store.replace_api_key(&before, key.clone(), recorded).await? {
            return Ok(Changed::Done(key));
        }
    }
    Err(contended(id))
}

async fn living(server: &AuthorizationServer, id: &str) -> Result<Changed<ApiKey>, Failure> {
    Ok(match server.store.api_key(id).await? {
        None => Changed::Unknown,
        Some(key) if key.revoked_at.is_some() => Changed::Revoked,
        Some(key) => Changed::Done((*key).clone()),
    })
}

fn contended(id: &str) -> Failure {
    StoreError::Unavailable(format!("the API key {id} is being changed by somebody else")).into()
}

fn recorded(
    server: &AuthorizationServer,
    key: &ApiKey,
    action: &'static str,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let target = format!("api_key:{}", key.id);
    let event = audit::event(server, actor, action, &target, details(key), now);
    Recorded { audit: vec![event], notices: Vec::new() }
}

/// What the key may do from now on.
fn details(key: &ApiKey) -> Map<String, Value> {
    let mut details = Map::from_iter([
        ("service".to_owned(), json!(key.service)),
        ("rights".to_owned(), json!(key.rights)),
    ]);
    let previous = key.previous.as_ref().map(|own| own.until);
    for (name, at) in [("expires_at", key.expires_at), ("previous_until", previous)] {
        if let Some(at) = at {
            details.insert(name.to_owned(), at.rfc3339().into());
        }
    }
    details
}

fn is_name(service: &str) -> bool {
    let printable = !service.chars().any(misleads);
    printable
        && service.trim() == service
        && (1..=LONGEST_SERVICE).contains(&service.chars().count())
}
