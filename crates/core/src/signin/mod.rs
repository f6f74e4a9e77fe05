//! Signing in: the methods, which of them a request may use, and the session that follows.
//!
//! A method is a file here and a variant of [`Method`]. It turns what a person typed into a user
//! and an [`Authentication`]; everything after that is the same for all of them.

pub mod admin_token;
pub mod password;
pub mod session;

pub use crate::model::MethodName as Method;
pub use admin_token::static_token_digest;

use crate::authorize::AuthorizationRequest;
use crate::model::{Authentication, User};
use crate::server::AuthorizationServer;

/// A person who has just proved who they are.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// How and when.
    pub authentication: Authentication,
}

/// The methods that the sign-in page offers, the first one first: those of the operator, in that
/// order, that the client allows, and among them those it asks for.
pub fn offered(
    server: &AuthorizationServer,
    request: Option<&AuthorizationRequest>,
) -> Vec<Method> {
    let configured = server.policy.sign_in.methods.iter().copied();
    let Some(request) = request else {
        return configured.collect();
    };
    let allowed: Vec<_> = configured.filter(|method| allows(request, *method)).collect();
    let asked = &request.acr_values;
    let wanted: Vec<_> = allowed.iter().copied().filter(|m| asked.methods.contains(m)).collect();
    // OpenID Connect Core 1.0 §5.5.1.1: a voluntary acr that cannot be had is no reason to fail.
    if wanted.is_empty() && !asked.essential { allowed } else { wanted }
}

/// Whether a sign-in by `method` is one that the request takes.
pub fn accepts(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    method: Method,
) -> bool {
    let asked = &request.acr_values;
    if asked.essential {
        return allows(request, method) && asked.methods.contains(&method);
    }
    // With prompt=none there is no way to meet a voluntary acr, so any sign-in will do.
    let any = asked.methods.is_empty() || request.prompt.none;
    allows(request, method) && (any || offered(server, Some(request)).contains(&method))
}

fn allows(request: &AuthorizationRequest, method: Method) -> bool {
    let own = &request.client.sign_in_methods;
    own.is_empty() || own.contains(&method)
}
