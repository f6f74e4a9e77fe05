//! The rows of `connection` and `credential`, written and read.

use grantor_core::id::ConnectionId;
use grantor_core::model::{Account, Connection, SealedCredential};

use super::fault::Fault;
use super::rows::Db;
use crate::columns::values;
use crate::records::connections::{
    changes, connection, connection_columns, credential_columns, credential_row, renewal_row, row,
};

/// A connection by id.
pub(super) const SELECT_CONNECTION: &str =
    concat!("SELECT ", connection_columns!("c."), " FROM connection c WHERE c.id = $1");

/// A connection by id, with its tokens.
pub(super) const SELECT_HELD: &str = concat!(
    "SELECT ",
    connection_columns!("c."),
    ", ",
    credential_columns!("k."),
    " FROM connection c JOIN credential k ON k.connection_id = c.id WHERE c.id = $1"
);

const INSERT: &str = concat!(
    "INSERT INTO connection (",
    connection_columns!(""),
    ", account_address)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27, $28)
     ON CONFLICT DO NOTHING"
);

const PUT_CREDENTIAL: &str = concat!(
    "INSERT INTO credential (",
    credential_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (connection_id) DO UPDATE
     SET generation = excluded.generation, version = excluded.version,
         data_key = excluded.data_key, token_type = excluded.token_type,
         access_token = excluded.access_token, refresh_token = excluded.refresh_token,
         previous_refresh_token = excluded.previous_refresh_token, id_token = excluded.id_token"
);

/// The connection with this id, which stays as it is until the end of the transaction.
pub(super) async fn locked(db: Db<'_>, id: ConnectionId) -> Result<Option<Connection>, Fault> {
    let locked = concat!(
        "SELECT ",
        connection_columns!("c."),
        " FROM connection c WHERE c.id = $1 FOR UPDATE"
    );
    db.one(locked, &values![id.0], connection).await
}

/// Stores a new connection; `false` when there is one with its id, or for the same account.
pub(super) async fn insert(db: Db<'_>, own: &Connection) -> Result<bool, Fault> {
    let mut values = row(own)?.to_vec();
    values.push(address(&own.account).into());
    Ok(db.run(INSERT, &values).await? == 1)
}

/// What an account is found by, besides its `sub`: ASCII letters match either case.
fn address(account: &Account) -> Option<String> {
    account.email.as_ref().map(|email| email.to_ascii_lowercase())
}

/// Replaces what may change of the connection that is `before` now: not whose it is, when it was
/// made or last used.
pub(super) async fn update(db: Db<'_>, before: &Connection, own: &Connection) -> Result<(), Fault> {
    db.run(
        "UPDATE connection
         SET scope = $2, requested_scope = $3, status = $4, reauth = $5, generation = $6,
             version = $7, issued_at = $8, expires_at = $9, refreshable = $10,
             refresh_expires_at = $11, refresh_used_at = $12, rotates = $13, variables = $14,
             trouble = $15, due_at = $16, connected_at = $17, client_id = $18,
             disconnecting_since = $19
         WHERE id = $1",
        &changes(before.id, own)?,
    )
    .await?;
    // Seldom, and there are indexes over it.
    if own.account != before.account {
        describe(db, before.id, &own.account).await?;
    }
    Ok(())
}

/// Stores what an account is called now.
async fn describe(db: Db<'_>, id: ConnectionId, account: &Account) -> Result<(), Fault> {
    db.run(
        "UPDATE connection SET account_email = $2, account_address = $3, account_name = $4,
             account_organization = $5
         WHERE id = $1",
        &values![
            id.0,
            account.email.as_deref(),
            address(account),
            account.name.as_deref(),
            account.organization.as_deref(),
        ],
    )
    .await
    .map(drop)
}

/// Stores the tokens of a new grant, with a data key of their own.
pub(super) async fn put_credential(db: Db<'_>, own: &SealedCredential) -> Result<(), Fault> {
    db.run(PUT_CREDENTIAL, &credential_row(own)?).await.map(drop)
}

/// Stores the tokens of a refresh. The data key stays as it is: it may have been wrapped anew since
/// the tokens were read.
pub(super) async fn renew_credential(db: Db<'_>, own: &SealedCredential) -> Result<(), Fault> {
    db.run(
        "UPDATE credential
         SET version = $2, token_type = $3, access_token = $4, refresh_token = $5,
             previous_refresh_token = $6, id_token = $7
         WHERE connection_id = $1",
        &renewal_row(own)?,
    )
    .await
    .map(drop)
}
