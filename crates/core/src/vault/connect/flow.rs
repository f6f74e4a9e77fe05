//! What is kept of a flow while the browser is away, sealed: the PKCE verifier, the nonce, and
//! the grant that waits to be confirmed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectSessionId;
use crate::model::{Account, Scope};
use crate::time::Timestamp;
use crate::vault::seal;

/// What the browser has left with.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Flow {
    /// The link, to try again with.
    pub(super) link: String,
    /// The PKCE verifier: RFC 7636 §4.1.
    pub(super) verifier: String,
    /// The nonce: OpenID Connect Core 1.0 §3.1.2.1.
    pub(super) nonce: String,
    /// The scopes that were asked for.
    #[zeroize(skip)]
    pub(super) scope: Scope,
    /// Whether the consent page had to be shown.
    pub(super) forced: bool,
    /// Whether this is the second time that the browser was sent.
    pub(super) second: bool,
}

/// A grant that is not stored yet.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Grant {
    pub(super) access_token: String,
    pub(super) token_type: String,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
    /// Whether the refresh token of the connection that is there is kept.
    pub(super) keep_refresh: bool,
    /// Whose.
    #[zeroize(skip)]
    pub(super) account: Account,
    /// The scopes that are granted, by their canonical names.
    #[zeroize(skip)]
    pub(super) scope: Scope,
    /// Those that were asked for.
    #[zeroize(skip)]
    pub(super) requested: Scope,
    #[zeroize(skip)]
    pub(super) issued_at: Timestamp,
    #[zeroize(skip)]
    pub(super) expires_at: Option<Timestamp>,
    #[zeroize(skip)]
    pub(super) refresh_expires_at: Option<Timestamp>,
    #[zeroize(skip)]
    pub(super) variables: BTreeMap<String, String>,
}

/// Where each is sealed: what was sealed as one opens as no other.
pub(super) trait Kept: Serialize + DeserializeOwned {
    const COLUMN: &'static str;
}

impl Kept for Flow {
    const COLUMN: &'static str = "flow";
}

impl Kept for Grant {
    const COLUMN: &'static str = "grant";
}

/// Seals `value` for its session.
pub(super) fn seal<T: Kept>(
    server: &AuthorizationServer,
    session: ConnectSessionId,
    value: &T,
) -> Result<Vec<u8>, Broken> {
    let plain = serde_json::to_vec(value).map(Zeroizing::new);
    let plain = plain.map_err(|error| Broken::Corrupt(error.to_string()))?;
    seal::seal_session(server, session, T::COLUMN, &plain)
}

/// Opens what [`seal`] has sealed.
pub(super) fn open<T: Kept>(
    server: &AuthorizationServer,
    session: ConnectSessionId,
    sealed: &[u8],
) -> Result<T, Broken> {
    let plain = seal::open_session(server, session, T::COLUMN, sealed)?;
    serde_json::from_slice(&plain)
        .map_err(|_| Broken::Corrupt(format!("connect session {session}")))
}
