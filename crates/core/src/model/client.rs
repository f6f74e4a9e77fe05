//! A registered client: RFC 6749 §2, with the metadata names of RFC 7591 §2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jose::Algorithm;
use crate::model::{MethodName, ResponseType, Scope};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// An application that may ask for tokens, or a resource server that asks about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What it calls itself in a request.
    pub client_id: String,
    /// How it proves that; `none` for a public client (RFC 6749 §2.1), which only names itself.
    pub token_endpoint_auth_method: AuthMethod,
    /// The secret of a client that has one.
    #[serde(skip)]
    pub secret: Option<ClientSecret>,
    /// Its public keys as a JWK set (RFC 7517 §5), for `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where its public keys are, if they are not in `jwks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// What people read on the consent page.
    pub client_name: String,
    /// The home page of the application.
    pub client_uri: Option<String>,
    /// Its logo.
    pub logo_uri: Option<String>,
    /// What it does with data.
    pub policy_uri: Option<String>,
    /// The terms of its use.
    pub tos_uri: Option<String>,
    /// Where answers may go, compared byte by byte.
    pub redirect_uris: Vec<String>,
    /// Where a person may land after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The grants it may use.
    pub grant_types: Vec<GrantType>,
    /// The answers of the authorization endpoint that it may ask for.
    pub response_types: Vec<ResponseType>,
    /// The scopes it may ask for, and those it gets when it names none.
    pub scope: Scope,
    /// Whether a code needs a challenge (RFC 7636); public clients need one whatever this says.
    pub require_pkce: bool,
    /// How its refresh tokens behave.
    pub refresh: RefreshPolicy,
    /// What becomes of its earlier tokens when it gets a new one.
    pub on_new_token: OnNewToken,
    /// What its access tokens look like, unless the resource says otherwise; `None` for opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// What JWT access tokens are signed with, unless the resource says otherwise.
    pub access_token_signed_response_alg: Algorithm,
    /// What its ID tokens are signed with.
    pub id_token_signed_response_alg: Algorithm,
    /// The resources whose tokens it may ask about (RFC 7662 §2.1): resource indicators, and the
    /// issuer for tokens that name no resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_server_for: Vec<String>,
    /// The integrations whose tokens it may have of persons whose access tokens it holds
    /// (RFC 8693 §2.1). For the operator to give, never registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<String>,
    /// Lifetimes that differ from the server's.
    pub lifetimes: Lifetimes,
    /// The sign-in methods it allows; empty for all.
    pub sign_in_methods: Vec<MethodName>,
    /// Requests a minute on the token endpoint; 0 for no limit, `None` for the server's default.
    pub requests_per_minute: Option<u32>,
    /// Further metadata of RFC 7591 §2 that it registered, kept as they came: contacts, software
    /// versions, names in other languages.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub other_metadata: Map<String, Value>,
    /// Of the registration access token (RFC 7592 §3); `None` for a client that an operator made.
    #[serde(skip)]
    pub registration_token: Option<Digest>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Client {
    /// A public client with nothing registered: the start for one of any kind.
    pub fn new(client_id: impl Into<String>, now: Timestamp) -> Self {
        let client_id = client_id.into();
        Self {
            client_name: client_id.clone(),
            client_id,
            token_endpoint_auth_method: AuthMethod::None,
            secret: None,
            jwks: None,
            jwks_uri: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            response_types: Vec::new(),
            scope: Scope::default(),
            require_pkce: true,
            refresh: RefreshPolicy::Rotate,
            on_new_token: OnNewToken::Keep,
            access_token_format: None,
            access_token_signed_response_alg: Algorithm::Es256,
            id_token_signed_response_alg: Algorithm::Es256,
            resource_server_for: Vec::new(),
            integrations: Vec::new(),
            lifetimes: Lifetimes::default(),
            sign_in_methods: Vec::new(),
            requests_per_minute: None,
            other_metadata: Map::new(),
            registration_token: None,
            created_at: now,
        }
    }

    /// Whether the client cannot keep a secret.
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthMethod::None
    }

    /// Whether it is registered for `grant`.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

/// A client secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientSecret {
    /// SHA-256 of a secret that Grantor made from 256 random bits.
    Sha256(Digest),
    /// An argon2id hash, in PHC form, of a secret that somebody chose.
    Argon2id(String),
    /// The secret itself, sealed: a key for `client_secret_jwt` must be at hand.
    Sealed(Vec<u8>),
}

impl ClientSecret {
    /// As text, as a store and an export keep it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Sha256(digest) => digest.to_text(),
            Self::Argon2id(phc) => phc.clone(),
            Self::Sealed(sealed) => format!("sealed:{}", URL_SAFE_NO_PAD.encode(sealed)),
        }
    }

    /// Reads [`ClientSecret::to_text`]; `None` for every other text, such as a secret in clear.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$argon2id$") {
            return Some(Self::Argon2id(text.to_owned()));
        }
        if let Some(encoded) = text.strip_prefix("sealed:") {
            return URL_SAFE_NO_PAD.decode(encoded).ok().map(Self::Sealed);
        }
        Digest::parse(text).map(Self::Sha256)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $name:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type { $($(#[$variant_doc])* #[serde(rename = $text)] $name,)+ }

        impl $type {
            /// All that this server has.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in parameters and metadata.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The one with this name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|own| own.as_str() == text)
            }
        }
    )+};
}

names! {
    /// How a client authenticates: RFC 7591 §2, OpenID Connect Core 1.0 §9.
    AuthMethod {
        /// It does not: a public client.
        None = "none",
        /// Its secret in the Authorization header.
        ClientSecretBasic = "client_secret_basic",
        /// Its secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A JWT under an HMAC with its secret: RFC 7523 §2.2.
        ClientSecretJwt = "client_secret_jwt",
        /// A JWT signed with its own key: RFC 7523 §2.2.
        PrivateKeyJwt = "private_key_jwt",
    }
    /// A grant type: RFC 6749 §1.3.
    GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 §4.2; never a `grant_type` of the token endpoint.
        Implicit = "implicit",
        /// RFC 6749 §4.3.
        Password = "password",
        /// RFC 8628 §3.4.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693 §2.1.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// RFC 7523 §2.1.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }
    /// What an access token looks like.
    AccessTokenFormat {
        /// Random, looked up at the server.
        Opaque = "opaque",
        /// Signed, read by the resource server itself: RFC 9068.
        Jwt = "jwt",
    }
    /// What becomes of the earlier tokens of a client for the same person when it gets a new one.
    OnNewToken {
        /// They stay.
        Keep = "keep",
        /// They are revoked.
        RevokePrevious = "revoke_previous",
    }
}

/// How refresh tokens of a client behave: RFC 9700 §4.14.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// Each use gives a new token and spends the old one.
    Rotate,
    /// The token stays the same.
    Reuse {
        /// How often it may be used; `None` for as long as it lives.
        uses: Option<u32>,
    },
}

/// Lifetimes that a client has of its own; `None` is the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// An authorization code.
    pub code: Option<Seconds>,
    /// An access token.
    pub access_token: Option<Seconds>,
    /// A refresh token that is not used.
    pub refresh_idle: Option<Seconds>,
    /// A refresh token, however often it is used.
    pub refresh_absolute: Option<Seconds>,
    /// An ID token; at most a day, because the key that signed it leaves the JWK set after that.
    pub id_token: Option<Seconds>,
    /// The oldest sign-in that the client takes before a person must sign in again.
    pub session: Option<Seconds>,
}
