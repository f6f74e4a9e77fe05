//! A remembered consent.

use crate::id::UserId;
use crate::model::Scope;
use crate::time::Timestamp;

/// What a person has allowed an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub user: UserId,
    /// Which application.
    pub client_id: String,
    /// What; grows with each consent.
    pub scope: Scope,
    /// When it was first given.
    pub created_at: Timestamp,
    /// When it was last given or widened.
    pub updated_at: Timestamp,
}
