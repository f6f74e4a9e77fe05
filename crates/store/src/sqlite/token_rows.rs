//! The rows of `access_token` and `token_family`, written and read.

use grantor_core::model::{AccessToken, Family};

use super::fault::Fault;
use super::rows::{Db, bound};
use crate::records::consents::consent_columns;
use crate::records::tokens::{access_columns, access_row, family_columns, family_row};
use crate::records::users::user_columns;

/// A family by id, with its person and the consent.
pub(super) const SELECT_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    ", ",
    consent_columns!("c."),
    "
     FROM token_family f LEFT JOIN user_account u ON u.id = f.user_id
     LEFT JOIN consent c ON c.user_id = f.user_id AND c.client_id = f.client_id
     WHERE f.id = ?1"
);

/// An access token by id, with its family and its person. Without a family it is one look-up: a
/// join on NULL looks nowhere.
pub(super) const SELECT_ACCESS: &str = concat!(
    "SELECT ",
    access_columns!("t."),
    ", ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    " FROM access_token t LEFT JOIN token_family f ON f.id = t.family_id
      LEFT JOIN user_account u ON u.id = f.user_id
      WHERE t.id = ?1"
);

/// What is kept of the JWT access token `?1` of the family `?2`: always one row.
pub(super) const SELECT_JWT: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM revoked_token WHERE id = ?1), ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    " FROM (SELECT 1) LEFT JOIN token_family f ON f.id = ?2
      LEFT JOIN user_account u ON u.id = f.user_id"
);

/// Stores a family.
pub(super) fn insert_family(db: &Db<'_>, family: &Family) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO token_family (",
            family_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(family_row(family)?),
    )?;
    Ok(())
}

/// Stores an access token: one append to one tree.
pub(super) fn insert_access(db: &Db<'_>, access: &AccessToken) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO access_token (",
            access_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(access_row(access)?),
    )?;
    Ok(())
}
