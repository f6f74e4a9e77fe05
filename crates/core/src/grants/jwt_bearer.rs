//! The JWT bearer grant: RFC 7523 §2.1. An issuer that the operator trusts says who a person is.
//!
//! The operator's word stands in for the person's consent, so none is asked for or remembered, and
//! nothing outlives the access token: for the next one the client brings the next assertion.

use super::scope;
use crate::assertion::{Claims, Expected, Flaw, KeySource, NOT_SIGNED, claimed_issuer};
use crate::error::{Failure, Refusal};
use crate::id::UserId;
use crate::jose::verify_compact;
use crate::model::{ClaimsRequest, Client, User};
use crate::params::Params;
use crate::policy::{IssuerKeys, SubjectIs, TrustedIssuer};
use crate::resource;
use crate::server::AuthorizationServer;
use crate::store::Once;
use crate::time::Timestamp;
use crate::tokens::{Granted, TokenResponse, issue, subject_active};

/// Issues a token for the subject of an assertion.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let token = params.required("assertion")?;
    let scope = scope::requested(&server.policy, client, params)?;
    let resource = resource::requested(&server.policy, params)?;
    let issuer = claimed_issuer(token).map_err(refused)?;
    // RFC 7521 §5.2: the issuer must be known, and its keys with it.
    let issuer = server.policy.trusted_issuers.iter().find(|own| own.issuer == issuer);
    let issuer = issuer.ok_or(refused("is of an issuer that this server does not trust"))?;
    let claims = verify(server, issuer, token, now).await?;
    let user = subject(server, issuer.subject, &claims.subject).await?;
    let user = subject_active(user.as_ref());
    let user = user.ok_or(refused("is about nobody who has an active account here"))?;
    let granted = Granted {
        client,
        user: Some(user),
        session: None,
        authentication: None,
        scope,
        resource: resource.clone(),
        audience: resource,
        claims: ClaimsRequest::default(),
        nonce: None,
        // RFC 7521 §4.1: a refresh token would outlive the assertion.
        refresh: false,
        id_token: false,
    };
    let (issued, answer) = issue(server, granted, now)?;
    let spent = claims.spend(server.store.as_ref(), Once::GrantAssertion, now).await?;
    spent.map_err(refused)?;
    server.store.issue_tokens(issued, None, now).await?;
    Ok(answer)
}

async fn verify(
    server: &AuthorizationServer,
    issuer: &TrustedIssuer,
    token: &str,
    now: Timestamp,
) -> Result<Claims, Failure> {
    let source = match &issuer.keys {
        IssuerKeys::Set(set) => KeySource::Set(set),
        IssuerKeys::Uri(uri) => KeySource::Uri(uri),
    };
    let set = source.keys_for(token, &server.key_sets, server.outbound.as_ref(), now).await;
    let set = set.map_err(refused)?;
    let verified = verify_compact(token, &set.keys, &issuer.algorithms);
    // RFC 7523 §3: the signature or MAC must hold.
    let verified = verified.map_err(|_| refused(NOT_SIGNED))?;
    let expected = Expected { audience: &server.policy.issuer, typ: "authorization-grant+jwt" };
    let claims = expected.check(verified.header.typ.as_deref(), &verified.payload, now);
    Ok(claims.map_err(refused)?)
}

async fn subject(
    server: &AuthorizationServer,
    means: SubjectIs,
    subject: &str,
) -> Result<Option<User>, Failure> {
    Ok(match means {
        SubjectIs::Id => match subject.parse::<UserId>() {
            Ok(id) => server.store.user(id).await?,
            Err(_) => None,
        },
        SubjectIs::Username => server.store.user_by_username(subject).await?,
        SubjectIs::Email => server.store.user_by_email(subject).await?,
    })
}

/// RFC 7523 §3.1: whatever is wrong with the assertion, the grant is invalid.
const fn refused(why: Flaw) -> Refusal {
    Refusal::AssertionRefused { why }
}
