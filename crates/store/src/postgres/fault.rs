//! What can go wrong with Postgres, told in plain words.

use std::error::Error as _;

use grantor_core::store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::columns::Unreadable;

/// Why a read or a write did not happen.
#[derive(Debug)]
pub(super) enum Fault {
    /// Postgres refused, or the connection to it broke.
    Sql(Error),
    /// A row does not read back as a record.
    Record(String),
    /// There is no connection to be had, or no answer in time.
    Away(String),
    /// The work itself panicked: a bug, kept away from the work of others.
    Panicked,
}

impl Fault {
    /// Whether the same may work when it is done again: transactions were in each other's way.
    pub(super) fn may_pass(&self) -> bool {
        let passing = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
        self.state().is_some_and(|state| passing.contains(&state))
    }

    /// Whether a value was there that must be unique.
    pub(super) fn not_unique(&self) -> bool {
        self.state() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// Whether the connection is of no more use: closed, or to a server that is going away or has
    /// become a standby.
    pub(super) fn of_the_connection(&self) -> bool {
        match self {
            Self::Sql(error) => match error.code() {
                Some(state) => {
                    *state == SqlState::READ_ONLY_SQL_TRANSACTION
                        || state.code().starts_with("08")
                        || state.code().starts_with("57P")
                }
                None => true,
            },
            Self::Away(_) | Self::Panicked => true,
            Self::Record(_) => false,
        }
    }

    /// Whether any other work would have failed in the same way.
    pub(super) fn of_the_store(&self) -> bool {
        self.of_the_connection() || matches!(self.told(), StoreError::Unavailable(_))
    }

    /// What the caller of the store is told.
    pub(super) fn told(&self) -> StoreError {
        match self {
            Self::Sql(error) => sql(error),
            Self::Record(text) => StoreError::Corrupt(text.clone()),
            Self::Away(text) => StoreError::Unavailable(text.clone()),
            Self::Panicked => StoreError::Unavailable(
                "the write stopped with an internal error; nothing of it was kept".to_owned(),
            ),
        }
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Sql(error) => error.code(),
            Self::Record(_) | Self::Away(_) | Self::Panicked => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Unreadable> for Fault {
    fn from(Unreadable(why): Unreadable) -> Self {
        Self::Record(why)
    }
}

fn sql(error: &Error) -> StoreError {
    let detail = describe(error);
    let unavailable = |text: &str| StoreError::Unavailable(format!("{text} ({detail})"));
    let Some(state) = error.code() else {
        return unavailable("the connection to the database broke");
    };
    // Classes of SQLSTATE: Postgres's manual, appendix A.
    match (&state.code()[..2], state.code()) {
        (_, "53100") => unavailable("the disk of the database is full; nothing was written"),
        (_, "25006") => unavailable("the database takes no writes: it is a standby"),
        (_, "57014") => unavailable("the database did not answer in time"),
        (_, "3D000") => unavailable("there is no such database; create it first"),
        (_, "42501") => unavailable("the user may not do this in the database"),
        (_, "XX001" | "XX002") => {
            StoreError::Corrupt(format!("the database is damaged ({detail})"))
        }
        ("28", _) => unavailable("the database does not let this user in"),
        ("40" | "55", _) => unavailable("others are in the way in the database"),
        ("08" | "53" | "57" | "58", _) => unavailable("the database cannot answer now"),
        _ => StoreError::Corrupt(format!("the database does not do what it should ({detail})")),
    }
}

/// The error with its cause. What was bound is not part of either.
pub(super) fn describe(error: &Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return format!("{}: {}", refusal.code().code(), refusal.message());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
