//! What the operator has decided, as the protocol sees it. Made from the configuration at start.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::jose::Algorithm;
use crate::model::{AccessTokenFormat, Client, MethodName, Scope};
use crate::secret::Digest;
use crate::store::AttemptLimits;
use crate::time::Seconds;
use crate::vault::VaultPolicy;

/// The operator's decisions.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuer identifier (RFC 8414 §2): fixed, never taken from a request.
    pub issuer: String,
    /// How long things live.
    pub lifetimes: ServerLifetimes,
    /// The scopes that exist, with what they mean to a person where the operator says so.
    pub scopes: BTreeMap<String, Option<String>>,
    /// Who may sign in, and how.
    pub sign_in: SignInPolicy,
    /// Signing keys.
    pub keys: KeyPolicy,
    /// Whether `/protected` and `/api-secure-data` answer.
    pub sample_api: bool,
    /// The resources that tokens can be asked for (RFC 8707), by their identifier.
    pub resources: BTreeMap<String, Resource>,
    /// Who may register clients.
    pub registration: RegistrationPolicy,
    /// Whether clients that are registered for it may use the password grant.
    pub password_grant: bool,
    /// Who else's assertions are grants: RFC 7523 §2.1.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Tokens of others.
    pub vault: VaultPolicy,
}

/// An API that takes access tokens of this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// The scopes that mean something to it; `None` for all.
    pub scope: Option<Scope>,
    /// What its tokens look like; `None` for what the client has.
    pub access_token_format: Option<AccessTokenFormat>,
    /// What they are signed with; `None` for what the client has.
    pub signing_alg: Option<Algorithm>,
}

impl RegistrationPolicy {
    /// Whether a client may register for the scope `name` by itself.
    pub fn offers(&self, name: &str) -> bool {
        self.scope.as_ref().is_none_or(|own| own.contains(name))
    }
}

/// Who may register clients: RFC 7591 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationPolicy {
    /// Who.
    pub mode: RegistrationMode,
    /// Whether a client may choose its `client_id` and `client_secret`.
    pub chosen_credentials: bool,
    /// The scopes that a client may register for by itself; `None` for all.
    pub scope: Option<Scope>,
}

/// Who may register clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Nobody but the operator.
    Closed,
    /// Whoever shows an initial access token.
    Token,
    /// Everybody.
    Open,
}

/// An issuer whose assertions are grants.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// The `iss` claim.
    pub issuer: String,
    /// Where its keys are.
    pub keys: IssuerKeys,
    /// What it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// What its `sub` claim means here.
    pub subject: SubjectIs,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum IssuerKeys {
    /// Here, as a JWK set.
    Set(Value),
    /// At this address.
    Uri(String),
}

/// What the `sub` claim of an assertion names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectIs {
    /// The id of an account: this server's own `sub`.
    Id,
    /// The name to sign in with.
    Username,
    /// The address.
    Email,
}

/// How long things live unless the client has a lifetime of its own.
#[derive(Clone, Copy, Debug)]
pub struct ServerLifetimes {
    /// An authorization code.
    pub code: Seconds,
    /// An access token.
    pub access_token: Seconds,
    /// A refresh token that is not used.
    pub refresh_idle: Seconds,
    /// A refresh token, however often it is used.
    pub refresh_absolute: Seconds,
    /// How long a spent refresh token gets the same successor again.
    pub refresh_grace: Seconds,
    /// A device code.
    pub device_code: Seconds,
    /// An ID token.
    pub id_token: Seconds,
    /// A session that is not used.
    pub session_idle: Seconds,
    /// A session, however much it is used.
    pub session_absolute: Seconds,
    /// An authorization request that waits for a person.
    pub pending_request: Seconds,
}

