//! Values of fields and arguments: the one place where records become bytes and back.

use std::str::FromStr;

use grantor_core::id::{
    AccessTokenId, AttemptId, AuditId, CodeId, ConnectSessionId, ConnectionId, DeviceId,
    ExternalId, FamilyId, InitialTokenId, MailId, NoticeId, RefreshId, RequestId, SessionId,
    UserId,
};
use grantor_core::model::Scope;
use grantor_core::secret::Digest;
use grantor_core::time::{Seconds, Timestamp};

/// A value of a field. Text and numbers are kept as text, so that an operator can read them;
/// digests and what is sealed as their bytes.
pub(super) trait Column: Sized {
    /// As it is stored.
    fn write(&self) -> Vec<u8>;

    /// As it was; `None` for what is no such value.
    fn read(bytes: &[u8]) -> Option<Self>;
}

fn text<T: FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn write(&self) -> Vec<u8> {
                self.to_string().into_bytes()
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                text(bytes)
            }
        }
    )+};
}

as_text! {
    String, u32, u64, i64,
    AccessTokenId, AttemptId, AuditId, CodeId, ConnectSessionId, ConnectionId, DeviceId, ExternalId,
    FamilyId, InitialTokenId, MailId, NoticeId, RefreshId, RequestId, SessionId, UserId
}

impl Column for bool {
    fn write(&self) -> Vec<u8> {
        if *self { b"1".to_vec() } else { b"0".to_vec() }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes {
            b"1" => Some(true),
            b"0" => Some(false),
            _ => None,
        }
    }
}

impl Column for Timestamp {
    fn write(&self) -> Vec<u8> {
        self.epoch().write()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        i64::read(bytes).map(Self::from_epoch)
    }
}

impl Column for Seconds {
    fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        u32::read(bytes).map(Self)
    }
}

impl Column for Digest {
    fn write(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn write(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl Column for Vec<u8> {
    fn write(&self) -> Vec<u8> {
        self.clone()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl Column for Scope {
    fn write(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::parse(std::str::from_utf8(bytes).ok()?).ok()
    }
}
