//! Resource indicators: which API a token is for (RFC 8707).

use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::model::{AccessTokenFormat, Client, Scope};
use crate::params::Params;
use crate::policy::Policy;

/// The resources that a request names in `resource`, each once. Empty means this server's own.
pub(crate) fn requested(policy: &Policy, params: &Params<'_>) -> Result<Vec<String>, Refusal> {
    known(policy, params.all("resource"))
}

/// `names`, if the operator has named each of them.
pub(crate) fn known<'a>(
    policy: &Policy,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, Refusal> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        // RFC 8707 §2: invalid_target for a resource that is unknown, malformed or not allowed.
        if name != policy.issuer && !policy.resources.contains_key(name) {
            return Err(Refusal::ResourceUnknown {});
        }
        if !found.iter().any(|own| own == name) {
            found.push(name.to_owned());
        }
    }
    if found == [policy.issuer.as_str()] {
        found.clear();
    }
    Ok(found)
}

/// What a token request names, within what was granted; all of that when it names none.
// RFC 8707 §2.2: the resources of a token request are among those that were granted.
pub(crate) fn narrowed(
    policy: &Policy,
    granted: &[String],
    params: &Params<'_>,
) -> Result<Vec<String>, Refusal> {
    if params.all("resource").next().is_none() {
        return Ok(granted.to_vec());
    }
    let asked = requested(policy, params)?;
    let covers = |name: &String| granted.contains(name);
    if asked.is_empty() != granted.is_empty() && !granted.contains(&policy.issuer)
        || !asked.iter().all(covers)
    {
        return Err(Refusal::ResourceNotGranted {});
    }
    Ok(asked)
}

/// Whether a token with this audience is for this server's own endpoints.
pub(crate) fn is_own(policy: &Policy, audience: &[String]) -> bool {
    audience.is_empty() || audience.contains(&policy.issuer)
}

/// How an access token for `audience` is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) format: AccessTokenFormat,
    pub(crate) algorithm: Algorithm,
}

/// The form that the resources want, else that of the client.
pub(crate) fn form(policy: &Policy, client: &Client, audience: &[String]) -> Result<Form, Refusal> {
    let own = Form {
        format: client.access_token_format.unwrap_or(AccessTokenFormat::Opaque),
        algorithm: policy.keys.enabled_or_usual(client.access_token_signed_response_alg),
    };
    let mut wanted = audience.iter().map(|name| {
        let resource = policy.resources.get(name);
        Form {
            format: resource.and_then(|own| own.access_token_format).unwrap_or(own.format),
            algorithm: resource.and_then(|own| own.signing_alg).unwrap_or(own.algorithm),
        }
    });
    let Some(first) = wanted.next() else {
        return Ok(own);
    };
    if wanted.any(|other| other != first) {
        return Err(Refusal::ResourcesDiffer {});
    }
    // RFC 9068 §3: a JWT whose scope could be that of several resources must not be issued.
    if first.format == AccessTokenFormat::Jwt && audience.len() > 1 {
        return Err(Refusal::ResourceAmbiguous {});
    }
    Ok(first)
}

/// The part of `scope` that means something to the resources.
// RFC 8707 §2.2: a token is limited to the scopes of the resource that it is for.
pub(crate) fn scope_for(
    policy: &Policy,
    audience: &[String],
    scope: &Scope,
) -> Result<Scope, Refusal> {
    if audience.is_empty() {
        return Ok(scope.clone());
    }
    let fits = |name: &str| {
        audience.iter().any(|resource| {
            let own = policy.resources.get(resource).and_then(|own| own.scope.as_ref());
            own.is_none_or(|own| own.contains(name))
        })
    };
    let left = scope.only(fits);
    if left.is_empty() && !scope.is_empty() {
        return Err(Refusal::ScopeNotOfResource {});
    }
    Ok(left)
}
