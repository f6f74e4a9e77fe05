//! An account.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Timestamp;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The `sub` claim; never given to anybody else.
    pub id: UserId,
    /// The name to sign in with a password, lower case; unique.
    pub username: Option<String>,
    /// Lower case; unique.
    pub email: Option<String>,
    /// Whether the address was proved by a mail that reached it.
    pub email_verified: bool,
    /// The name to show.
    pub name: Option<String>,
    /// What the operator's own sign-in page calls the person; unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_subject: Option<String>,
    /// An argon2id hash in PHC form.
    #[serde(skip)]
    pub password: Option<String>,
    /// Whether the account may be used.
    pub status: UserStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// Yes.
    Active,
    /// No sign-in, no token, no refresh.
    Disabled,
}
