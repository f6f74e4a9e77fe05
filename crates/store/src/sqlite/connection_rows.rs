//! The rows of `connection` and `credential`, written and read.

use std::collections::BTreeMap;

use grantor_core::id::ConnectionId;
use grantor_core::model::{Account, Connection, ConnectionStatus, Reauth, SealedCredential};
use grantor_core::store::Held;
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::fault::Fault;
use super::rows::{Columns, Db, bytes, json_column, number};

macro_rules! connection_columns {
    () => {
        "c.id, c.integration, c.client_id, c.subject, c.account_sub, c.account_email, \
         c.account_name, c.account_organization, c.scope, c.requested_scope, c.status, c.reauth, \
         c.disconnecting_since, c.generation, c.version, c.issued_at, c.expires_at, \
         c.refreshable, c.refresh_expires_at, c.refresh_used_at, c.rotates, c.variables, \
         c.trouble, c.due_at, c.created_at, c.connected_at, c.last_used_at"
    };
}
pub(super) use connection_columns;

macro_rules! credential_columns {
    () => {
        "k.connection_id, k.generation, k.version, k.data_key, k.token_type, k.access_token, \
         k.refresh_token, k.previous_refresh_token, k.id_token"
    };
}
pub(super) use credential_columns;

/// A connection by id.
pub(super) const SELECT_CONNECTION: &str =
    concat!("SELECT ", connection_columns!(), " FROM connection c WHERE c.id = ?1");

/// A connection by id, with its tokens.
pub(super) const SELECT_HELD: &str = concat!(
    "SELECT ",
    connection_columns!(),
    ", ",
    credential_columns!(),
    " FROM connection c CROSS JOIN credential k ON k.number = c.number WHERE c.id = ?1"
);

/// The connection with this id.
pub(super) fn find(db: &Db<'_>, id: ConnectionId) -> Result<Option<Connection>, Fault> {
    db.one(SELECT_CONNECTION, [bytes(&id.0)], connection)
}

/// Stores a new connection; `false` when there is one with its id, or for the same account.
pub(super) fn insert(db: &Db<'_>, own: &Connection) -> Result<bool, Fault> {
    let (status, reauth, leaving) = status_columns(&own.status)?;
    let inserted = db.run(
        "INSERT INTO connection (id, integration, subject, account_sub, account_email, account_name,
            account_organization, scope, requested_scope, status, reauth, generation, version,
            issued_at, expires_at, refreshable, refresh_expires_at, refresh_used_at, rotates,
            variables, trouble, due_at, created_at, connected_at, last_used_at, client_id,
            disconnecting_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)
         ON CONFLICT DO NOTHING",
        params![
            bytes(&own.id.0),
            own.integration,
            own.subject,
            own.account.sub,
            own.account.email,
            own.account.name,
            own.account.organization,
            own.scope.as_str(),
            own.requested.as_str(),
            status,
            reauth,
            own.generation,
            number(own.version)?,
            own.issued_at.epoch(),
            own.expires_at.map(Timestamp::epoch),
            own.refreshable,
            own.refresh_expires_at.map(Timestamp::epoch),
            own.refresh_used_at.epoch(),
            own.rotates,
            variables_column(&own.variables)?,
            own.trouble.as_ref().map(json_column).transpose()?,
            own.due_at.map(Timestamp::epoch),
            own.created_at.epoch(),
            own.connected_at.epoch(),
            own.last_used_at.map(Timestamp::epoch),
            own.client_id,
            leaving,
        ],
    )?;
    Ok(inserted == 1)
}

