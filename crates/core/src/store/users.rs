//! Accounts.

use async_trait::async_trait;

use super::{Added, StoreError};
use crate::id::UserId;
use crate::model::{User, UserStatus};
use crate::time::Timestamp;

/// Accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The account with this id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The account with this address (compared in lower case).
    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError>;

    /// The account with this name (compared in lower case).
    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StoreError>;

    /// The account that the operator's own sign-in page calls `subject`.
    async fn user_by_external_subject(&self, subject: &str) -> Result<Option<User>, StoreError>;

    /// All accounts, oldest first.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// Adds an account; `Exists` when its id, name, address or external subject is taken. Of two that add the same
    /// address at once, one is `Done`.
    async fn add_user(&self, user: User) -> Result<Added, StoreError>;

    /// Replaces the password hash and ends every session of the account; `false` when there is no
    /// such account.
    async fn set_password(&self, id: UserId, phc: &str, now: Timestamp)
    -> Result<bool, StoreError>;

    /// Ties the account to an external subject, if it has none; `false` when it has, or another
    /// account has this one, or there is no such account.
    async fn link_external_subject(
        &self,
        id: UserId,
        subject: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Marks the address as proved.
    async fn mark_email_verified(&self, id: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// Enables or disables an account. Disabling ends its sessions and revokes its families;
    /// `false` when there is no such account.
    async fn set_user_status(
        &self,
        id: UserId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
