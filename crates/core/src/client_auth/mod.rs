//! Who is calling the token endpoint: RFC 6749 §2.3, RFC 7521 §4.2, OpenID Connect Core 1.0 §9.

mod assertion;
mod basic;
mod secret;

use std::sync::Arc;

pub use secret::{VerifiedSecrets, digest, sealed_place};

use crate::error::{Failure, Refusal};
use crate::model::{AuthMethod, Client};
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// What a request presents: the Authorization header, if it is there, and the body.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The value of the Authorization header.
    pub authorization: Option<&'a str>,
    /// The parameters of the body.
    pub params: &'a Params<'a>,
}

/// The client that the request proves to come from.
pub async fn authenticate(
    server: &AuthorizationServer,
    presented: Presented<'_>,
    now: Timestamp,
) -> Result<Arc<Client>, Failure> {
    let (client_id, proof) = proof(&presented)?;
    let client = server.store.client(&client_id).await?;
    let client = client.ok_or(Refusal::ClientAuthenticationFailed {})?;
    let registered = client.token_endpoint_auth_method;
    match (registered, &proof) {
        (AuthMethod::None, Proof::Nothing) => {}
        // RFC 6749 §2.3.1: the same secret may come in the header or in the body.
        (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, Proof::Secret(given)) => {
            secret::verify(server, &client, given).await?;
        }
        (AuthMethod::ClientSecretJwt, Proof::Assertion(token)) => {
            assertion::verify_hmac(server, &client, token, now).await?;
        }
        (AuthMethod::PrivateKeyJwt, Proof::Assertion(token)) => {
            assertion::verify_signature(server, &client, token, now).await?;
        }
        // OpenID Connect Core 1.0 §9: a client uses the method that it registered. A secret that
        // also signs assertions must not travel, and one that travels must not sign.
        (AuthMethod::ClientSecretJwt | AuthMethod::PrivateKeyJwt, _) | (_, Proof::Assertion(_)) => {
            let registered = registered.as_str();
            return Err(Refusal::OtherAuthenticationMethod { registered }.into());
        }
        // A public client that sends a secret has mixed something up; nobody checked that secret.
        (AuthMethod::None, Proof::Secret(_))
        | (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, Proof::Nothing) => {
            return Err(Refusal::ClientAuthenticationFailed {}.into());
        }
    }
    Ok(client)
}

/// How a request says that it comes from a client.
enum Proof {
    /// Only by its name.
    Nothing,
    /// In the header or in the body.
    Secret(String),
    /// RFC 7523 §2.2.
    Assertion(String),
}

/// The client that a request names, and its proof. One that is in two places is refused.
fn proof(presented: &Presented<'_>) -> Result<(String, Proof), Refusal> {
    let body_id = presented.params.get("client_id");
    let body_secret = presented.params.get("client_secret");
    let assertion = assertion::presented(presented.params)?;
    // RFC 6749 §2.3: the client must not use more than one authentication method in each request.
    let ways = [presented.authorization.is_some(), body_secret.is_some(), assertion.is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(Refusal::TwoAuthenticationMethods {});
    }
    if let Some(token) = assertion {
        return Ok((assertion::client_id(token, body_id)?, Proof::Assertion(token.to_owned())));
    }
    let Some(header) = presented.authorization else {
        let id = body_id.ok_or(Refusal::NoClientAuthentication {})?;
        let secret = body_secret.map(|secret| Proof::Secret(secret.to_owned()));
        return Ok((id.to_owned(), secret.unwrap_or(Proof::Nothing)));
    };
    let (id, secret) = basic::parse(header)?;
    if body_id.is_some_and(|body| body != id) {
        return Err(Refusal::TwoAuthenticationMethods {});
    }
    Ok((id, if secret.is_empty() { Proof::Nothing } else { Proof::Secret(secret) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(authorization: Option<&str>, body: &str) -> Refusal {
        let params = Params::parse(body.as_bytes()).expect("valid");
        let Err(refusal) = proof(&Presented { authorization, params: &params }) else {
            panic!("{body} is taken");
        };
        refusal
    }

    #[test]
    fn two_proofs_are_one_too_many() {
        let jwt = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
                   &client_assertion=e30.eyJpc3MiOiJhcHAifQ.AA";
        let basic = Some("Basic YXBwOng="); // app:x
        for (header, body) in [
            (basic, "client_secret=x"),
            (basic, jwt),
            (None, &*format!("client_secret=x&{jwt}")),
            (basic, "client_id=other"),
        ] {
            assert_eq!(refused(header, body), Refusal::TwoAuthenticationMethods {}, "{body}");
        }
    }

    #[test]
    fn a_client_assertion_comes_with_its_type_and_names_one_client() {
        let typed = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let token = "client_assertion=e30.eyJpc3MiOiJhcHAifQ.AA";
        let missing = |name| Refusal::MissingParameter { name };
        assert_eq!(refused(None, token), missing("client_assertion_type"));
        assert_eq!(refused(None, typed), missing("client_assertion"));
        let saml = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
        let refusal = refused(None, &format!("{saml}&{token}"));
        assert!(matches!(refusal, Refusal::ClientAssertionRefused { .. }), "{refusal}");
        let refusal = refused(None, &format!("{typed}&{token}&client_id=other"));
        assert!(matches!(refusal, Refusal::ClientAssertionRefused { .. }), "{refusal}");
        let refusal = refused(None, &format!("{typed}&client_assertion=x"));
        assert!(matches!(refusal, Refusal::ClientAssertionRefused { .. }), "{refusal}");
    }
}
