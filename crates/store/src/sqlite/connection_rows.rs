//! The rows of `connection` and `credential`, written and read.

use grantor_core::id::ConnectionId;
use grantor_core::model::{Account, Connection, SealedCredential};
use rusqlite::params;

use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::connections::{
    changes, connection, connection_columns, credential_columns, credential_row, renewal_row, row,
};

/// A connection by id.
pub(super) const SELECT_CONNECTION: &str =
    concat!("SELECT ", connection_columns!("c."), " FROM connection c WHERE c.id = ?1");

/// A connection by id, with its tokens.
pub(super) const SELECT_HELD: &str = concat!(
    "SELECT ",
    connection_columns!("c."),
    ", ",
    credential_columns!("k."),
    " FROM connection c CROSS JOIN credential k ON k.number = c.number WHERE c.id = ?1"
);

/// The connection with this id.
pub(super) fn find(db: &Db<'_>, id: ConnectionId) -> Result<Option<Connection>, Fault> {
    db.one(SELECT_CONNECTION, [bytes(&id.0)], connection)
}

/// Stores a new connection; `false` when there is one with its id, or for the same account.
pub(super) fn insert(db: &Db<'_>, own: &Connection) -> Result<bool, Fault> {
    let inserted = db.run(
        concat!(
            "INSERT INTO connection (",
            connection_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING"
        ),
        bound(row(own)?),
    )?;
    Ok(inserted == 1)
}

/// Replaces what may change of the connection that is `before` now: not whose it is, when it was
/// made or last used.
pub(super) fn update(db: &Db<'_>, before: &Connection, own: &Connection) -> Result<(), Fault> {
    db.run(
        "UPDATE connection
         SET scope = ?2, requested_scope = ?3, status = ?4, reauth = ?5, generation = ?6,
             version = ?7, issued_at = ?8, expires_at = ?9, refreshable = ?10,
             refresh_expires_at = ?11, refresh_used_at = ?12, rotates = ?13, variables = ?14,
             trouble = ?15, due_at = ?16, connected_at = ?17, client_id = ?18,
             disconnecting_since = ?19
         WHERE id = ?1",
        bound(changes(before.id, own)?),
    )?;
    // Seldom, and there are indexes over it.
    if own.account != before.account {
        describe(db, before.id, &own.account)?;
    }
    Ok(())
}

/// Stores what an account is called now.
fn describe(db: &Db<'_>, id: ConnectionId, account: &Account) -> Result<(), Fault> {
    db.run(
        "UPDATE connection SET account_email = ?2, account_name = ?3, account_organization = ?4
         WHERE id = ?1",
        params![bytes(&id.0), account.email, account.name, account.organization],
    )?;
    Ok(())
}

/// Stores the tokens of a new grant, with a data key of their own.
pub(super) fn put_credential(db: &Db<'_>, own: &SealedCredential) -> Result<(), Fault> {
    db.run(
        "INSERT OR REPLACE INTO credential (number, connection_id, generation, version, data_key,
            token_type, access_token, refresh_token, previous_refresh_token, id_token)
         SELECT number, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM connection WHERE id = ?1",
        bound(credential_row(own)?),
    )?;
    Ok(())
}

/// Stores the tokens of a refresh. The data key stays as it is: it may have been wrapped anew since
/// the tokens were read.
pub(super) fn renew_credential(db: &Db<'_>, own: &SealedCredential) -> Result<(), Fault> {
    db.run(
        "UPDATE credential
         SET version = ?2, token_type = ?3, access_token = ?4, refresh_token = ?5,
             previous_refresh_token = ?6, id_token = ?7
         WHERE number = (SELECT number FROM connection WHERE id = ?1)",
        bound(renewal_row(own)?),
    )?;
    Ok(())
}
