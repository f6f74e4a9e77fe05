//! An integration: a provider with our client id, secret and scopes.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::provider::Provider;
use crate::model::Scope;

/// A provider with our client id, secret and scopes, from the settings.
#[derive(Clone)]
pub struct Integration {
    /// Its name in the settings, in requests and in rights.
    pub name: String,
    /// What people read.
    pub label: String,
    /// How the provider is spoken to.
    pub provider: Arc<Provider>,
    /// Our client id there.
    pub client_id: String,
    /// Our client secret there: a secret, or a private key in PEM for `private_key_jwt`.
    pub client_secret: Option<Zeroizing<String>>,
    /// The scopes that are asked for unless a connect session names others.
    pub scope: Scope,
    /// The scopes without which a connection is of no use.
    pub required: Scope,
    /// The values of the provider's variables that the operator gives: a tenant, a subdomain.
    pub variables: BTreeMap<String, String>,
    /// Who grants.
    pub kind: IntegrationKind,
    /// Where the provider sends browsers back to: `<issuer>/connect/callback` unless set otherwise.
    pub redirect_uri: String,
    /// Whether persons who are signed in here may connect accounts of their own.
    pub self_service: bool,
    /// Whether links may be confirmed by whoever opens them ([`crate::model::ConnectMode::Link`]).
    pub link: bool,
    /// Whether the provider's API may be called through the proxy.
    pub proxy: bool,
    /// Refreshes at once, at most.
    pub concurrency: u32,
    /// Refreshes in a minute, at most; 0 for no limit.
    pub per_minute: u32,
}

/// Who grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// A person, in a browser: RFC 6749 §4.1.
    Person,
    /// Nobody, the client acts for itself: RFC 6749 §4.4.
    ClientCredentials,
}

impl std::fmt::Debug for Integration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Integration({}, client {})", self.name, self.client_id)
    }
}
