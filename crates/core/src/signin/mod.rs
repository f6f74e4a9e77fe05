//! Signing in: the methods, which of them a request may use, and the session that follows.
//!
//! A method is a file here and a variant of [`Method`]. It turns what a person typed into a user
//! and an [`Authentication`]; everything after that is the same for all of them. How one is added
//! is in `docs/sign-in-methods.md`.

pub mod admin_token;
pub mod external;
pub mod form;
pub mod password;
pub mod session;

pub use crate::model::MethodName as Method;
pub use admin_token::static_token_digest;
pub use form::{Field, FieldKind, FormMethod};

use crate::authorize::AuthorizationRequest;
use crate::model::{Authentication, Client, User};
use crate::server::AuthorizationServer;

/// A person who has just proved who they are.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// How and when.
    pub authentication: Authentication,
}

/// What a person does to sign in.
#[derive(Clone, Copy)]
pub enum Way {
    /// Gives an address, and then the token that was sent there.
    Token,
    /// Fills in one form.
    Form(&'static dyn FormMethod),
    /// Goes to the operator's own page and comes back.
    Elsewhere,
}

/// What a person does to sign in by `method`.
pub fn way(method: Method) -> Way {
    match method {
        Method::AdminToken => Way::Token,
        Method::Password => Way::Form(&password::Password),
        Method::External => Way::Elsewhere,
    }
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
    client_allows(&request.client, method)
}

/// Whether `client` takes a sign-in by `method`.
pub(crate) fn client_allows(client: &Client, method: Method) -> bool {
    client.sign_in_methods.is_empty() || client.sign_in_methods.contains(&method)
}