/// Replaces what may change of the connection that is `before` now: not whose it is, when it was
/// made or last used.
pub(super) fn update(db: &Db<'_>, before: &Connection, own: &Connection) -> Result<(), Fault> {
    let (status, reauth, leaving) = status_columns(&own.status)?;
    db.run(
        "UPDATE connection
         SET scope = ?2, requested_scope = ?3, status = ?4, reauth = ?5, generation = ?6,
             version = ?7, issued_at = ?8, expires_at = ?9, refreshable = ?10,
             refresh_expires_at = ?11, refresh_used_at = ?12, rotates = ?13, variables = ?14,
             trouble = ?15, due_at = ?16, connected_at = ?17, client_id = ?18,
             disconnecting_since = ?19
         WHERE id = ?1",
        params![
            bytes(&before.id.0),
            own.scope.as_str(),
            own.requested.as_str(),
            status,
            reauth,
            own.generation,
            number(own.version)?,
            own.issued_at.epoch(),
            own.expires_at.map(Timestamp::epoch),
            own.refreshable,
            own.refresh_expires_at.map(Timestamp::epoch),
            own.refresh_used_at.epoch(),
            own.rotates,
            variables_column(&own.variables)?,
            own.trouble.as_ref().map(json_column).transpose()?,
            own.due_at.map(Timestamp::epoch),
            own.connected_at.epoch(),
            own.client_id,
            leaving,
        ],
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
        params![
            bytes(&own.connection.0),
            own.generation,
            number(own.version)?,
            own.data_key,
            own.token_type,
            own.access_token,
            own.refresh_token,
            own.previous_refresh_token,
            own.id_token,
        ],
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
        params![
            bytes(&own.connection.0),
            number(own.version)?,
            own.token_type,
            own.access_token,
            own.refresh_token,
            own.previous_refresh_token,
            own.id_token,
        ],
    )?;
    Ok(())
}

/// The columns `status`, `reauth` and `disconnecting_since`.
pub(super) fn status_columns(
    status: &ConnectionStatus,
) -> Result<(&'static str, Option<String>, Option<i64>), Fault> {
    let name = status_name(status);
    Ok(match status {
        ConnectionStatus::Active => (name, None, None),
        ConnectionStatus::ReauthRequired(reauth) => (name, Some(json_column(reauth)?), None),
        ConnectionStatus::Disconnecting { since } => (name, None, Some(since.epoch())),
    })
}

/// The column `status`.
pub(crate) const fn status_name(status: &ConnectionStatus) -> &'static str {
    match status {
        ConnectionStatus::Active => "active",
        ConnectionStatus::ReauthRequired(_) => "reauth_required",
        ConnectionStatus::Disconnecting { .. } => "disconnecting",
    }
}

/// Reads [`connection_columns`].
pub(super) fn connection(columns: &mut Columns<'_>) -> Result<Connection, Fault> {
    Ok(Connection {
        id: ConnectionId(columns.id()?),
        integration: columns.value()?,
        client_id: columns.value()?,
        subject: columns.value()?,
        account: Account {
            sub: columns.value()?,
            email: columns.value()?,
            name: columns.value()?,
            organization: columns.value()?,
        },
        scope: columns.scope()?,
        requested: columns.scope()?,
        status: status(columns)?,
        generation: columns.value()?,
        version: columns.count()?,
        issued_at: columns.time()?,
        expires_at: columns.optional_time()?,
        refreshable: columns.value()?,
        refresh_expires_at: columns.optional_time()?,
        refresh_used_at: columns.time()?,
        rotates: columns.value()?,
        variables: columns.json_or_none()?,
        trouble: columns.optional_json()?,
        due_at: columns.optional_time()?,
        created_at: columns.time()?,
        connected_at: columns.time()?,
        last_used_at: columns.optional_time()?,
    })
}

/// Reads [`connection_columns`] and [`credential_columns`].
pub(super) fn held(columns: &mut Columns<'_>) -> Result<Held, Fault> {
    Ok(Held { connection: connection(columns)?, credential: credential(columns)? })
}

fn credential(columns: &mut Columns<'_>) -> Result<SealedCredential, Fault> {
    Ok(SealedCredential {
        connection: ConnectionId(columns.id()?),
        generation: columns.value()?,
        version: columns.count()?,
        data_key: columns.value()?,
        token_type: columns.value()?,
        access_token: columns.value()?,
        refresh_token: columns.value()?,
        previous_refresh_token: columns.value()?,
        id_token: columns.value()?,
    })
}

fn status(columns: &mut Columns<'_>) -> Result<ConnectionStatus, Fault> {
    let name = columns.text()?;
    match (name, columns.optional_json::<Reauth>()?, columns.optional_time()?) {
        ("active", _, _) => Ok(ConnectionStatus::Active),
        ("reauth_required", Some(reauth), _) => Ok(ConnectionStatus::ReauthRequired(reauth)),
        ("disconnecting", _, Some(since)) => Ok(ConnectionStatus::Disconnecting { since }),
        (other, _, _) => Err(Fault::Record(format!("not a status of a connection: {other:?}"))),
    }
}

fn variables_column(variables: &BTreeMap<String, String>) -> Result<Option<String>, Fault> {
    if variables.is_empty() { Ok(None) } else { json_column(variables).map(Some) }
}
