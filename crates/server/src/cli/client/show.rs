//! `grantor client list` and `grantor client show`.

use grantor_core::AuthorizationServer;
use grantor_core::model::{Client, ClientSecret};
use serde_json::{Map, Value};

use super::find;
use crate::cli::output::{Column, json, table};

pub(super) async fn list(server: &AuthorizationServer, as_json: bool) -> anyhow::Result<()> {
    let clients = server.store.clients().await?;
    if as_json {
        let clients: Result<Vec<_>, _> = clients.iter().map(members).collect();
        return json(&clients?);
    }
    table(
        &[
            Column::Whole("client_id"),
            Column::Text("name"),
            Column::Text("kind"),
            Column::Text("grants"),
            Column::Text("scope"),
            Column::Text("redirect URIs"),
        ],
        clients.iter().map(|client| {
            let kind = if client.is_public() { "public" } else { "confidential" };
            vec![
                client.client_id.clone(),
                client.client_name.clone(),
                kind.to_owned(),
                grants(client),
                client.scope.to_string(),
                client.redirect_uris.join(", "),
            ]
        }),
    );
    Ok(())
}

fn grants(client: &Client) -> String {
    let names: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    names.join("\n")
}

pub(super) async fn one(
    server: &AuthorizationServer,
    client_id: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let members = members(&find(server, client_id).await?)?;
    if as_json {
        return json(&members);
    }
    table(
        &[Column::Whole("setting"), Column::Text("value")],
        members.into_iter().map(|(name, value)| {
            let text = match value {
                Value::Null => "-".to_owned(),
                Value::String(text) => text,
                other => other.to_string(),
            };
            vec![name, text]
        }),
    );
    Ok(())
}

/// Everything but the secret; of that, how it is kept.
fn members(client: &Client) -> anyhow::Result<Map<String, Value>> {
    let mut members = serde_json::to_value(client)?.as_object().cloned().unwrap_or_default();
    let kept = client.secret.as_ref().map(|secret| match secret {
        ClientSecret::Sha256(_) => "sha256",
        ClientSecret::Argon2id(_) => "argon2id",
        ClientSecret::Sealed(_) => "sealed",
    });
    members.insert("secret_kept_as".to_owned(), kept.into());
    members.insert("manages_itself".to_owned(), client.registration_token.is_some().into());
    Ok(members)
}
