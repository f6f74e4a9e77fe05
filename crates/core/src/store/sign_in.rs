//! Sign-ins by admin token that are half done.

use async_trait::async_trait;

use super::StoreError;
use crate::id::AttemptId;
use crate::model::{OutboxMail, SignInAttempt};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// How often one address may ask for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// The least time between two.
    pub pause: Seconds,
    /// The most in an hour.
    pub per_hour: u32,
}

/// The outcome of asking for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// The attempt is kept and the mail queued. Earlier attempts of the same browser for the same
    /// address are over.
    Done,
    /// Too soon or too often for this address; nothing was written.
    Wait {
        /// When it may ask again.
        until: Timestamp,
    },
}

/// The outcome of trying a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was right. The attempt is over: a second caller with the same token is `Gone`.
    Right(SignInAttempt),
    /// It was wrong.
    Wrong {
        /// Tries that are left; at zero the attempt is over.
        tries_left: u32,
    },
    /// No such attempt of this browser, or over, or expired.
    Gone,
}

/// Sign-ins by admin token that are half done.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// Keeps an attempt and queues its mail, unless the address has asked too often.
    /// Of two that ask for one address at once, one is `Done`.
    async fn start_attempt(
        &self,
        attempt: SignInAttempt,
        mail: Option<OutboxMail>,
        limits: AttemptLimits,
        now: Timestamp,
    ) -> Result<Started, StoreError>;

    /// The attempt of this browser that is alive at `now`.
    async fn attempt(
        &self,
        id: AttemptId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError>;

    /// Tries a token: takes one of the tries if it is wrong, ends the attempt if it is right.
    async fn try_token(
        &self,
        id: AttemptId,
        browser: &Digest,
        token: &Digest,
        now: Timestamp,
    ) -> Result<Tried, StoreError>;
}
