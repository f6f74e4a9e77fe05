//! API keys: `grk_<8-char id>_<43-char secret><6-char checksum>`, known here as an HMAC only
//! (RFC 2104).
//!
//! The checksum is the first six characters of the base64url SHA-256 of all that is before it: a key
//! that was not copied whole is told without a look into the store, and programs that search code
//! for leaked keys can tell one from a text that looks like it.

mod manage;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub use manage::{Changed, Shown, create, replace_secret, revoke};

use crate::AuthorizationServer;
use crate::error::{Failure, Refusal};
use crate::id::ConnectionId;
use crate::jose::seal::HmacKey;
use crate::model::{ApiKey, ApiKeyAction, ApiKeyRights, Connection, PreviousSecret};
use crate::ports::Entropy;
use crate::protected::scheme_bearer;
use crate::secret::Digest;
use crate::store::Selector;
use crate::time::{Seconds, Timestamp};

const PREFIX: &str = "grk_";
const ID: usize = 8;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + ID + 1 + SECRET + CHECKSUM;

/// Five bits each, without what looks alike.
const ID_CHARACTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new key for `service`, and the text that is shown once. Not stored yet; should its id be taken,
/// make another.
pub fn make(
    server: &AuthorizationServer,
    service: String,
    rights: ApiKeyRights,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> (ApiKey, Zeroizing<String>) {
    let presented = Presented::new(server.entropy.as_ref());
    let key = ApiKey {
        id: presented.id.clone(),
        service,
        digest: presented.digest(&server.secrets.api_key),
        previous: None,
        rights,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    (key, presented.reveal())
}

/// The key with another secret, and the text that is shown once. The secret before works for
/// `overlap` longer; one that was replaced earlier works no more. Not stored yet.
pub fn rotate(
    server: &AuthorizationServer,
    key: &ApiKey,
    overlap: Seconds,
    now: Timestamp,
) -> (ApiKey, Zeroizing<String>) {
    let presented = Presented { id: key.id.clone(), ..Presented::new(server.entropy.as_ref()) };
    let until = now.plus(overlap);
    let previous = (overlap.0 > 0).then_some(PreviousSecret { digest: key.digest, until });
    let digest = presented.digest(&server.secrets.api_key);
    (ApiKey { digest, previous, ..key.clone() }, presented.reveal())
}

/// The text of a key in an Authorization header.
// RFC 6750 §2.1: Authorization: Bearer
pub fn presented(authorization: Option<&str>) -> Result<&str, Refusal> {
    authorization.and_then(scheme_bearer).ok_or(Refusal::ApiKeyMissing {})
}

/// The key whose text was presented, if it works at `now`; else why not, as 401. Its use is noted.
pub async fn authenticate(
    server: &AuthorizationServer,
    presented: &str,
    now: Timestamp,
) -> Result<Arc<ApiKey>, Failure> {
    let presented = Presented::parse(presented).ok_or(Refusal::ApiKeyInvalid {})?;
    let key = server.store.api_key(&presented.id).await?;
    let key = proven(&server.secrets.api_key, key, &presented, now)?;
    server.vault.key_uses.note(&key.id, now);
    Ok(key)
}

/// Writes down when keys were last used, as far as that is not written yet.
pub async fn store_uses(server: &AuthorizationServer) -> Result<(), Failure> {
    let uses = server.vault.key_uses.take();
    if !uses.is_empty() {
        server.store.touch_api_keys(&uses).await?;
    }
    Ok(())
}

/// When keys were used since that was last written down.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<HashMap<String, Timestamp>>);

impl KeyUses {
    fn note(&self, id: &str, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(id) {
            Some(at) => *at = now,
            None => drop(uses.insert(id.to_owned(), now)),
        }
    }

    fn take(&self) -> Vec<(String, Timestamp)> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }
}

/// The key, if the secret is one of its two and it works at `now`. The answer is the same for every
/// reason, and an unknown key costs as much as a wrong secret.
fn proven(
    pepper: &HmacKey,
    key: Option<Arc<ApiKey>>,
    presented: &Presented,
    now: Timestamp,
) -> Result<Arc<ApiKey>, Refusal> {
    let given = presented.digest(pepper);
    let previous = key.as_ref().and_then(|key| key.previous.as_ref());
    let previous = previous.filter(|own| now < own.until).map_or(NOBODY, |own| own.digest);
    let current = key.as_ref().map_or(NOBODY, |key| key.digest);
    let known =
        given.as_bytes().ct_eq(current.as_bytes()) | given.as_bytes().ct_eq(previous.as_bytes());
    let alive =
        |key: &Arc<ApiKey>| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end);
    key.filter(|key| bool::from(known) && alive(key)).ok_or(Refusal::ApiKeyInvalid {})
}

