//! The rows of `oauth2_client`, written and read.

use grantor_core::model::Client;
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::{Db, bound};
use crate::columns::single;
use crate::records::clients::{client_columns, row};

macro_rules! client_values {
    () => {
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
         ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29"
    };
}

/// A client by id.
pub(super) const SELECT_ONE: &str =
    concat!("SELECT ", client_columns!(), " FROM oauth2_client WHERE client_id = ?1");

/// All clients, by id.
pub(super) const SELECT_ALL: &str =
    concat!("SELECT ", client_columns!(), " FROM oauth2_client ORDER BY client_id");

const INSERT: &str = concat!(
    "INSERT INTO oauth2_client (",
    client_columns!(),
    ") VALUES (",
    client_values!(),
    ") ON CONFLICT DO NOTHING"
);

const UPDATE: &str = concat!(
    "UPDATE oauth2_client SET (",
    client_columns!(),
    ") = (",
    client_values!(),
    ") WHERE client_id = ?1"
);

/// Stores a client; `false` when there is one with its id. Tokens are told apart from those of a
/// removed client by their second, so one that takes the id begins in the next.
pub(super) fn insert(db: &Db<'_>, client: &Client) -> Result<bool, Fault> {
    let removed = "SELECT removed_at FROM removed_client WHERE client_id = ?1";
    let removed = db.one(removed, [&client.client_id], single::<i64>)?;
    let after = removed.map(|second| Timestamp::from_epoch(second + 1));
    let created_at = after.map_or(client.created_at, |after| after.max(client.created_at));
    Ok(db.run(INSERT, bound(row(&Client { created_at, ..client.clone() })?))? == 1)
}

/// Replaces a client; `false` when there is none with its id.
pub(super) fn update(db: &Db<'_>, client: &Client) -> Result<bool, Fault> {
    Ok(db.run(UPDATE, bound(row(client)?))? == 1)
}
