//! The audit log: who did what to which token, in a chain that cannot be changed unnoticed.
//!
//! Each entry has a MAC (HMAC, RFC 2104), so that nobody without the key can change one or make one
//! up, and a hash over the one before. Everybody can compute the hashes, so whoever can write to the
//! database could leave entries out and join the chain anew; but every few minutes an entry
//! [`CHECKPOINT`] names number and hash of the last one, and that name is under its MAC.

mod walk;

use std::fmt::Display;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

pub use walk::{Fault, Mark, Verified, verify};

use crate::AuthorizationServer;
use crate::error::Failure;
use crate::id::AuditId;
use crate::jose::seal::{HmacKey, hex};
use crate::model::AuditEvent;
use crate::time::Timestamp;

/// The action of an entry that vouches for all before it.
pub const CHECKPOINT: &str = "audit.checkpoint";

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `api_key:ab12cd34`, `user:<sub>`, `browser`, `client:<client_id>`, `cli`, `demo`, `sweeper`,
    /// `server`.
    pub name: String,
    /// The address of the request, if there is one.
    pub address: Option<String>,
    /// The id of the request, if there is one.
    pub request_id: Option<String>,
}

impl Actor {
    /// Somebody who does not come by a request.
    pub fn local(name: &str) -> Self {
        Self { name: name.to_owned(), address: None, request_id: None }
    }
}

/// Where a request came from. Nothing is made of it unless something is written down.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The address.
    pub address: IpAddr,
    /// The id of the request.
    pub request_id: &'a (dyn Display + Sync),
}

impl Origin<'_> {
    /// The one who sent it.
    pub fn actor(&self, name: String) -> Actor {
        let (address, request_id) = (self.address.to_string(), self.request_id.to_string());
        Actor { name, address: Some(address), request_id: Some(request_id) }
    }
}

/// An entry; `details`, a JSON object, gets address and request id of the actor besides what is in
/// it.
pub fn event(
    server: &AuthorizationServer,
    actor: &Actor,
    action: &'static str,
    target: &str,
    details: impl Serialize,
    now: Timestamp,
) -> AuditEvent {
    let details = Details { details, address: &actor.address, request_id: &actor.request_id };
    let mut event = AuditEvent {
        id: AuditId(server.new_id()),
        at: now,
        action: action.to_owned(),
        actor: actor.name.clone(),
        target: target.to_owned(),
        details: serde_json::to_string(&details).expect("plain values"),
        mac: [0; 32],
    };
    event.mac = mac(&server.secrets.audit, &event);
    event
}

#[derive(Serialize)]
struct Details<'a, T> {
    #[serde(flatten)]
    details: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: &'a Option<String>,
}

/// The first 8 hexadecimal digits of the SHA-256 of a token: tells it from others, gives nothing away.
pub fn fingerprint(token: &str) -> String {
    hex(&digest(&SHA256, token.as_bytes()).as_ref()[..4])
}

/// Vouches for the log so far with an entry of its own; `None` when nothing was added since the last
/// one.
pub async fn checkpoint(
    server: &AuthorizationServer,
    now: Timestamp,
) -> Result<Option<Mark>, Failure> {
    let last = server.store.last_audit().await?;
    let Some(last) = last.filter(|own| own.event.action != CHECKPOINT) else {
        return Ok(None);
    };
    let mark = Mark { sequence: last.sequence, hash: last.hash };
    let actor = Actor::local("server");
    let entry = event(server, &actor, CHECKPOINT, "", mark.to_details(), now);
    server.store.append_audit(vec![entry]).await?;
    Ok(Some(mark))
}

/// Over everything that an entry says. Its place is in the chain, not here: the store gives it.
fn mac(key: &HmacKey, event: &AuditEvent) -> [u8; 32] {
    let AuditEvent { id, at, action, actor, target, details, mac: _ } = event;
    key.tag(&[
        id.0.as_bytes(),
        &at.epoch().to_be_bytes(),
        action.as_bytes(),
        actor.as_bytes(),
        target.as_bytes(),
        details.as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_beginning_of_the_hash() {
        // sha256("abc") from FIPS 180-2 appendix B.1.
        assert_eq!(fingerprint("abc"), "ba7816bf");
    }
}
