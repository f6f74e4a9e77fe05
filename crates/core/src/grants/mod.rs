//! The token endpoint's grants: RFC 6749 §4 to §6. One file each, one enum, one match.

mod authorization_code;
mod refresh_token;

use std::sync::Arc;

use crate::error::{Failure, Refusal};
use crate::model::{Client, GrantType};
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::TokenResponse;

/// Which grant a request asks for.
pub fn requested(params: &Params<'_>) -> Result<GrantType, Refusal> {
    params.refuse_any_doubled()?;
    let name = params.required("grant_type")?;
    GrantType::parse(name).ok_or_else(|| {
        let shown = name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-:.".contains(*c));
        Refusal::UnsupportedGrant { grant: shown.take(60).collect() }
    })
}

/// Exchanges a grant of an authenticated client for tokens.
pub async fn exchange(
    server: &AuthorizationServer,
    client: &Arc<Client>,
    grant: GrantType,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    // RFC 6749 §5.2: unauthorized_client
    if !client.may_use(grant) {
        return Err(Refusal::GrantNotAllowed { grant: grant.as_str() }.into());
    }
    match grant {
        GrantType::AuthorizationCode => {
            authorization_code::exchange(server, client, params, now).await
        }
        GrantType::RefreshToken => refresh_token::exchange(server, client, params, now).await,
    }
}
