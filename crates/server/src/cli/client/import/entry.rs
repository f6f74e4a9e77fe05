//! One entry of a file of clients: our own export, or the fewer members of other servers.

use anyhow::{Context as _, bail, ensure};
use argon2::password_hash::phc::PasswordHash;
use grantor_core::AuthorizationServer;
use grantor_core::client_auth;
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    AuthMethod, Client, ClientSecret, GrantType, OnNewToken, ResponseType, Scope,
};
use grantor_core::registration::secret::{self, has_secret};
use grantor_core::registration::{self, Registrant};
use grantor_core::secret::Digest;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

/// What the members say about the id.
pub(super) fn id(key: Option<&str>, members: &Map<String, Value>) -> Option<String> {
    let own = members.get("client_id").and_then(Value::as_str);
    key.or(own).map(str::to_owned)
}

/// The client that the members describe.
pub(super) async fn client(
    server: &AuthorizationServer,
    key: Option<String>,
    mut members: Map<String, Value>,
) -> anyhow::Result<Client> {
    let id = id(key.as_deref(), &members).context("it has no client_id")?;
    if let Some(own) = members.remove("client_id") {
        ensure!(own == json!(id), "its client_id is {own}");
    }
    let secret = text(&mut members, "client_secret")?;
    let token = text(&mut members, "registration_token")?;
    let foreign = translate(&mut members)?;
    let mut client = described(server, id, members, secret.is_some(), foreign)?;
    registration::check(&server.policy, &client, Registrant::Operator, None)?;
    client.secret = stored(server, &client, secret).await?;
    client.registration_token = match token {
        None => None,
        Some(text) => Some(Digest::parse(&text).context("registration_token is not a digest")?),
    };
    Ok(client)
}

fn text(members: &mut Map<String, Value>, name: &str) -> anyhow::Result<Option<String>> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            bail!("{name} must be a string")
        }
    }
}

/// Turns the member names of other servers into ours; whether there were any.
fn translate(members: &mut Map<String, Value>) -> anyhow::Result<bool> {
    let mut foreign = false;
    for (theirs, ours) in [
        ("grant_type", "grant_types"),
        ("response_type", "response_types"),
        ("redirect_uri", "redirect_uris"),
    ] {
        if let Some(value) = members.remove(theirs) {
            ensure!(!members.contains_key(ours), "it has both {theirs} and {ours}");
            members.insert(ours.to_owned(), value);
            foreign = true;
        }
    }
    for name in ["grant_types", "redirect_uris"] {
        if let Some(Value::String(words)) = members.get(name) {
            let words: Vec<&str> = words.split([' ', ',']).filter(|own| !own.is_empty()).collect();
            let words = json!(words);
            members.insert(name.to_owned(), words);
        }
    }
    if let Some(Value::String(one)) = members.get("response_types") {
        let one = json!([one]);
        members.insert("response_types".to_owned(), one);
    }
    if let Some(Value::Array(names)) = members.get("scope") {
        let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
        let scope = json!(names.context("scope must be a string or a list of strings")?.join(" "));
        members.insert("scope".to_owned(), scope);
    }
    Ok(foreign)
}

/// Members that a client has beside those that are always written.
const OPTIONAL: [&str; 6] = [
    "jwks",
    "jwks_uri",
    "access_token_format",
    "resource_server_for",
    "integrations",
    "other_metadata",
];

fn described(
    server: &AuthorizationServer,
    id: String,
    members: Map<String, Value>,
    with_secret: bool,
    foreign: bool,
) -> anyhow::Result<Client> {
    let own = |name: &str| members.contains_key(name);
    let (has_method, has_types, has_scope) =
        (own("token_endpoint_auth_method"), own("response_types"), own("scope"));
    let (has_refresh, has_pkce, has_rule) =
        (own("refresh"), own("require_pkce"), own("on_new_token"));
    let with_keys = own("jwks") || own("jwks_uri");
    let mut client = overlay(server, id, members)?;
    if !has_method {
        client.token_endpoint_auth_method = match (with_secret, with_keys) {
            (true, _) => AuthMethod::ClientSecretBasic,
            (false, true) => AuthMethod::PrivateKeyJwt,
            (false, false) => AuthMethod::None,
        };
    }
    if !has_types {
        client.response_types = registration::default_response_types(&client.grant_types);
    }
    if !has_scope {
        client.scope = registration::default_scope(&server.policy, &client.grant_types);
    }
    if !has_refresh {
        client.refresh = registration::default_refresh(&client);
    }
    // Clients of other servers may not know PKCE; public ones have to learn it.
    client.require_pkce = client.is_public() || (has_pkce && client.require_pkce);
    if !has_rule && foreign && registration::is_machine(&client.grant_types) {
        client.on_new_token = OnNewToken::RevokePrevious;
    }
    Ok(client)
}

/// A client with defaults, and `members` over them.
fn overlay(
    server: &AuthorizationServer,
    id: String,
    members: Map<String, Value>,
) -> anyhow::Result<Client> {
    let mut base = Client::new(id, server.clock.now());
    base.grant_types = vec![GrantType::AuthorizationCode];
    base.response_types = vec![ResponseType::Code];
    // OpenID Connect Dynamic Client Registration 1.0 §2: what a client expects that says nothing.
    base.id_token_signed_response_alg = Algorithm::Rs256;
    let mut whole = serde_json::to_value(base)?.as_object().cloned().unwrap_or_default();
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        let known = whole.contains_key(&name) || OPTIONAL.contains(&name.as_str());
        ensure!(known, "{name} is no member of a client");
        // One more at a time, so that an error is about this one.
        whole.insert(name.clone(), value);
        Client::deserialize(&Value::Object(whole.clone())).with_context(|| name)?;
    }
    let client = Client::deserialize(&Value::Object(whole))?;
    let scope = Scope::parse(client.scope.as_str())?;
    Ok(Client { scope, ..client })
}

async fn stored(
    server: &AuthorizationServer,
    client: &Client,
    given: Option<String>,
) -> anyhow::Result<Option<ClientSecret>> {
    let (id, method) = (client.client_id.as_str(), client.token_endpoint_auth_method);
    let Some(given) = given else {
        ensure!(!has_secret(method), "it has no client_secret");
        return Ok(None);
    };
    let known = ClientSecret::parse(&given);
    match &known {
        None => {
            let marked = ["sha256:", "sealed:", "$argon2"].iter().any(|own| given.starts_with(own));
            ensure!(!marked, "its client_secret is not in the form that an export writes");
            return Ok(secret::make(server, id, method, Some(&given)).await?.map(|own| own.stored));
        }
        Some(ClientSecret::Argon2id(phc)) => {
            ensure!(PasswordHash::new(phc).is_ok(), "its client_secret is not an argon2id hash");
        }
        Some(ClientSecret::Sealed(sealed)) => {
            let opened = server.ring.open(sealed, &client_auth::sealed_place(id));
            opened.map(drop).context(
                "its client_secret was sealed under another key-encryption key; bring that key, or give it a new secret",
            )?;
        }
        Some(ClientSecret::Sha256(_)) => {}
    }
    let fits = secret::fits(known.as_ref(), method);
    ensure!(fits, "its client_secret does not belong to the method {}", method.as_str());
    Ok(known)
}
