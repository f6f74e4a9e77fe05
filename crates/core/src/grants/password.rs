//! The resource owner password credentials grant: RFC 6749 §4.3. RFC 9700 §2.4 says that it must
//! not be used; it is here, behind a switch of the server and one of the client, for those that
//! cannot change.

use super::scope;
use crate::error::{Failure, Refusal};
use crate::model::{ClaimsRequest, Client, Consent, MethodName};
use crate::params::Params;
use crate::resource;
use crate::server::AuthorizationServer;
use crate::signin;
use crate::time::Timestamp;
use crate::tokens::{Granted, TokenResponse, issue};

/// Issues tokens for a name and a password. Whoever tells a client the password has consented to
/// what the client asks for, and can withdraw that like any other consent.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let (username, password) = (params.required("username")?, params.required("password")?);
    let scope = scope::requested(&server.policy, client, params)?;
    let resource = resource::requested(&server.policy, params)?;
    let allowed = server.policy.sign_in.methods.contains(&MethodName::Password)
        && (client.sign_in_methods.is_empty()
            || client.sign_in_methods.contains(&MethodName::Password));
    if !allowed {
        return Err(Refusal::PasswordNotAllowed {}.into());
    }
    let signed_in = signin::password::sign_in(server, username, password, now).await?;
    // RFC 6749 §4.3.3: wrong credentials are an invalid_grant.
    let signed_in = signed_in.ok_or(Refusal::PasswordWrong {})?;
    let consent = Consent {
        user: signed_in.user.id,
        client_id: client.client_id.clone(),
        scope: scope.clone(),
        created_at: now,
        updated_at: now,
    };
    let granted = Granted {
        client,
        user: Some(&signed_in.user),
        session: None,
        authentication: Some(signed_in.authentication),
        scope,
        resource: resource.clone(),
        audience: resource,
        claims: ClaimsRequest::default(),
        nonce: None,
        refresh: true,
        id_token: true,
    };
    let (issued, answer) = issue(server, granted, now)?;
    server.store.issue_tokens(issued, Some(consent), now).await?;
    Ok(answer)
}
