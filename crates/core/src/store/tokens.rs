//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6.

use async_trait::async_trait;

use super::StoreError;
use crate::id::{AccessTokenId, FamilyId};
use crate::model::{AccessToken, Consent, Family, User};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// A family with what must hold for it to be used, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyView {
    /// The family.
    pub family: Family,
    /// The person; may be disabled.
    pub user: User,
    /// What the person allows the client now; `None` when it was withdrawn.
    pub consent: Option<Consent>,
}

/// An access token with what must hold for it to be used, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessView {
    /// The token.
    pub token: AccessToken,
    /// Its family; not revoked.
    pub family: Family,
    /// The person; may be disabled.
    pub user: User,
}

/// A rotation of a refresh token, prepared by the caller.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The digest of the token that was presented.
    pub presented: Digest,
    /// The digest of the token that follows it.
    pub successor: Digest,
    /// How long the presented token still gets the same successor while that is not used.
    pub grace: Seconds,
    /// When the successor stops working if it is not used.
    pub idle_expires_at: Timestamp,
    /// The access token that comes with it; of the same family.
    pub access: AccessToken,
}

/// The outcome of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The successor works, and the access token.
    Done,
    /// The token was rotated before, its successor is the one given and not used, and the grace
    /// lasts: the access token works and the successor is the same again.
    SameAgain,
    /// Any other token of this family: a stolen or forked chain. The family is revoked.
    Reused,
    /// No such family, or revoked, expired, or without a refresh token.
    Gone,
}

/// The outcome of using a refresh token that stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The access token works.
    Done {
        /// Uses that are left; `None` for no limit.
        left: Option<u32>,
    },
    /// Unknown, wrong, revoked, expired or used up.
    Gone,
}

/// Access and refresh tokens.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The family with this id, revoked and expired ones included as long as they are kept.
    async fn family(&self, id: FamilyId) -> Result<Option<FamilyView>, StoreError>;

    /// Exchanges a refresh token for its successor. `Rotation::presented` decides: see [`Rotated`].
    async fn rotate_refresh(
        &self,
        family: FamilyId,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Rotated, StoreError>;

    /// Uses a refresh token that stays the same: takes one of its uses, moves its idle expiry, and
    /// stores the access token. Of any number of callers, as many are `Done` as there were uses.
    async fn spend_refresh_use(
        &self,
        family: FamilyId,
        presented: &Digest,
        access: AccessToken,
        idle_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Spent, StoreError>;

    /// The access token with this id and digest, alive at `now`, of a family that is not revoked.
    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError>;

    /// Revokes a family, and so all of its tokens; `true` for the caller that revoked it.
    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError>;
}