impl Default for ServerLifetimes {
    fn default() -> Self {
        Self {
            code: Seconds(60),
            access_token: Seconds::hours(1),
            refresh_idle: Seconds::days(30),
            refresh_absolute: Seconds::days(365),
            refresh_grace: Seconds(60),
            device_code: Seconds::minutes(10),
            id_token: Seconds::hours(1),
            session_idle: Seconds::hours(24),
            session_absolute: Seconds::days(30),
            pending_request: Seconds::minutes(30),
        }
    }
}

impl ServerLifetimes {
    /// The lifetimes that hold for `client`.
    #[must_use]
    pub fn of(&self, client: &Client) -> Self {
        let own = client.lifetimes;
        Self {
            code: own.code.unwrap_or(self.code),
            access_token: own.access_token.unwrap_or(self.access_token),
            refresh_idle: own.refresh_idle.unwrap_or(self.refresh_idle),
            refresh_absolute: own.refresh_absolute.unwrap_or(self.refresh_absolute),
            id_token: own.id_token.unwrap_or(self.id_token),
            ..*self
        }
    }
}

/// Who may sign in, and how.
#[derive(Clone, Debug)]
pub struct SignInPolicy {
    /// The methods that are offered, the first one first.
    pub methods: Vec<MethodName>,
    /// The admin token.
    pub admin_token: AdminTokenPolicy,
    /// The operator's own sign-in page, if there is one.
    pub external: Option<ExternalPolicy>,
    /// Whether an allowed address without an account gets one.
    pub sign_up: bool,
}

/// The operator's own sign-in page.
#[derive(Clone, Debug)]
pub struct ExternalPolicy {
    /// Where browsers are sent.
    pub url: String,
    /// Of the API secret that its application shows: see [`crate::signin::external`].
    pub secret: Digest,
    /// What the sign-in page calls it.
    pub label: Option<String>,
    /// How long a person has.
    pub lifetime: Seconds,
}

/// How admin tokens work.
#[derive(Clone, Debug)]
pub struct AdminTokenPolicy {
    /// Where the token comes from.
    pub mode: AdminTokenMode,
    /// Which addresses may sign in.
    pub allowed: Vec<AllowedAddress>,
    /// How long a token works.
    pub lifetime: Seconds,
    /// Wrong tokens that are taken.
    pub tries: u32,
    /// How often one address may ask.
    pub limits: AttemptLimits,
}

/// Where an admin token comes from.
#[derive(Clone, Debug)]
pub enum AdminTokenMode {
    /// Made at random and sent by e-mail.
    Emailed,
    /// One fixed token for everybody: its digest by [`crate::signin::static_token_digest`].
    Static(Digest),
}

/// Which addresses may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAddress {
    /// Any.
    Any,
    /// Every address of this domain, lower case.
    Domain(String),
    /// This address, lower case.
    Address(String),
}

impl AllowedAddress {
    /// Whether `email`, in lower case, is meant.
    pub fn covers(&self, email: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Domain(domain) => email.rsplit_once('@').is_some_and(|(_, own)| own == domain),
            Self::Address(address) => address == email,
        }
    }
}

impl KeyPolicy {
    /// What is signed with when nothing is said: ES256 where there are keys for it, which is quick
    /// and understood by everybody, else the first algorithm.
    pub fn usual(&self) -> Algorithm {
        let first = self.algorithms.first().copied().unwrap_or(Algorithm::Rs256);
        if self.algorithms.contains(&Algorithm::Es256) { Algorithm::Es256 } else { first }
    }

    /// `asked`, if there are keys for it.
    pub fn enabled_or_usual(&self, asked: Algorithm) -> Algorithm {
        if self.algorithms.contains(&asked) { asked } else { self.usual() }
    }
}

/// Signing keys.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    /// What the server can sign with; RS256 is always among them (OpenID Connect Core 1.0 §15.1).
    pub algorithms: Vec<Algorithm>,
    /// How long a key signs before the next one takes over.
    pub rotate_after: Seconds,
    /// How long a key is published before it signs, so that every verifier has read it.
    pub publish_ahead: Seconds,
}
