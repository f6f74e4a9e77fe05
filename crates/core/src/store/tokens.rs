//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6.

use async_trait::async_trait;

use super::StoreError;
use crate::id::{AccessTokenId, FamilyId};
use crate::model::{AccessToken, Consent, Family, OnNewToken, User};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// Tokens that are issued together, made by the caller.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The new family, with its refresh token if there is one.
    pub family: Family,
    /// The access token, of `family`; `None` when it is a JWT.
    pub access: Option<AccessToken>,
    /// What becomes of the live families of the same client for the same person (or, without a
    /// person, of the client for itself).
    pub previous: OnNewToken,
}

/// A family with what must hold for it to be used, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyView {
    /// The family.
    pub family: Family,
    /// The person, who may be disabled; `None` when the family has none or the account is gone.
    pub user: Option<User>,
    /// What the person allows the client now; `None` when it was withdrawn.
    pub consent: Option<Consent>,
}

/// An access token with what must hold for it to be used, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessView {
    /// The token.
    pub token: AccessToken,
    /// Its family, which keeps it; `None` for a token without one.
    pub family: Option<Family>,
    /// The person, who may be disabled.
    pub user: Option<User>,
}

/// What is known of a JWT access token besides what it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtView {
    /// Whether it was revoked by its own id.
    pub revoked: bool,
    /// Its family, if it has one that is kept; may be revoked.
    pub family: Option<Family>,
    /// The person, who may be disabled.
    pub user: Option<User>,
}

/// A new access token for a refresh token, prepared by the caller.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The access token, of the same family; `None` when it is a JWT.
    pub access: Option<AccessToken>,
    /// When the access token stops working, opaque or not: the family lasts as long.
    pub access_expires_at: Timestamp,
    /// The id of the access token, when it ends those before it.
    pub sole: Option<AccessTokenId>,
    /// When the refresh token stops working if it is not used again.
    pub idle_expires_at: Timestamp,
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
    /// The access token that comes with it.
    pub renewal: Renewal,
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
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Spent, StoreError>;

    /// Stores tokens that were granted without a code, and the consent that this implies.
    async fn issue_tokens(
        &self,
        issued: Issued,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Stores an access token without a family, or one more of a family that is there (which does
    /// not outlive it: the caller has seen to that).
    async fn issue_access(&self, access: AccessToken) -> Result<(), StoreError>;

    /// The access token with this id and digest, alive at `now`, that its family keeps, and of whose
    /// origins ([`crate::model::Exchanged::from`]) none was revoked.
    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError>;

    /// What is known of the JWT access token `id` of `family`, which was exchanged for those in
    /// `from`: revoked when one of them is.
    async fn jwt(
        &self,
        id: AccessTokenId,
        family: Option<FamilyId>,
        from: &[AccessTokenId],
    ) -> Result<JwtView, StoreError>;

    /// Revokes one access token, opaque or not, and what was exchanged for it: its row is gone, and
    /// its id is remembered until it would have expired.
    async fn revoke_access(
        &self,
        id: AccessTokenId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Revokes a family, and so all of its tokens; `true` for the caller that revoked it.
    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError>;
}
