//! Connections, their tokens and attempts to refresh them as hashes: `connection:<id>`,
//! `credential:<id>` and `refresh:<connection id>`.

use grantor_core::id::ConnectionId;
use grantor_core::model::{
    Account, Connection, ConnectionStatus, RefreshAttempt, SealedCredential,
};

use super::fault::Fault;
use super::fields::{Fields, Hash};
use super::script::Call;
use crate::records::connections::status_name;

/// Adds what a script needs to store a connection.
pub(super) fn with_connection<'i>(call: Call<'i>, own: &Connection) -> Result<Call<'i>, Fault> {
    let call = call.key(connection_key(own.id)).fields(connection_fields(own)?).arg(&own.id);
    let call = call.arg(&own.integration).arg(&own.subject).arg(&own.account.sub);
    let call = call.maybe(own.account.email.as_ref()).text(status_name(&own.status));
    Ok(call.maybe(own.due_at.as_ref()))
}

/// Adds what a script needs to store tokens.
pub(super) fn with_credential<'i>(call: Call<'i>, own: &SealedCredential) -> Call<'i> {
    let fields = Fields::default()
        .with("connection_id", &own.connection)
        .with("generation", &own.generation)
        .with("version", &own.version)
        .with("data_key", &own.data_key)
        .with("token_type", &own.token_type)
        .with("access_token", &own.access_token)
        .maybe("refresh_token", own.refresh_token.as_ref())
        .maybe("previous_refresh_token", own.previous_refresh_token.as_ref())
        .maybe("id_token", own.id_token.as_ref());
    call.key(credential_key(own.connection)).fields(fields).arg(&own.data_key)
}

fn connection_fields(own: &Connection) -> Result<Fields, Fault> {
    Fields::default()
        .with("id", &own.id)
        .with("integration", &own.integration)
        .with("client_id", &own.client_id)
        .with("subject", &own.subject)
        .with("account_sub", &own.account.sub)
        .maybe("account_email", own.account.email.as_ref())
        .maybe("account_name", own.account.name.as_ref())
        .maybe("account_organization", own.account.organization.as_ref())
        .with("scope", &own.scope)
        .with("requested_scope", &own.requested)
        .with("generation", &own.generation)
        .with("version", &own.version)
        .with("issued_at", &own.issued_at)
        .maybe("expires_at", own.expires_at.as_ref())
        .with("refreshable", &own.refreshable)
        .maybe("refresh_expires_at", own.refresh_expires_at.as_ref())
        .with("refresh_used_at", &own.refresh_used_at)
        .maybe("rotates", own.rotates.as_ref())
        .maybe("due_at", own.due_at.as_ref())
        .with("created_at", &own.created_at)
        .with("connected_at", &own.connected_at)
        .maybe("last_used_at", own.last_used_at.as_ref())
        .status(&own.status)?
        .json_if(!own.variables.is_empty(), "variables", &own.variables)?
        .json_if(own.trouble.is_some(), "trouble", &own.trouble)
}

impl Fields {
    /// Adds the fields of a status.
    pub(super) fn status(self, status: &ConnectionStatus) -> Result<Self, Fault> {
        let fields = self.text("status", status_name(status));
        match status {
            ConnectionStatus::Active => Ok(fields),
            ConnectionStatus::ReauthRequired(reauth) => fields.json("reauth", reauth),
            ConnectionStatus::Disconnecting { since } => {
                Ok(fields.with("disconnecting_since", since))
            }
        }
    }
}

/// Reads a connection.
pub(super) fn connection(hash: &Hash) -> Result<Connection, Fault> {
    Ok(Connection {
        id: hash.get("id")?,
        integration: hash.get("integration")?,
        client_id: hash.get("client_id")?,
        subject: hash.get("subject")?,
        account: Account {
            sub: hash.get("account_sub")?,
            email: hash.maybe("account_email")?,
            name: hash.maybe("account_name")?,
            organization: hash.maybe("account_organization")?,
        },
        scope: hash.get("scope")?,
        requested: hash.get("requested_scope")?,
        status: status(hash)?,
        generation: hash.get("generation")?,
        version: hash.get("version")?,
        issued_at: hash.get("issued_at")?,
        expires_at: hash.maybe("expires_at")?,
        refreshable: hash.get("refreshable")?,
        refresh_expires_at: hash.maybe("refresh_expires_at")?,
        refresh_used_at: hash.get("refresh_used_at")?,
        rotates: hash.maybe("rotates")?,
        variables: hash.json_or_none("variables")?,
        trouble: hash.maybe_json("trouble")?,
        due_at: hash.maybe("due_at")?,
        created_at: hash.get("created_at")?,
        connected_at: hash.get("connected_at")?,
        last_used_at: hash.maybe("last_used_at")?,
    })
}

fn status(hash: &Hash) -> Result<ConnectionStatus, Fault> {
    let name: String = hash.get("status")?;
    match &*name {
        "active" => Ok(ConnectionStatus::Active),
        "reauth_required" => Ok(ConnectionStatus::ReauthRequired(hash.json("reauth")?)),
        "disconnecting" => {
            Ok(ConnectionStatus::Disconnecting { since: hash.get("disconnecting_since")? })
        }
        other => Err(Fault::Record(format!("not a status of a connection: {other:?}"))),
    }
}

/// Reads tokens.
pub(super) fn credential(hash: &Hash) -> Result<SealedCredential, Fault> {
    Ok(SealedCredential {
        connection: hash.get("connection_id")?,
        generation: hash.get("generation")?,
        version: hash.get("version")?,
        data_key: hash.get("data_key")?,
        token_type: hash.get("token_type")?,
        access_token: hash.get("access_token")?,
        refresh_token: hash.maybe("refresh_token")?,
        previous_refresh_token: hash.maybe("previous_refresh_token")?,
        id_token: hash.maybe("id_token")?,
    })
}

/// An attempt to refresh, to be written.
pub(super) fn attempt_fields(attempt: &RefreshAttempt) -> Fields {
    Fields::default()
        .with("connection_id", &attempt.connection)
        .with("id", &attempt.id)
        .with("generation", &attempt.generation)
        .with("version", &attempt.version)
        .with("again", &attempt.again)
        .with("started_at", &attempt.started_at)
        .with("leased_until", &attempt.until)
}

pub(super) fn connection_key(id: ConnectionId) -> String {
    format!("connection:{id}")
}

pub(super) fn credential_key(id: ConnectionId) -> String {
    format!("credential:{id}")
}

pub(super) fn attempt_key(id: ConnectionId) -> String {
    format!("refresh:{id}")
}
