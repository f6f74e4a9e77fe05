//! Secrets at rest: AES-256-GCM (NIST SP 800-38D) bound to their place; and keys for keyed digests
//! (RFC 2104). Keys are derived with HKDF-SHA256 (RFC 5869).
//!
//! Sealed bytes are: version ‖ key id (8) ‖ nonce (12) ‖ ciphertext ‖ tag (16).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::JoseError;

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
/// Version and key id, which are authenticated with the place.
const PREFIX_BYTES: usize = 1 + KEY_ID_BYTES;
const HEADER_BYTES: usize = PREFIX_BYTES + NONCE_BYTES;

/// Bytes of the name of a key-encryption key.
pub const KEY_ID_BYTES: usize = 8;

/// Bytes of a nonce. Under one key, at most 2³² secrets may be sealed with random nonces.
pub const NONCE_BYTES: usize = 12;

/// Where a sealed secret is stored. It opens nowhere else, so that whoever can write to the
/// database cannot move the secret of one row to another.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The key of the row.
    pub row: &'a [u8],
}

/// The key that seals, and the ones that did before it.
#[derive(Debug)]
pub struct KeyRing {
    current: KeyEncryptionKey,
    retired: Vec<KeyEncryptionKey>,
}

impl KeyRing {
    /// A ring that seals with `current` and opens with `retired` too.
    pub const fn new(current: KeyEncryptionKey, retired: Vec<KeyEncryptionKey>) -> Self {
        Self { current, retired }
    }

    /// Seals `plain` for `place` with the present key. The `nonce` must be fresh random bytes.
    pub fn seal(
        &self,
        plain: &[u8],
        place: &Place<'_>,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, JoseError> {
        self.current.seal(plain, place, nonce)
    }

    /// Opens what was sealed for `place`, under any key of the ring.
    pub fn open(&self, sealed: &[u8], place: &Place<'_>) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let (prefix, rest) =
            sealed.split_first_chunk::<PREFIX_BYTES>().ok_or(JoseError::NotSealed)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(JoseError::NotSealed)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(JoseError::NotSealed)?;
        if prefix[0] != VERSION {
            return Err(JoseError::NotSealed);
        }
        let key = self.find(&prefix[1..])?;
        let aad = Aad::from(authenticated(prefix, place));
        let mut plain = Zeroizing::new(vec![0; ciphertext.len()]);
        key.sealing
            .open_separate_gather(Nonce::from(nonce), aad, ciphertext, tag, &mut plain)
            .map_err(|_| JoseError::Tampered)?;
        Ok(plain)
    }

    /// The key that seals.
    pub const fn current(&self) -> &KeyEncryptionKey {
        &self.current
    }

    /// All keys, the one that seals first.
    pub fn keys(&self) -> impl Iterator<Item = &KeyEncryptionKey> {
        std::iter::once(&self.current).chain(&self.retired)
    }

    /// Whether `sealed` says that it is under the key that seals.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        key_id(sealed) == Some(self.current.id)
    }

    fn find(&self, id: &[u8]) -> Result<&KeyEncryptionKey, JoseError> {
        self.keys().find(|key| key.id == id).ok_or_else(|| JoseError::UnknownSealingKey(hex(id)))
    }
}

/// The name of the key that `sealed` says it is under.
pub fn key_id(sealed: &[u8]) -> Option<[u8; KEY_ID_BYTES]> {
    sealed.get(1..PREFIX_BYTES)?.try_into().ok()
}

/// A key of 256 bits that seals.
pub struct KeyEncryptionKey {
    id: [u8; KEY_ID_BYTES],
    sealing: LessSafeKey,
}

