//! What is written down of everything that touches a provider's token.

use crate::id::AuditId;
use crate::time::Timestamp;

/// An entry for the audit log. The store gives it its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Names it.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What was done: `token.read`, `connection.connected`, `api_key.created`, …
    pub action: String,
    /// Who did it: `api_key:ab12cd34`, `user:<sub>`, `client:<client_id>`, `cli`, `sweeper`,
    /// `server`.
    pub actor: String,
    /// What it was done to: a connection, a key, an integration; empty for none.
    pub target: String,
    /// The rest, a JSON object in the order of its making: scopes, refreshed or not, address, request
    /// id, fingerprint of the token (8 hexadecimal digits), never a token.
    pub details: String,
    /// HMAC over all of this under a key of the ring, so that an entry cannot be made up.
    pub mac: [u8; 32],
}

/// An entry in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the log. From 1, without gaps.
    pub sequence: u64,
    /// What it says.
    pub event: AuditEvent,
    /// SHA-256 over the hash of the entry before (zeros for the first), the sequence number and the
    /// MAC: [`AuditEntry::hash_of`].
    pub hash: [u8; 32],
}

impl AuditEntry {
    /// The hash of the entry at `sequence` with `mac` that comes after one with the hash `before`.
    pub fn hash_of(before: &[u8; 32], sequence: u64, mac: &[u8; 32]) -> [u8; 32] {
        *crate::secret::Digest::of("audit", &[before, &sequence.to_be_bytes(), mac]).as_bytes()
    }
}
