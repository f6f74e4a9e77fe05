//! Credentials that Grantor makes: a type prefix, a row id and 256 random bits.
//!
//! Stored is only a SHA-256 over prefix, id and random part, so that a copy of the database signs
//! nobody in, and the digest of one kind never opens another. A row is found by its id and the
//! digest compared in constant time.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::Id;
use crate::ports::{Clock, Entropy};

/// What a credential is for; each kind has a prefix and a digest space of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An access token: RFC 6749 §1.4.
    AccessToken,
    /// A refresh token: RFC 6749 §1.5.
    RefreshToken,
    /// An authorization code: RFC 6749 §1.3.1.
    Code,
    /// A session cookie.
    Session,
    /// A device code: RFC 8628 §3.2.
    DeviceCode,
    /// An initial access token: RFC 7591 §1.2.
    InitialToken,
    /// A registration access token: RFC 7592 §1.1.
    RegistrationToken,
    /// What a browser returns with from the operator's own sign-in page.
    ExternalVerifier,
    /// The link of a connect session.
    ConnectLink,
    /// The `state` that a provider gives back.
    ConnectState,
    /// What an application completes a connect session with.
    ConnectCode,
}

impl Kind {
    /// What the text of a credential begins with, for example `grt_at_`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => "grt_at_",
            Self::RefreshToken => "grt_rt_",
            Self::Code => "grt_ac_",
            Self::Session => "grt_se_",
            Self::DeviceCode => "grt_dc_",
            Self::InitialToken => "grt_ia_",
            Self::RegistrationToken => "grt_ra_",
            Self::ExternalVerifier => "grt_ev_",
            Self::ConnectLink => "grt_cl_",
            Self::ConnectState => "grt_cs_",
            Self::ConnectCode => "grt_cc_",
        }
    }
}

/// A row id and 256 random bits, in memory only as long as a request needs them.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Credential {
    #[zeroize(skip)]
    kind: Kind,
    #[zeroize(skip)]
    id: Id,
    secret: [u8; 32],
}

/// Characters after the prefix: 48 bytes in base64url without padding.
const ENCODED: usize = 64;

impl Credential {
    /// A new credential for a new row.
    pub fn new(kind: Kind, clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 42];
        entropy.fill(&mut random);
        let (mut unique, mut secret) = ([0; 10], [0; 32]);
        unique.copy_from_slice(&random[..10]);
        secret.copy_from_slice(&random[10..]);
        random.zeroize();
        Self { kind, id: Id::from_parts(clock.millis(), unique), secret }
    }

    /// A credential whose random part was derived, as a rotated refresh token's is.
    pub const fn derived(kind: Kind, id: Id, secret: [u8; 32]) -> Self {
        Self { kind, id, secret }
    }

    /// Reads the text form; `None` for anything that this server cannot have made.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(kind.prefix()).filter(|rest| rest.len() == ENCODED)?;
        let mut bytes = [0; 48];
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).ok().filter(|&n| n == bytes.len())?;
        let (mut id, mut secret) = ([0; 16], [0; 32]);
        id.copy_from_slice(&bytes[..16]);
        secret.copy_from_slice(&bytes[16..]);
        bytes.zeroize();
        Some(Self { kind, id: Id::from_bytes(id), secret })
    }

    /// The text that is given to its holder, once.
    pub fn reveal(&self) -> String {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..].copy_from_slice(&self.secret);
        let mut text = String::with_capacity(self.kind.prefix().len() + ENCODED);
        text.push_str(self.kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        bytes.zeroize();
        text
    }

    /// The row that the credential belongs to.
    pub const fn id(&self) -> Id {
        self.id
    }

    /// The random part, to derive a successor from.
    pub const fn secret_bytes(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What is stored.
    pub fn digest(&self) -> Digest {
        Digest::of(self.kind.prefix(), &[self.id.as_bytes(), &self.secret])
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.kind.prefix())
    }
}

/// A SHA-256 that stands for a secret in the store.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `parts`, each with its length before it, in the space named by `domain`.
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// The digest with these bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As text, as an export keeps it: `sha256:` and base64url.
    pub fn to_text(&self) -> String {
        format!("sha256:{}", URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Reads [`Digest::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("sha256:")?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    /// In constant time: how far two digests agree is nobody's business.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// A SHA-256 over what comes in pieces, as `sha256sum` makes it: finds what was damaged or cut off,
/// not what somebody has changed on purpose.
#[derive(Clone)]
pub struct Checksum(Context);

impl Checksum {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The sum as 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        let sum = self.0.clone().finish();
        sum.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

fn digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ports::testing::{ManualClock, SeededEntropy};

    fn credential(kind: Kind) -> Credential {
        Credential::new(kind, &ManualClock::at(1_800_000_000), &SeededEntropy::new(3))
    }

    #[test]
    fn the_text_reads_back_as_the_same_credential() {
        let made = credential(Kind::AccessToken);
        let text = made.reveal();
        assert_eq!((&text[..7], text.len()), ("grt_at_", 71));
        let read = Credential::parse(Kind::AccessToken, &text).expect("own text");
        assert_eq!(read.digest(), made.digest());
    }

    #[test]
    fn a_credential_of_one_kind_is_none_of_another() {
        let text = credential(Kind::Code).reveal();
        assert!(Credential::parse(Kind::AccessToken, &text).is_none());
        let same = credential(Kind::AccessToken);
        let other = Credential::derived(Kind::RefreshToken, same.id(), *same.secret_bytes());
        assert_ne!(same.digest(), other.digest());
    }

    #[test]
    fn debug_shows_no_secret() {
        let made = credential(Kind::Session);
        let shown = format!("{made:?} {:?}", made.digest());
        assert!(!shown.contains(&made.reveal()[30..]), "{shown}");
    }

    #[test]
    fn a_checksum_is_that_of_sha256sum_however_the_pieces_are_cut() {
        let mut sum = Checksum::new();
        assert_eq!(sum.hex()[..16], *"e3b0c44298fc1c14", "FIPS 180-4, of nothing");
        sum.add(b"a");
        sum.add(b"bc");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum.hex(), abc, "FIPS 180-4, of abc");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Credential::parse(Kind::Code, &text);
            let _ = Credential::parse(Kind::Code, &format!("grt_ac_{text}"));
        }
    }
}
