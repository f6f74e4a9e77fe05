//! Client secrets: RFC 6749 §2.3.1 and §10.10, RFC 7591 §3.2.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::refused;
use crate::client_auth::{self, sealed_place};
use crate::error::{Failure, Refusal};
use crate::model::{AuthMethod, ClientSecret};
use crate::ports::Entropy;
use crate::server::AuthorizationServer;

/// A secret that was just made or chosen: what its holder is told, once, and what is stored.
pub struct NewSecret {
    /// The secret.
    pub text: String,
    /// Its digest, its hash, or itself under a seal.
    pub stored: ClientSecret,
}

/// Whether clients of `method` have a secret.
pub const fn has_secret(method: AuthMethod) -> bool {
    match method {
        AuthMethod::ClientSecretBasic
        | AuthMethod::ClientSecretPost
        | AuthMethod::ClientSecretJwt => true,
        AuthMethod::None | AuthMethod::PrivateKeyJwt => false,
    }
}

/// 256 random bits behind the prefix `grt_cs_`.
pub fn random(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    format!("grt_cs_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The secret of a client of `method`, made unless it is `chosen`; `None` for a method without.
pub async fn make(
    server: &AuthorizationServer,
    client_id: &str,
    method: AuthMethod,
    chosen: Option<&str>,
) -> Result<Option<NewSecret>, Failure> {
    if !has_secret(method) {
        let why = format!("a client of the method {} has none", method.as_str());
        return chosen.map_or(Ok(None), |_| Err(refused("client_secret", why).into()));
    }
    if let Some(chosen) = chosen {
        sound(chosen, method)?;
    }
    let text = chosen.map_or_else(|| random(server.entropy.as_ref()), str::to_owned);
    let stored = match (method, chosen) {
        // The key of an HMAC must be at hand.
        (AuthMethod::ClientSecretJwt, _) => {
            ClientSecret::Sealed(server.seal(text.as_bytes(), &sealed_place(client_id))?)
        }
        // Somebody's own words could be guessed from a plain digest.
        (_, Some(chosen)) => ClientSecret::Argon2id(server.passwords.hash(chosen).await?),
        (_, None) => ClientSecret::Sha256(client_auth::digest(client_id, &text)),
    };
    Ok(Some(NewSecret { text, stored }))
}

/// Whether `stored` still fits a client of `method`.
pub const fn fits(stored: Option<&ClientSecret>, method: AuthMethod) -> bool {
    match stored {
        None => !has_secret(method),
        Some(ClientSecret::Sealed(_)) => matches!(method, AuthMethod::ClientSecretJwt),
        Some(ClientSecret::Sha256(_) | ClientSecret::Argon2id(_)) => {
            matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost)
        }
    }
}

/// Whether `given` is the secret that is `stored`.
pub(super) async fn matches(
    server: &AuthorizationServer,
    client_id: &str,
    stored: Option<&ClientSecret>,
    given: &str,
) -> Result<bool, Failure> {
    Ok(match stored {
        None => false,
        Some(ClientSecret::Sha256(digest)) => *digest == client_auth::digest(client_id, given),
        Some(ClientSecret::Argon2id(phc)) => server.passwords.verify(given, Some(phc)).await?,
        Some(ClientSecret::Sealed(sealed)) => {
            let own = server.ring.open(sealed, &sealed_place(client_id))?;
            let own = String::from_utf8_lossy(&own);
            client_auth::digest(client_id, &own) == client_auth::digest(client_id, given)
        }
    })
}

/// RFC 6749 appendix A.2: a secret is printable ASCII.
fn sound(chosen: &str, method: AuthMethod) -> Result<(), Refusal> {
    // RFC 7518 §3.2: the key of HS256 has 256 bits at least.
    let least = if method == AuthMethod::ClientSecretJwt { 32 } else { 8 };
    let printable = chosen.bytes().all(|b| matches!(b, 0x20..=0x7e));
    if printable && (least..=200).contains(&chosen.len()) {
        return Ok(());
    }
    let why = format!("it must be {least} to 200 characters of printable ASCII");
    Err(refused("client_secret", why))
}
