//! The token endpoint's grants: RFC 6749 §4 to §6 and their extensions. One file each, one enum,
//! one match.

mod authorization_code;
mod client_credentials;
mod device_code;
mod jwt_bearer;
mod password;
mod provider_token;
mod refresh_token;
pub(crate) mod scope;
mod token_exchange;

use std::sync::Arc;

use crate::error::{Failure, Refusal};
use crate::model::{Client, GrantType};
use crate::params::Params;
use crate::policy::Policy;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::TokenResponse;
use crate::vault::audit::Origin;

/// Which grant a request asks for.
pub fn requested(params: &Params<'_>) -> Result<GrantType, Refusal> {
    params.refuse_any_doubled()?;
    let name = params.required("grant_type")?;
    // RFC 6749 §4.2: implicit is answered by the authorization endpoint only.
    let grant = GrantType::parse(name).filter(|grant| *grant != GrantType::Implicit);
    grant.ok_or_else(|| {
        let shown = name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-:.".contains(*c));
        Refusal::UnsupportedGrant { grant: shown.take(60).collect() }
    })
}

/// Whether the operator has enabled `grant`.
pub fn enabled(policy: &Policy, grant: GrantType) -> bool {
    match grant {
        GrantType::AuthorizationCode
        | GrantType::RefreshToken
        | GrantType::ClientCredentials
        | GrantType::Implicit
        | GrantType::DeviceCode
        | GrantType::TokenExchange => true,
        GrantType::Password => policy.password_grant,
        GrantType::JwtBearer => !policy.trusted_issuers.is_empty(),
    }
}

/// Exchanges a grant of an authenticated client for tokens.
pub async fn exchange(
    server: &AuthorizationServer,
    client: &Arc<Client>,
    grant: GrantType,
    params: &Params<'_>,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    if !enabled(&server.policy, grant) {
        return Err(Refusal::UnsupportedGrant { grant: grant.as_str().to_owned() }.into());
    }
    // RFC 6749 §5.2: unauthorized_client
    if !client.may_use(grant) {
        return Err(Refusal::GrantNotAllowed { grant: grant.as_str() }.into());
    }
    match grant {
        GrantType::AuthorizationCode => {
            authorization_code::exchange(server, client, params, now).await
        }
        GrantType::RefreshToken => refresh_token::exchange(server, client, params, now).await,
        GrantType::ClientCredentials => {
            client_credentials::exchange(server, client, params, now).await
        }
        GrantType::Password => password::exchange(server, client, params, now).await,
        GrantType::DeviceCode => device_code::exchange(server, client, params, now).await,
        GrantType::TokenExchange => {
            token_exchange::exchange(server, client, params, origin, now).await
        }
        GrantType::JwtBearer => jwt_bearer::exchange(server, client, params, now).await,
        GrantType::Implicit => {
            Err(Refusal::UnsupportedGrant { grant: grant.as_str().to_owned() }.into())
        }
    }
}