/// No HMAC is this one.
const NOBODY: Digest = Digest::from_bytes([0; 32]);

/// Id and secret of a key, in memory only as long as a request needs them.
struct Presented {
    id: String,
    secret: Zeroizing<[u8; 32]>,
}

impl Presented {
    fn new(entropy: &dyn Entropy) -> Self {
        let (mut id, mut secret) = ([0; ID], Zeroizing::new([0; 32]));
        entropy.fill(&mut id);
        entropy.fill(&mut *secret);
        let id = id.iter().map(|byte| char::from(ID_CHARACTERS[usize::from(byte % 32)]));
        Self { id: id.collect(), secret }
    }

    /// Reads the text form; `None` for anything that this server cannot have made.
    fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (body, given) = text.split_at(LENGTH - CHECKSUM);
        if given != checksum(body) {
            return None;
        }
        let (id, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
        if id.len() != ID || !id.bytes().all(|byte| ID_CHARACTERS.contains(&byte)) {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        let read = URL_SAFE_NO_PAD.decode_slice(secret, &mut *bytes).ok()?;
        (read == bytes.len()).then(|| Self { id: id.to_owned(), secret: bytes })
    }

    fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        text.push_str(&self.id);
        text.push('_');
        URL_SAFE_NO_PAD.encode_string(self.secret.as_slice(), &mut text);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        text
    }

    fn digest(&self, pepper: &HmacKey) -> Digest {
        Digest::from_bytes(pepper.tag(&[self.id.as_bytes(), &*self.secret]))
    }
}

fn checksum(body: &str) -> String {
    let hash = digest(&SHA256, body.as_bytes());
    let mut text = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..CHECKSUM]);
    text.truncate(CHECKSUM);
    text
}

impl ApiKeyRights {
    /// Whether an action is allowed at all.
    pub fn may(&self, action: ApiKeyAction) -> bool {
        self.actions.contains(&action)
    }

    /// Whether an integration is within reach.
    pub fn reaches_integration(&self, name: &str) -> bool {
        self.integrations.as_ref().is_none_or(|own| own.iter().any(|own| own == name))
    }

    /// Whether a subject is within reach.
    pub fn reaches_subject(&self, subject: &str) -> bool {
        self.subjects.as_ref().is_none_or(|own| own.iter().any(|own| own == subject))
    }

    /// Whether a connection is within reach.
    pub fn reaches(&self, connection: &Connection) -> bool {
        self.reaches_integration(&connection.integration)
            && self.reaches_subject(&connection.subject)
            && self.connections().is_none_or(|own| own.contains(&connection.id))
    }

    /// What is within reach, as the store takes it.
    pub fn selector(&self) -> Selector {
        Selector {
            connections: self.connections(),
            integrations: self.integrations.clone(),
            subjects: self.subjects.clone(),
            account: None,
        }
    }

