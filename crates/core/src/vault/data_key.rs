//! The data key of a connection, and what it seals: AES-256-GCM-SIV (RFC 8452).
//!
//! A wrapped key is what [`KeyRing::seal`] makes of 32 random bytes: version ‖ key id (8) ‖
//! nonce (12) ‖ ciphertext (32) ‖ tag (16), bound to integration and connection. It is not bound to
//! the generation, so that a key can be wrapped anew without knowing more than whose it is.
//!
//! A sealed value is: version ‖ nonce (12) ‖ ciphertext ‖ tag (16), bound to table, column,
//! integration, connection and generation.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::id::ConnectionId;
use crate::jose::JoseError;
use crate::jose::seal::{KeyRing, NONCE_BYTES, Place};
use crate::ports::Entropy;

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + NONCE_BYTES;
const TABLE: &str = "credential";

/// Where a token is stored: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    /// The column.
    pub(super) column: &'a str,
    /// The integration.
    pub(super) integration: &'a str,
    /// The connection.
    pub(super) connection: ConnectionId,
    /// The grant.
    pub(super) generation: u32,
}

/// A key for the tokens of one connection. Its bytes are wiped when it is dropped.
pub(super) struct DataKey(LessSafeKey);

impl DataKey {
    /// A new key, and its wrapped form.
    pub(super) fn make(
        ring: &KeyRing,
        entropy: &dyn Entropy,
        integration: &str,
        connection: ConnectionId,
    ) -> Result<(Self, Vec<u8>), JoseError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        let wrapped = wrap(ring, entropy, &*bytes, integration, connection)?;
        Ok((Self::from_bytes(&*bytes)?, wrapped))
    }

    /// The key in its wrapped form.
    pub(super) fn unwrap(
        ring: &KeyRing,
        wrapped: &[u8],
        integration: &str,
        connection: ConnectionId,
    ) -> Result<Self, JoseError> {
        let row = row(integration, connection);
        Self::from_bytes(&ring.open(wrapped, &place(&row))?)
    }

    /// Seals a token.
    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        plain: &[u8],
        slot: &Slot<'_>,
    ) -> Result<Vec<u8>, JoseError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let aad = Aad::from(authenticated(slot));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, aad, &mut sealed[HEADER_BYTES..])
            .map_err(|_| JoseError::Library("seal a token"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a token.
    pub(super) fn open(
        &self,
        sealed: &[u8],
        slot: &Slot<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let (&version, rest) = sealed.split_first().ok_or(JoseError::NotSealed)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(JoseError::NotSealed)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(JoseError::NotSealed)?;
        if version != VERSION {
            return Err(JoseError::NotSealed);
        }
        let mut plain = Zeroizing::new(vec![0; ciphertext.len()]);
        let aad = Aad::from(authenticated(slot));
        self.0
            .open_separate_gather(Nonce::from(nonce), aad, ciphertext, tag, &mut plain)
            .map_err(|_| JoseError::Tampered)?;
        Ok(plain)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, JoseError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, bytes);
        Ok(Self(LessSafeKey::new(key.map_err(|_| JoseError::Library("read a data key"))?)))
    }
}

/// A wrapped key as the present key-encryption key wraps it; `None` when it does already.
pub(super) fn rewrap(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    wrapped: &[u8],
    integration: &str,
    connection: ConnectionId,
) -> Result<Option<Vec<u8>>, JoseError> {
    if ring.is_current(wrapped) {
        return Ok(None);
    }
    let row = row(integration, connection);
    let bytes = ring.open(wrapped, &place(&row))?;
    wrap(ring, entropy, &bytes, integration, connection).map(Some)
}

fn wrap(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    bytes: &[u8],
    integration: &str,
    connection: ConnectionId,
) -> Result<Vec<u8>, JoseError> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let row = row(integration, connection);
    ring.seal(bytes, &place(&row), nonce)
}

const fn place(row: &[u8]) -> Place<'_> {
    Place { table: TABLE, column: "data_key", row }
}

/// The id has a fixed length, so no two pairs have the same bytes.
fn row(integration: &str, connection: ConnectionId) -> Vec<u8> {
    [connection.0.as_bytes(), integration.as_bytes()].concat()
}

