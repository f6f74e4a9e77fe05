//! Tokens at rest: each connection has a data key of its own, wrapped by the key-encryption key;
//! values are AES-256-GCM-SIV (RFC 8452) and bound to table, column, integration, connection and
//! generation.

use zeroize::Zeroizing;

use crate::AuthorizationServer;
use crate::error::Broken;
use crate::model::{Connection, SealedCredential};
use crate::store::Held;

/// The tokens of a connection, in memory only as long as a request needs them.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// The refresh token.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The refresh token before it, for one version.
    pub previous_refresh_token: Option<Zeroizing<String>>,
    /// The ID token.
    pub id_token: Option<Zeroizing<String>>,
}

/// Seals `tokens` for `connection`, whose generation and version are those to be stored. The data
/// key is that of `before`, or a new one.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn seal(
    server: &AuthorizationServer,
    connection: &Connection,
    tokens: &Tokens,
    before: Option<&SealedCredential>,
) -> Result<SealedCredential, Broken> {
    todo!()
}

/// Opens all tokens.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn open(server: &AuthorizationServer, held: &Held) -> Result<Tokens, Broken> {
    todo!()
}

/// Opens the access token alone, which is what most requests want.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn open_access_token(
    server: &AuthorizationServer,
    held: &Held,
) -> Result<Zeroizing<String>, Broken> {
    todo!()
}

/// Seals something of a connect session.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn seal_session(
    server: &AuthorizationServer,
    session: crate::id::ConnectSessionId,
    column: &str,
    plain: &[u8],
) -> Result<Vec<u8>, Broken> {
    todo!()
}

/// Opens what [`seal_session`] has sealed.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn open_session(
    server: &AuthorizationServer,
    session: crate::id::ConnectSessionId,
    column: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Broken> {
    todo!()
}
