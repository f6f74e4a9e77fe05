//! What holds for a client, however it was registered: RFC 7591 §2, RFC 9700 §2.1 and §4.15.

use serde_json::Value;
use url::Url;

use super::text::{self, MOST_URI_BYTES};
use super::{Registrant, keys, refused};
use crate::authorize::redirect_uri::{is_loopback, registrable};
use crate::error::Refusal;
use crate::grants;
use crate::id::Id;
use crate::model::{AccessTokenFormat, AuthMethod, Client, GrantType};
use crate::policy::Policy;
use crate::time::Seconds;

/// Refuses a client that cannot be. What it was `before` it may stay, if it only changes.
pub fn check(
    policy: &Policy,
    client: &Client,
    registrant: Registrant,
    before: Option<&Client>,
) -> Result<(), Refusal> {
    client_id(&client.client_id)?;
    texts(client)?;
    redirects(client)?;
    grant_types(policy, client, registrant, before)?;
    response_types(client)?;
    scope(policy, client, registrant, before)?;
    authentication(client)?;
    tokens(policy, client)?;
    application_type(client)?;
    resource_server(client, registrant, before)?;
    integrations(policy, client, registrant, before)
}

fn client_id(id: &str) -> Result<(), Refusal> {
    let plain = id.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !plain || !(1..=200).contains(&id.len()) {
        let why = "it must be 1 to 200 ASCII characters without spaces and colons";
        return Err(refused("client_id", why));
    }
    // RFC 3986 §3.3: a dot or two would not stay in the URL of the registration.
    if matches!(id, "." | "..") {
        return Err(refused("client_id", "it must be more than dots"));
    }
    // RFC 9700 §4.15.1: a token about a client must not look like one about a person.
    if id.to_ascii_lowercase().parse::<Id>().is_ok() {
        let why = "it must not be a UUID, because those are the names of accounts";
        return Err(refused("client_id", why));
    }
    Ok(())
}