impl KeyEncryptionKey {
    /// The key with these bytes, which must come from a cryptographically secure source.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, JoseError> {
        let root = Salt::new(HKDF_SHA256, b"grantor key encryption key v1").extract(bytes);
        let mut id = [0; KEY_ID_BYTES];
        expand(&root, "id", "", &mut id);
        let mut sealing = Zeroizing::new([0; 32]);
        expand(&root, "seal", "", &mut *sealing);
        let sealing = UnboundKey::new(&AES_256_GCM, &*sealing)
            .map_err(|_| JoseError::Library("read a sealing key"))?;
        Ok(Self { id, sealing: LessSafeKey::new(sealing) })
    }

    /// Seals `plain` for `place`. The `nonce` must be fresh random bytes.
    pub fn seal(
        &self,
        plain: &[u8],
        place: &Place<'_>,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, JoseError> {
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let aad = Aad::from(authenticated(&sealed[..PREFIX_BYTES], place));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .sealing
            .seal_in_place_separate_tag(nonce, aad, &mut sealed[HEADER_BYTES..])
            .map_err(|_| JoseError::Library("seal a secret"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The name of the key in what it seals, in hexadecimal; it tells nothing about the key.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The same as it stands in what is sealed, after a byte for the version.
    pub const fn id_bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.id
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey({}, key not shown)", self.id())
    }
}

/// What keys for keyed digests are derived from: 256 random bits that are stored sealed, so that
/// digests stay the same when the key-encryption key changes.
pub struct DerivationRoot(Prk);

impl DerivationRoot {
    /// The root with these bytes, which must come from a cryptographically secure source.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"grantor derivation root v1").extract(bytes))
    }

    /// A key for keyed digests, another one for each `label`.
    pub fn derive(&self, label: &str) -> HmacKey {
        let mut bytes = Zeroizing::new([0; 32]);
        expand(&self.0, "keyed digest", label, &mut *bytes);
        HmacKey(hmac::Key::new(hmac::HMAC_SHA256, &*bytes))
    }
}

impl fmt::Debug for DerivationRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivationRoot(not shown)")
    }
}

/// A key for keyed digests: HMAC-SHA256.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// The digest of `parts`, each with its length before it: other cuts give another digest.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&length(part));
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the digest of `parts`, in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.tag(parts), tag).is_ok()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(not shown)")
    }
}

/// What is authenticated besides the ciphertext: no two places have the same bytes.
fn authenticated(prefix: &[u8], place: &Place<'_>) -> Vec<u8> {
    let mut bytes = prefix.to_vec();
    for part in [place.table.as_bytes(), place.column.as_bytes(), place.row] {
        bytes.extend_from_slice(&length(part));
        bytes.extend_from_slice(part);
    }
    bytes
}

