//! Secrets of the server itself: the rows of `server_secret`, and whose keys have sealed what.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::store::ServerSecret;

use crate::columns::{Columns, Unreadable};

/// Reads a key id that is in base64url: 12 characters hold a byte for the version and the id.
pub(crate) fn encoded_key_id(columns: &mut Columns<'_>) -> Result<[u8; 8], Unreadable> {
    let prefix = URL_SAFE_NO_PAD.decode(&*columns.text()?).ok();
    prefix
        .and_then(|prefix| prefix.get(1..)?.try_into().ok())
        .ok_or_else(|| Unreadable("a sealed text does not begin with the id of a key".to_owned()))
}

/// Reads the columns `name` and `sealed`.
pub(crate) fn secret(columns: &mut Columns<'_>) -> Result<ServerSecret, Unreadable> {
    Ok(ServerSecret { name: columns.value()?, sealed: columns.value()? })
}