    /// What does not read as an id names nothing.
    fn connections(&self) -> Option<Vec<ConnectionId>> {
        let read = |id: &String| id.strip_prefix("con_").unwrap_or(id).parse().ok();
        self.connections.as_ref().map(|own| own.iter().filter_map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;
    use crate::jose::seal::DerivationRoot;
    use crate::ports::testing::SeededEntropy;

    const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

    fn pepper() -> HmacKey {
        DerivationRoot::new(&[1; 32]).derive("api key")
    }

    fn presented(seed: u32) -> Presented {
        Presented::new(&SeededEntropy::new(seed))
    }

    fn key(presented: &Presented) -> ApiKey {
        ApiKey {
            id: presented.id.clone(),
            service: "reports".to_owned(),
            digest: presented.digest(&pepper()),
            previous: None,
            rights: ApiKeyRights::default(),
            created_at: NOW,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    fn works(key: ApiKey, presented: &Presented) -> bool {
        proven(&pepper(), Some(Arc::new(key)), presented, NOW).is_ok()
    }

    #[test]
    fn the_text_reads_back_and_has_the_promised_form() {
        let made = presented(1);
        let text = made.reveal();
        let (id, rest) = text[4..].split_once('_').expect("two parts");
        assert_eq!((&text[..4], id.len(), rest.len(), text.len()), ("grk_", 8, 49, 62));
        let read = Presented::parse(&text).expect("own text");
        assert_eq!((read.id, &*read.secret), (made.id.clone(), &*made.secret));
    }

    #[test]
    fn every_typing_error_is_told_by_the_checksum() {
        let text = presented(2).reveal();
        for at in 0..text.len() {
            for other in ["a", "B", "7", "_", "é"] {
                let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                let same = wrong == *text;
                assert!(same || Presented::parse(&wrong).is_none(), "{at} {other}");
            }
            assert!(Presented::parse(&text[..at]).is_none(), "cut at {at}");
        }
        assert!(Presented::parse(&format!("{}a", *text)).is_none());
    }

    #[test]
    fn a_key_works_with_its_own_secret_only_while_it_lives() {
        let (mine, other) = (presented(1), presented(2));
        assert!(works(key(&mine), &mine));
        assert!(!works(key(&mine), &other));
        let swapped = Presented { id: mine.id.clone(), secret: other.secret.clone() };
        assert!(!works(key(&mine), &swapped));
        let over = |end: i64| ApiKey { expires_at: Some(Timestamp::from_epoch(end)), ..key(&mine) };
        assert!(works(over(NOW.epoch() + 1), &mine));
        assert!(!works(over(NOW.epoch()), &mine));
        assert!(!works(ApiKey { revoked_at: Some(NOW), ..key(&mine) }, &mine));
        assert!(proven(&pepper(), None, &mine, NOW).is_err());
    }

    #[test]
    fn a_replaced_secret_works_until_its_time_is_over() {
        let (new, old) = (presented(1), presented(2));
        let old = Presented { id: new.id.clone(), secret: old.secret };
        let until = |end: i64| {
            let until = Timestamp::from_epoch(end);
            let previous = PreviousSecret { digest: old.digest(&pepper()), until };
            ApiKey { previous: Some(previous), ..key(&new) }
        };
        assert!(works(until(NOW.epoch() + 1), &old) && works(until(NOW.epoch() + 1), &new));
        assert!(!works(until(NOW.epoch()), &old) && works(until(NOW.epoch()), &new));
        assert!(!works(ApiKey { revoked_at: Some(NOW), ..until(NOW.epoch() + 1) }, &old));
    }

    #[test]
    fn a_secret_of_another_server_does_not_work() {
        let made = presented(1);
        let other = DerivationRoot::new(&[2; 32]).derive("api key");
        assert!(proven(&other, Some(Arc::new(key(&made))), &made, NOW).is_err());
    }

    #[test]
    fn the_header_is_a_bearer_one() {
        assert_eq!(super::presented(Some("bearer grk_x")), Ok("grk_x"));
        for header in [None, Some("Basic eDp5"), Some("grk_x")] {
            assert_eq!(super::presented(header), Err(Refusal::ApiKeyMissing {}), "{header:?}");
        }
    }

    #[test]
    fn rights_that_name_nothing_reach_nothing() {
        let id = "0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d";
        let rights = |connections: &[&str]| ApiKeyRights {
            connections: Some(connections.iter().map(|own| (*own).to_owned()).collect()),
            ..ApiKeyRights::default()
        };
        let read = rights(&[id, &format!("con_{id}"), "nonsense"]).selector().connections;
        let id: ConnectionId = id.parse().expect("an id");
        assert_eq!(read, Some(vec![id, id]));
        assert_eq!(rights(&["nonsense"]).selector().connections, Some(Vec::new()));
        assert_eq!(ApiKeyRights::default().selector(), Selector::default());
    }

    #[test]
    fn the_last_use_of_each_key_is_written_once() {
        let uses = KeyUses::default();
        uses.note("a", NOW);
        uses.note("a", NOW.plus(Seconds(5)));
        uses.note("b", NOW);
        let mut taken = uses.take();
        taken.sort();
        assert_eq!(taken, [("a".to_owned(), NOW.plus(Seconds(5))), ("b".to_owned(), NOW)]);
        assert!(uses.take().is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Presented::parse(&text);
            let _ = Presented::parse(&format!("grk_{text}"));
        }
    }
}