fn texts(client: &Client) -> Result<(), Refusal> {
    if let Some(why) = text::problem(&client.client_name) {
        return Err(refused("client_name", why));
    }
    let links = [
        ("client_uri", &client.client_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
        ("jwks_uri", &client.jwks_uri),
    ];
    for (name, link) in links {
        if let Some(why) = link.as_deref().and_then(text::link_problem) {
            return Err(refused(name, why));
        }
    }
    Ok(())
}

fn redirects(client: &Client) -> Result<(), Refusal> {
    for uri in &client.redirect_uris {
        if let Err(why) = bounded(uri) {
            let uri = text::shown(uri);
            return Err(Refusal::RedirectUriRefused { uri, why });
        }
    }
    for uri in &client.post_logout_redirect_uris {
        if let Err(why) = bounded(uri) {
            return Err(refused("post_logout_redirect_uris", why));
        }
    }
    // RFC 7591 §2: clients of flows with redirection must register their redirect URIs.
    if !client.response_types.is_empty() && client.redirect_uris.is_empty() {
        return Err(Refusal::RedirectUriNeeded {});
    }
    Ok(())
}

fn bounded(uri: &str) -> Result<(), String> {
    if uri.len() > MOST_URI_BYTES {
        return Err("it is longer than 2000 bytes".to_owned());
    }
    registrable(uri).map_err(|why| why.to_string())
}

fn grant_types(
    policy: &Policy,
    client: &Client,
    registrant: Registrant,
    before: Option<&Client>,
) -> Result<(), Refusal> {
    let held = |grant: GrantType| before.is_some_and(|own| own.may_use(grant));
    for grant in client.grant_types.iter().copied().filter(|own| !held(*own)) {
        let allowed = match registrant {
            // A grant that is off can be given before it is switched on.
            Registrant::Operator => true,
            Registrant::Itself => grants::enabled(policy, grant) && !is_a_favour(grant),
        };
        if !allowed {
            let why = format!("{} is for the operator of this server to give", grant.as_str());
            return Err(refused("grant_types", why));
        }
    }
    // RFC 6749 §4.4: client credentials are for confidential clients.
    if client.is_public() && client.may_use(GrantType::ClientCredentials) {
        let why = "client_credentials needs a client that authenticates";
        return Err(refused("grant_types", why));
    }
    // A refresh token comes with another grant.
    if client.grant_types == [GrantType::RefreshToken] {
        return Err(refused("grant_types", "refresh_token needs a grant that a token comes from"));
    }
    Ok(())
}

/// Grants that turn other people's tokens, or passwords, into tokens of one's own.
const fn is_a_favour(grant: GrantType) -> bool {
    match grant {
        GrantType::Password | GrantType::TokenExchange | GrantType::JwtBearer => true,
        GrantType::AuthorizationCode
        | GrantType::RefreshToken
        | GrantType::ClientCredentials
        | GrantType::Implicit
        | GrantType::DeviceCode => false,
    }
}

/// RFC 7591 §2.1: grant types and response types have to fit each other.
fn response_types(client: &Client) -> Result<(), Refusal> {
    let has_code = client.response_types.iter().any(|own| own.has_code());
    let has_front = client.response_types.iter().any(|own| own.is_front_channel());
    let may_code = client.may_use(GrantType::AuthorizationCode);
    let may_front = client.may_use(GrantType::Implicit);
    let (member, why) = match (has_code, may_code, has_front, may_front) {
        (true, false, _, _) => {
            ("response_types", "code needs authorization_code among the grant_types")
        }
        (false, true, _, _) => {
            ("grant_types", "authorization_code needs code among the response_types")
        }
        (_, _, true, false) => {
            ("response_types", "token and id_token need implicit among the grant_types")
        }
        (_, _, false, true) => {
            ("grant_types", "implicit needs token or id_token among the response_types")
        }
        _ => return Ok(()),
    };
    Err(refused(member, why))
}

fn scope(
    policy: &Policy,
    client: &Client,
    registrant: Registrant,
    before: Option<&Client>,
) -> Result<(), Refusal> {
    let held = |name: &str| before.is_some_and(|own| own.scope.contains(name));
    for name in client.scope.iter().filter(|name| !held(name)) {
        let why = match registrant {
            _ if !policy.scopes.contains_key(name) => "is not a scope of this server",
            Registrant::Itself if !policy.registration.offers(name) => {
                "is for the operator of this server to give"
            }
            Registrant::Itself | Registrant::Operator => continue,
        };
        return Err(refused("scope", format!("{} {why}", text::shown(name))));
    }
    Ok(())
}

fn authentication(client: &Client) -> Result<(), Refusal> {
    // RFC 7591 §2: jwks_uri and jwks must not both be present.
    if client.jwks.is_some() && client.jwks_uri.is_some() {
        return Err(refused("jwks", "send jwks or jwks_uri, not both"));
    }
    if let Some(why) = client.jwks.as_ref().and_then(keys::problem) {
        return Err(refused("jwks", why));
    }
    let keyless = client.jwks.is_none() && client.jwks_uri.is_none();
    if client.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt && keyless {
        let why = "private_key_jwt needs jwks or jwks_uri";
        return Err(refused("token_endpoint_auth_method", why));
    }
    let Some(alg) = kept(client, "token_endpoint_auth_signing_alg") else { return Ok(()) };
    let fits = match client.token_endpoint_auth_method {
        AuthMethod::ClientSecretJwt => alg == "HS256",
        AuthMethod::PrivateKeyJwt => alg.parse::<crate::jose::Algorithm>().is_ok(),
        AuthMethod::None | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => false,
    };
    let why = "it does not belong to the token_endpoint_auth_method";
    if fits { Ok(()) } else { Err(refused("token_endpoint_auth_signing_alg", why)) }
}

fn tokens(policy: &Policy, client: &Client) -> Result<(), Refusal> {
    let enabled = |alg| policy.keys.algorithms.contains(&alg);
    let jwt = client.access_token_format == Some(AccessTokenFormat::Jwt);
    let algs = [
        ("id_token_signed_response_alg", client.id_token_signed_response_alg, true),
        ("access_token_signed_response_alg", client.access_token_signed_response_alg, jwt),
    ];
    for (name, alg, used) in algs {
        if used && !enabled(alg) {
            return Err(refused(name, format!("this server has no {alg} keys (keys.algorithms)")));
        }
    }
    // The key that signed an ID token leaves the JWK set a day after it.
    if client.lifetimes.id_token.is_some_and(|own| own > Seconds::days(1)) {
        return Err(refused("lifetimes", "an ID token may live a day at most"));
    }
    let kind = kept(client, "subject_type").unwrap_or("public");
    let why = "only public is supported";
    if kind == "public" { Ok(()) } else { Err(refused("subject_type", why)) }
}

/// OpenID Connect Dynamic Client Registration 1.0 §2, for clients that name their type.
fn application_type(client: &Client) -> Result<(), Refusal> {
    match kept(client, "application_type") {
        None | Some("native") => return Ok(()),
        Some("web") => {}
        Some(_) => return Err(refused("application_type", "it must be web or native")),
    }
    let front = client.response_types.iter().any(|own| own.is_front_channel());
    for uri in &client.redirect_uris {
        let Ok(url) = Url::parse(uri) else { continue };
        let why = match url.scheme() {
            "https" if front && is_loopback(&url) => {
                "a web client with implicit may not use localhost"
            }
            "http" if front => "a web client with implicit must use https",
            "http" | "https" => continue,
            _ => "a web client must use https; register as native",
        };
        return Err(Refusal::RedirectUriRefused { uri: text::shown(uri), why: why.to_owned() });
    }
    Ok(())
}

fn resource_server(
    client: &Client,
    registrant: Registrant,
    before: Option<&Client>,
) -> Result<(), Refusal> {
    let own = &client.resource_server_for;
    let held = before.map(|client| &client.resource_server_for);
    match registrant {
        _ if own.is_empty() || held == Some(own) => Ok(()),
        Registrant::Itself => {
            let why = "which tokens a client may ask about is for the operator to say";
            Err(refused("resource_server_for", why))
        }
        Registrant::Operator if client.is_public() => {
            Err(refused("resource_server_for", "it needs a client that authenticates"))
        }
        Registrant::Operator => {
            let sound = |uri: &String| Url::parse(uri).is_ok_and(|url| url.fragment().is_none());
            let why = "each must be an absolute URI without a fragment";
            if own.iter().all(sound) { Ok(()) } else { Err(refused("resource_server_for", why)) }
        }
    }
}

/// What the client may have of the vault.
fn integrations(
    policy: &Policy,
    client: &Client,
    registrant: Registrant,
    before: Option<&Client>,
) -> Result<(), Refusal> {
    let own = &client.integrations;
    if !own.is_empty() && client.is_public() {
        return Err(refused("integrations", "it needs a client that authenticates"));
    }
    if own.is_empty() || before.is_some_and(|before| before.integrations == *own) {
        return Ok(());
    }
    let unknown = own.iter().find(|name| !policy.vault.integrations.contains_key(*name));
    match (registrant, unknown) {
        (Registrant::Itself, _) => Err(refused(
            "integrations",
            "whose tokens a client may have is for the operator to say",
        )),
        (Registrant::Operator, Some(name)) => {
            let name = text::shown(name);
            Err(refused("integrations", format!("there is no integration {name} in the settings")))
        }
        (Registrant::Operator, None) => Ok(()),
    }
}

fn kept<'a>(client: &'a Client, name: &str) -> Option<&'a str> {
    client.other_metadata.get(name).and_then(Value::as_str)
}
