//! What Grantor allows and what it issues: OAuth 2.0 and OpenID Connect as decisions over records.
//!
//! Nothing here knows HTTP, SQL, a template or the time of day. The caller brings the parameters
//! of a request, the moment (`now`) and the ports (store, clock, randomness, password hashing);
//! what comes back is a value to answer with, or a [`error::Failure`] that says why not.

pub(crate) mod assertion;
pub mod authorize;
pub mod client_auth;
pub mod device;
pub mod discovery;
pub mod error;
pub mod grants;
pub mod id;
pub mod introspect;
pub mod jose;
pub mod key_encryption;
pub mod key_sets;
pub mod keys;
pub mod logout;
pub mod model;
pub mod outbound;
pub mod params;
pub mod policy;
pub mod ports;
pub mod protected;
pub mod registration;
pub(crate) mod resource;
pub mod revoke;
pub mod secret;
pub mod server;
pub mod signin;
pub mod store;
pub mod time;
pub mod tokens;
pub mod userinfo;
pub mod vault;

pub use server::AuthorizationServer;
