//! Connections and their tokens: the rows of `connection` and `credential`.

use std::collections::BTreeMap;

use grantor_core::id::ConnectionId;
use grantor_core::model::{Account, Connection, ConnectionStatus, Reauth, SealedCredential};
use grantor_core::store::{Held, Selector};

use crate::columns::{Columns, Unreadable, Value, json_column, number, values};

/// The columns of a connection, those of the table that is named: `""`, or `"x."`.
macro_rules! connection_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, integration, client_id, subject, account_sub, account_email,
            account_name, account_organization, scope, requested_scope, status,
            reauth, disconnecting_since, generation, version, issued_at, expires_at,
            refreshable, refresh_expires_at, refresh_used_at, rotates, variables,
            trouble, due_at, created_at, connected_at, last_used_at
        )
    };
}
pub(crate) use connection_columns;

/// The columns of the tokens of a connection, those of the table that is named: `""`, or `"x."`.
macro_rules! credential_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            connection_id, generation, version, data_key, token_type, access_token,
            refresh_token, previous_refresh_token, id_token
        )
    };
}
pub(crate) use credential_columns;

/// What is bound for [`connection_columns`].
pub(crate) fn row(own: &Connection) -> Result<[Value<'_>; 27], Unreadable> {
    let (status, reauth, leaving) = status_columns(&own.status)?;
    Ok(values![
        own.id.0,
        &own.integration,
        &own.client_id,
        &own.subject,
        &own.account.sub,
        own.account.email.as_deref(),
        own.account.name.as_deref(),
        own.account.organization.as_deref(),
        own.scope.as_str(),
        own.requested.as_str(),
        status,
        reauth,
        leaving,
        own.generation,
        number(own.version)?,
        own.issued_at,
        own.expires_at,
        own.refreshable,
        own.refresh_expires_at,
        own.refresh_used_at,
        own.rotates,
        variables_column(&own.variables)?,
        own.trouble.as_ref().map(json_column).transpose()?,
        own.due_at,
        own.created_at,
        own.connected_at,
        own.last_used_at,
    ])
}

/// What is bound for what may change of a connection: its id, `scope`, `requested_scope`, `status`,
/// `reauth`, `generation`, `version`, `issued_at`, `expires_at`, `refreshable`,
/// `refresh_expires_at`, `refresh_used_at`, `rotates`, `variables`, `trouble`, `due_at`,
/// `connected_at`, `client_id` and `disconnecting_since`.
pub(crate) fn changes(id: ConnectionId, own: &Connection) -> Result<[Value<'_>; 19], Unreadable> {
    let (status, reauth, leaving) = status_columns(&own.status)?;
    Ok(values![
        id.0,
        own.scope.as_str(),
        own.requested.as_str(),
        status,
        reauth,
        own.generation,
        number(own.version)?,
        own.issued_at,
        own.expires_at,
        own.refreshable,
        own.refresh_expires_at,
        own.refresh_used_at,
        own.rotates,
        variables_column(&own.variables)?,
        own.trouble.as_ref().map(json_column).transpose()?,
        own.due_at,
        own.connected_at,
        &own.client_id,
        leaving,
    ])
}

/// What is bound for [`credential_columns`].
pub(crate) fn credential_row(own: &SealedCredential) -> Result<[Value<'_>; 9], Unreadable> {
    Ok(values![
        own.connection.0,
        own.generation,
        number(own.version)?,
        &own.data_key,
        &own.token_type,
        &own.access_token,
        own.refresh_token.as_deref(),
        own.previous_refresh_token.as_deref(),
        own.id_token.as_deref(),
    ])
}

/// What is bound for the tokens of a refresh: the connection, `version`, `token_type`,
/// `access_token`, `refresh_token`, `previous_refresh_token` and `id_token`.
pub(crate) fn renewal_row(own: &SealedCredential) -> Result<[Value<'_>; 7], Unreadable> {
    Ok(values![
        own.connection.0,
        number(own.version)?,
        &own.token_type,
        &own.access_token,
        own.refresh_token.as_deref(),
        own.previous_refresh_token.as_deref(),
        own.id_token.as_deref(),
    ])
}

/// The columns `status`, `reauth` and `disconnecting_since`.
pub(crate) fn status_columns(
    status: &ConnectionStatus,
) -> Result<(&'static str, Option<String>, Option<i64>), Unreadable> {
    let name = status_name(status);
    Ok(match status {
        ConnectionStatus::Active => (name, None, None),
        ConnectionStatus::ReauthRequired(reauth) => (name, Some(json_column(reauth)?), None),
        ConnectionStatus::Disconnecting { since } => (name, None, Some(since.epoch())),
    })
}

/// Whether a connection that was found by its id is among those that the selector means.
pub(crate) fn means(selector: &Selector, status: Option<&str>, own: &Connection) -> bool {
    let among = |list: &Option<Vec<String>>, value: &String| {
        list.as_ref().is_none_or(|list| list.contains(value))
    };
    let account = selector.account.as_ref().is_none_or(|account| {
        let address = own.account.email.as_ref();
        own.account.sub == *account
            || address.is_some_and(|address| address.eq_ignore_ascii_case(account))
    });
    account
        && among(&selector.integrations, &own.integration)
        && among(&selector.subjects, &own.subject)
        && status.is_none_or(|status| status_name(&own.status) == status)
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
pub(crate) fn connection(columns: &mut Columns<'_>) -> Result<Connection, Unreadable> {
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
        version: columns.value()?,
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
pub(crate) fn held(columns: &mut Columns<'_>) -> Result<Held, Unreadable> {
    Ok(Held { connection: connection(columns)?, credential: credential(columns)? })
}

fn credential(columns: &mut Columns<'_>) -> Result<SealedCredential, Unreadable> {
    Ok(SealedCredential {
        connection: ConnectionId(columns.id()?),
        generation: columns.value()?,
        version: columns.value()?,
        data_key: columns.value()?,
        token_type: columns.value()?,
        access_token: columns.value()?,
        refresh_token: columns.value()?,
        previous_refresh_token: columns.value()?,
        id_token: columns.value()?,
    })
}

fn status(columns: &mut Columns<'_>) -> Result<ConnectionStatus, Unreadable> {
    let name = columns.text()?;
    match (&*name, columns.optional_json::<Reauth>()?, columns.optional_time()?) {
        ("active", _, _) => Ok(ConnectionStatus::Active),
        ("reauth_required", Some(reauth), _) => Ok(ConnectionStatus::ReauthRequired(reauth)),
        ("disconnecting", _, Some(since)) => Ok(ConnectionStatus::Disconnecting { since }),
        (other, _, _) => Err(Unreadable(format!("not a status of a connection: {other:?}"))),
    }
}

pub(crate) fn variables_column(
    variables: &BTreeMap<String, String>,
) -> Result<Option<String>, Unreadable> {
    if variables.is_empty() { Ok(None) } else { json_column(variables).map(Some) }
}
