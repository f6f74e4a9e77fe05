//! Accounts: the rows of `user_account`.

use grantor_core::id::UserId;
use grantor_core::model::{User, UserStatus};

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of an account, those of the table that is named: `""`, or `"x."`.
macro_rules! user_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, username, email, email_verified, name, external_subject, password,
            status, created_at, updated_at
        )
    };
}
pub(crate) use user_columns;

/// How many they are.
pub(crate) const USER_COLUMNS: usize = 10;

/// What is bound for [`user_columns`].
pub(crate) fn row(user: &User) -> [Value<'_>; USER_COLUMNS] {
    values![
        user.id.0,
        user.username.as_ref().map(|name| name.to_lowercase()),
        user.email.as_ref().map(|email| email.to_lowercase()),
        user.email_verified,
        user.name.as_deref(),
        user.external_subject.as_deref(),
        user.password.as_deref(),
        status_column(user.status),
        user.created_at,
        user.updated_at,
    ]
}

/// Reads [`user_columns`].
pub(crate) fn user(columns: &mut Columns<'_>) -> Result<User, Unreadable> {
    Ok(User {
        id: UserId(columns.id()?),
        username: columns.value()?,
        email: columns.value()?,
        email_verified: columns.value()?,
        name: columns.value()?,
        external_subject: columns.value()?,
        password: columns.value()?,
        status: match &*columns.text()? {
            "active" => UserStatus::Active,
            "disabled" => UserStatus::Disabled,
            other => return Err(Unreadable(format!("not a status: {other:?}"))),
        },
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

pub(crate) const fn status_column(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Disabled => "disabled",
    }
}