fn length(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

/// RFC 5869 §2.3, with purpose and label told apart.
fn expand(root: &Prk, purpose: &str, label: &str, out: &mut [u8]) {
    let info = [purpose.as_bytes(), b"\0", label.as_bytes()];
    root.expand(&info, Bytes(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("HKDF-SHA256 gives up to 8160 bytes, and 8 or 32 are asked for");
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::Index;

    use super::*;

    const HERE: Place<'static> = Place { table: "signing_keys", column: "sealed", row: b"row 1" };

    fn key(seed: u8) -> KeyEncryptionKey {
        KeyEncryptionKey::new(&[seed; 32]).expect("32 bytes")
    }

    fn ring() -> KeyRing {
        KeyRing::new(key(1), Vec::new())
    }

    #[test]
    fn a_retired_key_still_opens_and_a_missing_one_is_named() {
        let sealed = ring().seal(b"secret", &HERE, [3; 12]).expect("seals");
        let rotated = KeyRing::new(key(2), vec![key(1)]);
        assert_eq!(*rotated.open(&sealed, &HERE).expect("opens"), b"secret");
        let without = KeyRing::new(key(2), Vec::new());
        let error = without.open(&sealed, &HERE).expect_err("no such key");
        assert_eq!(error, JoseError::UnknownSealingKey(key(1).id()));
    }

    #[test]
    fn a_cut_or_a_newer_version_is_not_taken_for_a_changed_secret() {
        let mut sealed = ring().seal(b"", &HERE, [3; 12]).expect("seals");
        assert_eq!(sealed.len(), 1 + 8 + 12 + 16);
        for cut in 0..sealed.len() {
            assert_eq!(ring().open(&sealed[..cut], &HERE), Err(JoseError::NotSealed));
        }
        sealed[0] = 2;
        assert_eq!(ring().open(&sealed, &HERE), Err(JoseError::NotSealed));
    }

    #[test]
    fn other_places_are_refused_even_when_their_names_run_together_alike() {
        let sealed = ring().seal(b"secret", &HERE, [3; 12]).expect("seals");
        for place in [
            Place { table: "users", ..HERE },
            Place { column: "other", ..HERE },
            Place { row: b"row 2", ..HERE },
            Place { table: "signing_key", column: "ssealed", ..HERE },
            Place { column: "sealedr", row: b"ow 1", ..HERE },
        ] {
            assert_eq!(ring().open(&sealed, &place), Err(JoseError::Tampered), "{place:?}");
        }
    }

    #[test]
    fn labels_keys_and_cuts_give_different_digests() {
        let root = DerivationRoot::new(&[1; 32]);
        let csrf = root.derive("csrf");
        let tag = csrf.tag(&[b"ab", b"c"]);
        assert!(csrf.verify(&[b"ab", b"c"], &tag));
        assert!(!csrf.verify(&[b"a", b"bc"], &tag));
        assert!(!csrf.verify(&[b"abc"], &tag));
        assert!(!csrf.verify(&[b"ab", b"c", b""], &tag));
        assert!(!csrf.verify(&[b"ab", b"c"], &tag[..31]));
        assert_eq!(root.derive("csrf").tag(&[b"ab", b"c"]), tag, "stable over restarts");
        assert_ne!(root.derive("refresh").tag(&[b"ab", b"c"]), tag);
        assert_ne!(DerivationRoot::new(&[2; 32]).derive("csrf").tag(&[b"ab", b"c"]), tag);
    }

    /// Sealed data must open with every later release, so these bytes may never change. They were
    /// computed with another implementation of HKDF, AES-GCM and HMAC.
    #[test]
    fn the_format_is_pinned() {
        let sealed = ring().seal(b"secret", &HERE, [3; 12]).expect("seals");
        assert_eq!(
            hex(&sealed),
            "0141e303b6334f8eff0303030303030303030303039895380d0eca658fea6dd9cb9edde3510c76c4aed1ef"
        );
        assert_eq!(
            hex(&DerivationRoot::new(&[1; 32]).derive("csrf").tag(&[b"a"])),
            "8a08aa860083e784990c602bedf1e681e513dcc42e9411a61b60be8b8150d308"
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let root = DerivationRoot::new(&[1; 32]);
        let shown = format!("{:?} {root:?} {:?}", ring(), root.derive("csrf"));
        assert!(shown.contains(&key(1).id()) && shown.contains("not shown"), "{shown}");
        assert!(!shown.contains("1, 1"), "{shown}");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(plain: Vec<u8>, row: Vec<u8>, nonce: [u8; 12]) {
            let place = Place { row: &row, ..HERE };
            let sealed = ring().seal(&plain, &place, nonce).expect("seals");
            prop_assert_eq!(&*ring().open(&sealed, &place).expect("opens"), &plain);
        }

        #[test]
        fn a_flipped_bit_is_seen(plain: Vec<u8>, at in any::<Index>(), bit in 0..8) {
            let mut sealed = ring().seal(&plain, &HERE, [5; 12]).expect("seals");
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(ring().open(&sealed, &HERE).is_err());
        }

        #[test]
        fn another_place_is_refused(table: String, column: String, row: Vec<u8>) {
            let place = Place { table: &table, column: &column, row: &row };
            let sealed = ring().seal(b"secret", &HERE, [5; 12]).expect("seals");
            prop_assert_eq!(ring().open(&sealed, &place), Err(JoseError::Tampered));
        }

        #[test]
        fn any_bytes_are_opened_or_refused(bytes: Vec<u8>) {
            prop_assert!(ring().open(&bytes, &HERE).is_err());
        }
    }
}