/// What is authenticated besides the ciphertext: what has no fixed length has it in front, so that
/// no two slots have the same bytes.
fn authenticated(slot: &Slot<'_>) -> Vec<u8> {
    let Slot { column, integration, connection, generation } = slot;
    let mut bytes = Vec::with_capacity(64 + column.len() + integration.len());
    bytes.push(VERSION);
    for part in [TABLE, column, integration] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(connection.0.as_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::Index;

    use super::*;
    use crate::id::Id;
    use crate::jose::seal::KeyEncryptionKey;
    use crate::ports::testing::SeededEntropy;

    const CONNECTION: ConnectionId = ConnectionId(Id::from_bytes([7; 16]));
    const PINNED: &str = "0103030303030303030303030329bdec96692dc457651fb8c010ce58ebf4ae4b0781ab";
    const HERE: Slot<'static> = Slot {
        column: "access_token",
        integration: "google",
        connection: CONNECTION,
        generation: 3,
    };

    fn ring(current: u8, retired: &[u8]) -> KeyRing {
        let key = |seed: u8| KeyEncryptionKey::new(&[seed; 32]).expect("32 bytes");
        KeyRing::new(key(current), retired.iter().copied().map(key).collect())
    }

    fn made() -> (DataKey, Vec<u8>) {
        DataKey::make(&ring(1, &[]), &SeededEntropy::new(1), "google", CONNECTION).expect("made")
    }

    #[test]
    fn a_value_opens_in_no_other_slot() {
        let (key, _) = made();
        let sealed = key.seal(&SeededEntropy::new(2), b"token", &HERE).expect("sealed");
        assert_eq!(sealed.len(), 1 + 12 + 5 + 16);
        assert_eq!(*key.open(&sealed, &HERE).expect("opens"), b"token");
        for slot in [
            Slot { column: "refresh_token", ..HERE },
            Slot { integration: "github", ..HERE },
            Slot { connection: ConnectionId(Id::from_bytes([8; 16])), ..HERE },
            Slot { generation: 4, ..HERE },
            Slot { generation: 2, ..HERE },
            Slot { column: "access_tokeng", integration: "oogle", ..HERE },
        ] {
            assert_eq!(key.open(&sealed, &slot), Err(JoseError::Tampered), "{slot:?}");
        }
    }

    #[test]
    fn a_cut_or_a_newer_version_is_not_taken_for_a_changed_value() {
        let (key, _) = made();
        let mut sealed = key.seal(&SeededEntropy::new(2), b"", &HERE).expect("sealed");
        for cut in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..cut], &HERE), Err(JoseError::NotSealed));
        }
        sealed[0] = 2;
        assert_eq!(key.open(&sealed, &HERE), Err(JoseError::NotSealed));
    }

    #[test]
    fn a_wrapped_key_is_of_its_connection_and_integration() {
        let (_, wrapped) = made();
        assert_eq!(wrapped.len(), 1 + 8 + 12 + 32 + 16);
        let unwrap = |integration, connection| {
            DataKey::unwrap(&ring(1, &[]), &wrapped, integration, connection).map(drop)
        };
        assert_eq!(unwrap("google", CONNECTION), Ok(()));
        assert_eq!(unwrap("github", CONNECTION), Err(JoseError::Tampered));
        let other = ConnectionId(Id::from_bytes([8; 16]));
        assert_eq!(unwrap("google", other), Err(JoseError::Tampered));
    }

    #[test]
    fn a_key_that_is_wrapped_anew_opens_what_it_has_sealed_and_needs_the_old_one_no_more() {
        let entropy = SeededEntropy::new(5);
        let (key, wrapped) = made();
        let sealed = key.seal(&entropy, b"token", &HERE).expect("sealed");
        let both = ring(2, &[1]);
        let again = rewrap(&both, &entropy, &wrapped, "google", CONNECTION).expect("wrapped");
        let again = again.expect("it was under the old key");
        let after = ring(2, &[]);
        let key = DataKey::unwrap(&after, &again, "google", CONNECTION).expect("unwraps");
        assert_eq!(*key.open(&sealed, &HERE).expect("opens"), b"token");
        assert_eq!(rewrap(&after, &entropy, &again, "google", CONNECTION), Ok(None));
        let gone = DataKey::unwrap(&after, &wrapped, "google", CONNECTION).map(drop);
        assert!(matches!(gone, Err(JoseError::UnknownSealingKey(_))), "{gone:?}");
    }

    /// Tokens must open with every later release, so these bytes may never change. They were
    /// computed with another implementation of AES-GCM-SIV.
    #[test]
    fn the_format_is_pinned() {
        let key = DataKey::from_bytes(&[9; 32]).expect("32 bytes");
        let sealed = PINNED.as_bytes().chunks(2).map(|digits| {
            let digits = std::str::from_utf8(digits).expect("ASCII");
            u8::from_str_radix(digits, 16).expect("hexadecimal")
        });
        let sealed: Vec<u8> = sealed.collect();
        assert_eq!(*key.open(&sealed, &HERE).expect("opens"), b"secret");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(plain: Vec<u8>, integration: String, generation: u32) {
            let (key, _) = made();
            let slot = Slot { integration: &integration, generation, ..HERE };
            let sealed = key.seal(&SeededEntropy::new(2), &plain, &slot).expect("sealed");
            prop_assert_eq!(&*key.open(&sealed, &slot).expect("opens"), &plain);
        }

        #[test]
        fn a_flipped_bit_is_seen(plain: Vec<u8>, at in any::<Index>(), bit in 0..8) {
            let (key, _) = made();
            let mut sealed = key.seal(&SeededEntropy::new(2), &plain, &HERE).expect("sealed");
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(key.open(&sealed, &HERE).is_err());
        }
    }
}
