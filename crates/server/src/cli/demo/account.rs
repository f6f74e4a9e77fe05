//! The demo's account and sample client: made at the first start, kept for the next.

use std::fs;
use std::path::Path;

use grantor_core::AuthorizationServer;
use grantor_core::client_auth;
use grantor_core::id::UserId;
use grantor_core::model::{
    ApiKeyAction, ApiKeyRights, AuthMethod, Client, ClientSecret, GrantType, ResponseType, Scope,
    User, UserStatus,
};
use grantor_core::registration::secret;
use grantor_core::store::Added;
use grantor_core::vault::api_key;
use grantor_core::vault::audit::Actor;
use zeroize::Zeroizing;

use super::google::INTEGRATION;
use crate::{key_file, password_text};

/// The client_id of the sample client.
pub(in crate::cli) const SAMPLE_ID: &str = "sample";

/// The client_id of the sample client's television.
pub(super) const TELEVISION_ID: &str = "sample-tv";

/// The name of the demo account.
const USERNAME: &str = "demo_user";

/// An account to sign in with.
pub(in crate::cli) struct Account {
    pub(in crate::cli) username: &'static str,
    pub(in crate::cli) password: String,
}

/// The account, with the password that the data folder remembers.
pub(super) async fn ensure(server: &AuthorizationServer, data: &Path) -> anyhow::Result<Account> {
    let file = data.join("demo-password");
    let email = format!("{USERNAME}@example.com");
    let existing = server.store.user_by_username(USERNAME).await?;
    if let (Some(_), Ok(password)) = (&existing, fs::read_to_string(&file)) {
        return Ok(Account { username: USERNAME, password: password.trim().to_owned() });
    }
    let password = password_text::generate(server.entropy.as_ref()).to_string();
    let hash = server.passwords.hash(&password).await?;
    let now = server.clock.now();
    if let Some(user) = existing {
        server.store.set_password(user.id, &hash, now).await?;
    } else {
        let user = User {
            id: UserId(server.new_id()),
            username: Some(USERNAME.to_owned()),
            email: Some(email.clone()),
            email_verified: false,
            name: Some("Demo User".to_owned()),
            external_subject: None,
            password: Some(hash),
            status: UserStatus::Active,
            created_at: now,
            updated_at: now,
        };
        anyhow::ensure!(
            server.store.add_user(user).await? == Added::Done,
            "the address {email} belongs to another account"
        );
    }
    key_file::write_private(&file, &password)?;
    Ok(Account { username: USERNAME, password })
}

/// The sample client, registered for where it runs this time. Answers its secret.
pub(super) async fn ensure_sample(
    server: &AuthorizationServer,
    data: &Path,
    url: &str,
) -> anyhow::Result<String> {
    let file = data.join("sample-secret");
    let secret = match fs::read_to_string(&file) {
        Ok(secret) => secret.trim().to_owned(),
        Err(_) => secret::random(server.entropy.as_ref()),
    };
    key_file::write_private(&file, &secret)?;
    let digest = client_auth::digest(SAMPLE_ID, &secret);
    let client = Client {
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        secret: Some(ClientSecret::Sha256(digest)),
        client_name: "Fieldnotes".to_owned(),
        client_uri: Some(url.to_owned()),
        redirect_uris: vec![format!("{url}/callback")],
        post_logout_redirect_uris: vec![format!("{url}/")],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        response_types: vec![ResponseType::Code],
        scope: Scope::parse("openid profile email read")?,
        ..Client::new(SAMPLE_ID, server.clock.now())
    };
    register(server, client).await?;
    Ok(secret)
}

/// The client of the page that plays a television: it has no secret, and no redirect URI.
pub(super) async fn ensure_television(
    server: &AuthorizationServer,
    url: &str,
) -> anyhow::Result<()> {
    let client = Client {
        client_name: "Fieldnotes TV".to_owned(),
        client_uri: Some(url.to_owned()),
        grant_types: vec![GrantType::DeviceCode],
        scope: Scope::parse("openid profile read")?,
        ..Client::new(TELEVISION_ID, server.clock.now())
    };
    register(server, client).await
}

/// The API key with which the sample client asks the vault, kept in the data folder.
pub(super) async fn ensure_sample_key(
    server: &AuthorizationServer,
    data: &Path,
) -> anyhow::Result<Zeroizing<String>> {
    let file = data.join("sample-api-key");
    let now = server.clock.now();
    if let Ok(text) = fs::read_to_string(&file).map(Zeroizing::new)
        && api_key::authenticate(server, text.trim(), now).await.is_ok()
    {
        return Ok(Zeroizing::new(text.trim().to_owned()));
    }
    let rights = ApiKeyRights {
        actions: vec![ApiKeyAction::Token, ApiKeyAction::Connect],
        integrations: Some(vec![INTEGRATION.to_owned()]),
        ..ApiKeyRights::default()
    };
    let actor = Actor::local("demo");
    let made = api_key::create(server, "fieldnotes", rights, None, &actor, now).await?;
    key_file::write_private(&file, &made.text)?;
    Ok(made.text)
}

async fn register(server: &AuthorizationServer, mut client: Client) -> anyhow::Result<()> {
    // Its tokens outlive a restart, as long as it is the same client.
    if let Some(before) = server.store.client(&client.client_id).await? {
        client.created_at = before.created_at;
    }
    server.store.import_clients(vec![client], true).await?;
    Ok(())
}
