//! Why a request was refused, and the one table that says what is answered.
//!
//! Code states the reason ([`Refusal`]); the error code of the RFC and the text are derived here.
//! A [`Failure::Broken`] has no public text: its cause is logged once, at the boundary.

mod details;

use crate::store::StoreError;
use crate::time::Seconds;

pub use details::{Choice, Details};

/// A request that gets no answer of success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller asked for something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server could not do its part.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What stopped the server; for the log, never for the caller.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The store is away or corrupt.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] crate::jose::JoseError),
    /// No key signs with the algorithm that a client registered.
    #[error("no signing key for {0}")]
    NoSigningKey(&'static str),
    /// A stored record does not read back.
    #[error("corrupt record: {0}")]
    Corrupt(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<crate::jose::JoseError> for Failure {
    fn from(error: crate::jose::JoseError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<crate::ports::Overloaded> for Failure {
    /// Callers bring it about, so it is no fault of the server.
    fn from(_: crate::ports::Overloaded) -> Self {
        Self::Refused(Refusal::Throttled { wait: Seconds(1), per_minute: 0 })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)+) => {
        /// An error code as the RFCs spell it, with the status it has in a direct answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// The value of the `error` member.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status of a direct (not redirected) answer.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }
    };
}

codes! {
    /// RFC 6749 §5.2.
    InvalidRequest = "invalid_request", 400;
    /// RFC 6749 §5.2.
    InvalidClient = "invalid_client", 401;
    /// RFC 6749 §5.2.
    InvalidGrant = "invalid_grant", 400;
    /// RFC 6749 §5.2.
    UnauthorizedClient = "unauthorized_client", 400;
    /// RFC 6749 §5.2.
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// RFC 6749 §5.2.
    InvalidScope = "invalid_scope", 400;
    /// RFC 8707 §2.
    InvalidTarget = "invalid_target", 400;
    /// RFC 8628 §3.5.
    AuthorizationPending = "authorization_pending", 400;
    /// RFC 8628 §3.5.
    SlowDown = "slow_down", 400;
    /// RFC 8628 §3.5.
    ExpiredToken = "expired_token", 400;
    /// RFC 8628 §3.5, at the token endpoint, where errors are 400: RFC 6749 §5.2.
    DeviceDenied = "access_denied", 400;
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri = "invalid_redirect_uri", 400;
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata = "invalid_client_metadata", 400;
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement = "unapproved_software_statement", 400;
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType = "unsupported_token_type", 400;
    /// RFC 6749 §4.1.2.1.
    AccessDenied = "access_denied", 403;
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// RFC 6749 §4.1.2.1.
    ServerError = "server_error", 500;
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable = "temporarily_unavailable", 503;
    /// OpenID Connect Core 1.0 §3.1.2.6.
    LoginRequired = "login_required", 400;
    /// OpenID Connect Core 1.0 §3.1.2.6.
    ConsentRequired = "consent_required", 400;
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestNotSupported = "request_not_supported", 400;
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestUriNotSupported = "request_uri_not_supported", 400;
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RegistrationNotSupported = "registration_not_supported", 400;
    /// RFC 6750 §3.1.
    InvalidToken = "invalid_token", 401;
    /// A request to a protected resource without a token (RFC 6750 §3).
    MissingToken = "missing_token", 401;
    /// RFC 6750 §3.1.
    InsufficientScope = "insufficient_scope", 403;
    /// RFC 6585 §4.
    TooManyRequests = "too_many_requests", 429;
    /// The proxy: RFC 9110 §15.5.6.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The proxy: RFC 9110 §15.6.3.
    BadGateway = "bad_gateway", 502;
    /// The proxy: RFC 9110 §15.6.5.
    GatewayTimeout = "gateway_timeout", 504;
    /// The vault: RFC 9110 §15.5.5.
    ConnectionNotFound = "connection_not_found", 404;
    /// The vault: RFC 9110 §15.5.10.
    AmbiguousConnection = "ambiguous_connection", 409;
    /// The vault: RFC 9110 §15.5.10.
    ReauthRequired = "reauth_required", 409;
    /// The vault: RFC 9110 §15.5.5.
    ConnectSessionNotFound = "connect_session_not_found", 404;
}

macro_rules! refusals {
    ($($name:ident { $($field:ident: $type:ty),* } => $code:ident, $section:literal, $text:literal;)+) => {
        /// A reason to say no. Its `Display` is the text that the caller reads.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $(
                #[doc = concat!("`", $text, "` (", $section, ")")]
                #[error($text)]
                $name {
                    $(#[doc = "What the text names."] $field: $type,)*
                },
            )+
        }

        impl Refusal {
            /// The error code that is answered.
            pub const fn code(&self) -> Code {
                match self { $(Self::$name { .. } => Code::$code,)+ }
            }

            /// The section that demands the refusal.
            pub const fn section(&self) -> &'static str {
                match self { $(Self::$name { .. } => $section,)+ }
            }

            /// One of each, for the test that walks them all.
            #[cfg(test)]
            fn every() -> Vec<Self> {
                vec![$(Self::$name { $($field: Default::default(),)* },)+]
            }
        }
    };
}

refusals! {
    // The shape of a request.
    NotUtf8 {} => InvalidRequest, "RFC 6749 appendix B", "A parameter is not valid UTF-8 text. Encode parameters as UTF-8 and percent-escape them.";
    BrokenEscape {} => InvalidRequest, "RFC 6749 appendix B", "A parameter has a broken percent escape. Write a percent sign as %25.";
    TooManyParameters {} => InvalidRequest, "RFC 6749 §3.1", "The request has more than 100 parameters.";
    DoubledParameter { name: String } => InvalidRequest, "RFC 6749 §3.1", "The parameter {name} appears more than once. Send it once.";
    MissingParameter { name: &'static str } => InvalidRequest, "RFC 6749 §5.2", "The parameter {name} is missing.";
    BadParameter { name: &'static str, want: &'static str } => InvalidRequest, "RFC 6749 §5.2", "The parameter {name} is not valid: {want}.";
    WrongContentType {} => InvalidRequest, "RFC 6749 §3.2", "Send the parameters as application/x-www-form-urlencoded in the body.";
    BodyTooLarge {} => InvalidRequest, "RFC 9110 §15.5.14", "The request body is too large. Send less, or let the operator raise the limit: listen.body_bytes, and vault.proxy.request_bytes for the proxy.";

    BodyTooSlow {} => InvalidRequest, "RFC 9110 §15.5.9", "The request body took too long to arrive.";
    BodyBroken {} => InvalidRequest, "RFC 9112 §8", "The request body ended too early.";
    RequestTooLong {} => InvalidRequest, "RFC 9110 §15.5.15", "The authorization request is longer than 16 KiB.";

    // Who is calling.
    NoClientAuthentication {} => InvalidClient, "RFC 6749 §3.2.1", "Client authentication failed: no client_id was sent.";
    BrokenBasicHeader {} => InvalidClient, "RFC 6749 §2.3.1", "Client authentication failed: the Authorization header is not Basic with a form-encoded client_id and client_secret.";
    TwoAuthenticationMethods {} => InvalidRequest, "RFC 6749 §2.3", "The client authenticates in two ways at once. Use one of the Authorization header, client_secret and client_assertion.";
    ClientAuthenticationFailed {} => InvalidClient, "RFC 6749 §5.2", "Client authentication failed.";
    OtherAuthenticationMethod { registered: &'static str } => InvalidClient, "OpenID Connect Core §9", "Client authentication failed: this client is registered for {registered}.";
    ClientAssertionRefused { why: &'static str } => InvalidClient, "RFC 7523 §3.2", "Client authentication failed: the client_assertion {why}.";
    GrantNotAllowed { grant: &'static str } => UnauthorizedClient, "RFC 6749 §5.2", "This client is not registered for the grant type {grant}.";
    UnsupportedGrant { grant: String } => UnsupportedGrantType, "RFC 6749 §5.2", "Grant type {grant} is not supported.";

    // An authorization request.
    UnknownClient {} => InvalidClient, "RFC 6749 §4.1.2.1", "No application is registered under this client_id.";
    RedirectUriMissing {} => InvalidRequest, "RFC 6749 §3.1.2.3", "The parameter redirect_uri is missing, and the application has not registered exactly one.";
    RedirectUriMismatch {} => InvalidRequest, "RFC 9700 §4.1.3", "The redirect_uri is not one that the application registered.";
    ResponseTypeUnsupported {} => UnsupportedResponseType, "RFC 6749 §4.1.2.1", "This response_type is not supported. Use response_type=code.";
    ResponseModeQuery {} => InvalidRequest, "OAuth 2.0 Multiple Response Types §3.0", "Tokens may not travel in a query. Use response_mode fragment or form_post.";
    OpenidNeeded {} => InvalidScope, "OpenID Connect Core §3.1.2.1", "An ID token is only for requests with the scope openid.";
    NonceNeeded {} => InvalidRequest, "OpenID Connect Core §3.2.2.1", "The parameter nonce is missing. A response_type with id_token needs it.";
    ResponseModeUnsupported {} => InvalidRequest, "OAuth 2.0 Multiple Response Types §2.1", "This response_mode is not supported. Use query, fragment or form_post.";
    PkceRequired {} => InvalidRequest, "RFC 7636 §4.4.1", "This application must use PKCE: send code_challenge and code_challenge_method=S256.";
    PkceMethod {} => InvalidRequest, "RFC 7636 §4.4.1", "Only code_challenge_method=S256 is supported.";
    PkceChallenge {} => InvalidRequest, "RFC 7636 §4.2", "The code_challenge must be 43 base64url characters: the SHA-256 of the verifier.";
    ScopeNotAllowed { scope: String } => InvalidScope, "RFC 6749 §3.3", "The scope {scope} is unknown or not registered for this application.";
    ScopeMalformed {} => InvalidScope, "RFC 6749 §3.3", "The scope has characters that a scope may not have.";
    PromptNone {} => InvalidRequest, "OpenID Connect Core §3.1.2.1", "prompt=none cannot be combined with another prompt.";
    RequestObject {} => RequestNotSupported, "OpenID Connect Core §6.1", "The request parameter is not supported.";
    RequestUri {} => RequestUriNotSupported, "OpenID Connect Core §6.2", "The request_uri parameter is not supported.";
    Registration {} => RegistrationNotSupported, "OpenID Connect Core §7.2.1", "The registration parameter is not supported.";
    ClientNotForGrant { asked: &'static str } => UnauthorizedClient, "RFC 6749 §4.1.2.1", "This application is not registered for response_type={asked}.";
    SignInNeeded {} => LoginRequired, "OpenID Connect Core §3.1.2.6", "Nobody is signed in, and the application asked not to show a page.";
    OtherPerson {} => LoginRequired, "OpenID Connect Core §3.1.2.2", "Another person is signed in than the application asked for.";
    ConsentNeeded {} => ConsentRequired, "OpenID Connect Core §3.1.2.6", "Consent is needed, and the application asked not to show a page.";
    Denied {} => AccessDenied, "RFC 6749 §4.1.2.1", "The person said no.";
    NoMethodLeft {} => AccessDenied, "OpenID Connect Core §3.1.2.6", "None of the sign-in methods that this application allows is offered.";
    RequestGone {} => InvalidRequest, "RFC 6749 §4.1.2", "This request was already answered or has expired. Start again from the application.";
    RequestOfOtherBrowser {} => InvalidRequest, "RFC 9700 §4.7", "This request was started in another browser. Start again from the application.";

    // Pages.
    CsrfMismatch {} => InvalidRequest, "RFC 9700 §4.7", "This form is from another tab or has expired. Open the page again.";
    Throttled { wait: Seconds, per_minute: u32 } => TooManyRequests, "RFC 6585 §4", "Rate limit exceeded. Please try again later.";

    // Signing in on the operator's own page.
    ExternalSecretMissing {} => MissingToken, "RFC 6750 §3", "The API secret is missing. Send it as Authorization: Bearer.";
    ExternalSecretWrong {} => InvalidToken, "RFC 6750 §3.1", "The API secret is not the one that is configured.";
    ExternalUnknown {} => InvalidRequest, "RFC 9700 §4.7", "The login_challenge is unknown or has expired. Start again from the application.";
    ExternalAnswered {} => InvalidRequest, "RFC 9700 §4.7", "This sign-in was already answered. Each login_challenge is good for one answer.";
    ExternalGone {} => InvalidRequest, "RFC 9700 §4.7", "This sign-in was already used or has expired. Start again from the application.";
    ExternalRejected {} => AccessDenied, "RFC 6749 §4.1.2.1", "The sign-in was refused.";
    NoAccount {} => AccessDenied, "RFC 6749 §4.1.2.1", "There is no account here for this person.";
    AccountDisabled {} => AccessDenied, "RFC 6749 §4.1.2.1", "The account may not be used.";
    BadJson {} => InvalidRequest, "RFC 8259 §2", "The body is not a JSON object with the members that are known here.";

    // A grant.
    CodeUnknown {} => InvalidGrant, "RFC 6749 §5.2", "The authorization code is unknown, expired or already used.";
    CodeReplayed {} => InvalidGrant, "RFC 6749 §4.1.2", "The authorization code was used before. Every token issued with it is revoked.";
    CodeOfOtherClient {} => InvalidGrant, "RFC 6749 §5.2", "The authorization code was issued to another client.";
    CodeRedirectMismatch {} => InvalidGrant, "RFC 6749 §4.1.3", "The redirect_uri is not the one that the code was requested with.";
    VerifierMissing {} => InvalidGrant, "RFC 7636 §4.6", "The code_verifier is missing.";
    VerifierUnexpected {} => InvalidGrant, "RFC 9700 §2.1.1", "A code_verifier was sent for a code that was requested without a code_challenge.";
    VerifierMismatch {} => InvalidGrant, "RFC 7636 §4.6", "The code_verifier does not match the code_challenge. The code is spent.";
    RefreshUnknown {} => InvalidGrant, "RFC 6749 §5.2", "The refresh token is unknown, expired, revoked or used up.";
    RefreshReused {} => InvalidGrant, "RFC 9700 §4.14.2", "The refresh token is not the one that was given last. Every token of this sign-in is revoked.";
    RefreshOfOtherClient {} => InvalidGrant, "RFC 6749 §10.4", "The refresh token was issued to another client.";
    RefreshScopeWider {} => InvalidScope, "RFC 6749 §6", "The scope asks for more than was granted.";
    PersonGone {} => InvalidGrant, "RFC 6749 §5.2", "The account is disabled or was removed.";
    ConsentGone {} => InvalidGrant, "RFC 6749 §5.2", "The person has withdrawn the consent.";

    ConfidentialOnly { grant: &'static str } => UnauthorizedClient, "RFC 6749 §4.4", "The grant {grant} is only for clients that authenticate.";
    ScopeOfPersons { scope: String } => InvalidScope, "RFC 6749 §4.4", "The scope {scope} is about a person, and this grant has none.";
    PasswordNotAllowed {} => UnauthorizedClient, "RFC 6749 §4.3", "Passwords are not a sign-in method here.";
    PasswordWrong {} => InvalidGrant, "RFC 6749 §4.3.2", "The username or the password is wrong.";
    DevicePending {} => AuthorizationPending, "RFC 8628 §3.5", "The person has not answered yet. Ask again after the interval.";
    DeviceSlowDown {} => SlowDown, "RFC 8628 §3.5", "Asked too soon. Wait five seconds longer between requests from now on.";
    DeviceDenied {} => DeviceDenied, "RFC 8628 §3.5", "The person said no.";
    DeviceExpired {} => ExpiredToken, "RFC 8628 §3.5", "The device code has expired. Start again with a new one.";
    DeviceCodeUnknown {} => InvalidGrant, "RFC 8628 §3.5", "The device code is unknown, already used, or was issued to another client.";
    DeviceReplayed {} => InvalidGrant, "RFC 8628 §3.5", "The device code was used before. Every token issued with it is revoked.";
    TokenTypeUnsupported {} => InvalidRequest, "RFC 8693 §2.1", "This token type cannot be exchanged or issued. Use urn:ietf:params:oauth:token-type:access_token.";
    ExchangeTokenInvalid { name: &'static str } => InvalidRequest, "RFC 8693 §2.2.2", "The {name} is unknown, expired or revoked.";
    ExchangeTokenForeign { name: &'static str } => InvalidRequest, "RFC 8693 §2.2.2", "The {name} was neither issued to this client nor for a resource that it serves.";
    ExchangeTooDeep {} => InvalidRequest, "RFC 8693 §4.1", "The subject_token was exchanged too often already.";
    ExchangeScopeWider {} => InvalidScope, "RFC 8693 §2.1", "The scope asks for more than the subject_token or this client has.";
    ExchangeNoPerson {} => InvalidRequest, "RFC 8693 §2.2.2", "The subject_token is about no person, and only persons have tokens of providers here.";
    ProviderTargetAlone {} => InvalidTarget, "RFC 8693 §2.2.2", "A provider's token is for that provider alone. Send one audience and no resource.";
    ProviderActor {} => InvalidRequest, "RFC 8693 §1.1", "A provider's token cannot say who acts. Leave out actor_token.";
    IntegrationNotGiven {} => InvalidTarget, "RFC 8693 §2.2.2", "There is no such integration, or this client may not have its tokens. The operator gives it: grantor client add --integration.";
    ExchangeNotConnected { then: &'static str, details: Box<Details> } => InvalidTarget, "RFC 8693 §2.2.2", "The person has connected no account for this. {then}.";
    ExchangeReauth { why: &'static str, then: &'static str, details: Box<Details> } => InvalidTarget, "RFC 8693 §2.2.2", "The person has to connect the account again: {why}. {then}.";
    ExchangeAmbiguous { details: Box<Details> } => InvalidRequest, "RFC 8693 §2.2.2", "The person has connected several accounts. Name one of accounts in the parameter account.";
    ExchangeScopeMissing { then: &'static str, details: Box<Details> } => InvalidScope, "RFC 6749 §5.2", "The person has not granted all the scopes that were asked for. {then}.";
    AssertionRefused { why: &'static str } => InvalidGrant, "RFC 7523 §3.1", "The assertion {why}.";

    CrossSite {} => InvalidRequest, "RFC 9700 §4.7", "This came from a page of another site. Clients are registered by programs, or from this site.";

    // A call that is passed on to a provider.
    ProxyOff {} => AccessDenied, "RFC 9110 §15.5.4", "The proxy is not switched on for this integration. The operator can do so: integrations.NAME.proxy.";
    ProxyUndeclared {} => AccessDenied, "RFC 9110 §15.5.4", "The description of this provider does not say where its API is, so nothing can be passed on. The operator can add it: [proxy].";
    ProxyHost {} => InvalidRequest, "RFC 9110 §15.5.1", "The field Grantor-Host names no host of this provider's API. Leave it out for the usual one, or name one that the description of the provider allows ([proxy] hosts).";
    ProxyMethod {} => MethodNotAllowed, "RFC 9110 §15.5.6", "This method is not passed on.";
    ProviderUnreachable {} => BadGateway, "RFC 9110 §15.6.3", "The provider cannot be reached, or broke off. Try again in a moment.";
    ProviderSilent {} => GatewayTimeout, "RFC 9110 §15.6.5", "The provider does not answer. Try again in a moment.";
    ProxyPath { why: &'static str } => InvalidRequest, "RFC 3986 §3.3", "The path cannot be passed on: {why}.";

    // A resource: RFC 8707.
    ResourceUnknown {} => InvalidTarget, "RFC 8707 §2", "The resource is not one that this server issues tokens for.";
    ResourceNotGranted {} => InvalidTarget, "RFC 8707 §2.2", "The resource was not granted. Name it in the authorization request.";
    ResourcesDiffer {} => InvalidTarget, "RFC 8707 §2", "These resources want different kinds of tokens. Ask for one at a time.";
    ResourceAmbiguous {} => InvalidTarget, "RFC 9068 §3", "A JWT access token is for one resource. Ask for one at a time.";
    ScopeNotOfResource {} => InvalidScope, "RFC 8707 §2.2", "None of the scopes means anything to the resource.";

    // A registration: RFC 7591, RFC 7592.
    RegistrationClosed {} => AccessDenied, "RFC 7591 §3", "Clients cannot register themselves here. The operator of this server can register one: grantor client add.";
    InitialTokenMissing {} => MissingToken, "RFC 7591 §3", "Registering a client here needs an initial access token from the operator of this server. Send it as Authorization: Bearer.";
    InitialTokenInvalid {} => InvalidToken, "RFC 7591 §3", "The initial access token is unknown, expired or used up.";
    NeitherJsonNorForm {} => InvalidRequest, "RFC 7591 §3.1", "Send the metadata of the client as application/json, or as application/x-www-form-urlencoded.";
    NotAnObject {} => InvalidRequest, "RFC 7591 §3.1", "The body is not a JSON object without doubled members.";
    RedirectUriRefused { uri: String, why: String } => InvalidRedirectUri, "RFC 7591 §3.2.2", "The redirect URI {uri} cannot be registered: {why}.";
    RedirectUriNeeded {} => InvalidRedirectUri, "RFC 7591 §2", "redirect_uris is missing. Clients with redirect-based flows must register where answers may go.";
    MetadataRefused { member: String, why: String } => InvalidClientMetadata, "RFC 7591 §3.2.2", "{member} cannot be registered: {why}.";
    SoftwareStatement {} => UnapprovedSoftwareStatement, "RFC 7591 §3.2.2", "Software statements are not approved here. Send the metadata without one.";
    CredentialsChosen {} => InvalidClientMetadata, "RFC 7591 §3.2.1", "This server makes client_id and client_secret itself. Leave them out.";
    ClientIdTaken {} => InvalidClientMetadata, "RFC 7591 §3.2.1", "This client_id is taken. Choose another, or leave it out to be given one.";
    RegistrationTokenMissing {} => MissingToken, "RFC 7592 §2", "The registration access token is missing. Send it as Authorization: Bearer.";
    RegistrationChanged {} => InvalidRequest, "RFC 7592 §2.2", "The registration was changed by another request at the same time. Read it and try again.";
    RegistrationTokenInvalid {} => InvalidToken, "RFC 7592 §2.1", "The registration access token is not the one of this client, or there is no such client.";

    // The vault.
    JsonWanted {} => InvalidRequest, "RFC 9110 §8.3", "This URL reads JSON and no form. Send the members as a JSON object, as application/json.";
    JsonUnreadable { why: String } => InvalidRequest, "RFC 8259 §2", "The body cannot be read as a JSON object: {why}.";
    BodyUnreadable {} => InvalidRequest, "RFC 9110 §8.3", "Send no body, a JSON object as application/json, or a form as application/x-www-form-urlencoded.";
    QueryUnread {} => InvalidRequest, "RFC 9110 §15.5.1", "Parameters in the URL are not read here. Send them in the body, as JSON or as a form.";
    MemberUnknown { name: String } => InvalidRequest, "RFC 8259 §4", "The member {name} is not known here. Leave it out, or compare its spelling with the description of the API.";
    ConnectionNotFound {} => ConnectionNotFound, "RFC 9110 §15.5.5", "There is no such connection within reach of this caller. Compare its id with GET /connections, or ask the operator: grantor connection list.";
    NotConnected { then: &'static str, details: Box<Details> } => ConnectionNotFound, "RFC 9110 §15.5.5", "No account is connected for this, as far as this caller reaches. {then}.";
    ConnectionAmbiguous { details: Box<Details> } => AmbiguousConnection, "RFC 9110 §15.5.10", "More than one connection fits. Name one of accounts by its connection_id.";
    ReauthRequired { why: &'static str, then: &'static str, details: Box<Details> } => ReauthRequired, "RFC 9110 §15.5.10", "The account has to be connected again: {why}. {then}.";
    ScopeNotGranted { then: &'static str, details: Box<Details> } => InsufficientScope, "RFC 6750 §3.1", "The connection does not have all the scopes that were asked for. {then}.";
    ScopeBeyondCaller { scope: String } => AccessDenied, "RFC 9110 §15.5.4", "The token would have the scope {scope}, which is beyond what this caller may have. A provider's token cannot be narrowed: connect an account with fewer scopes, or let the operator widen the limit.";
    LinkBeyondCaller { scope: String } => AccessDenied, "RFC 9110 §15.5.4", "The link would ask for the scope {scope}, which is beyond what this API key may have. Name scopes within its limit, or let the operator make a key with a wider one: grantor apikey create --scope.";
    IntegrationUnknown {} => InvalidRequest, "RFC 9110 §15.5.1", "No integration here has this name. The operator names them in the settings ([integrations.NAME]).";
    ProviderAway { why: &'static str, details: Box<Details> } => TemporarilyUnavailable, "RFC 9110 §15.6.4", "There is no valid token, and none to be had now: {why}. Ask again after retry_after seconds.";

    ConnectSessionNotFound {} => ConnectSessionNotFound, "RFC 9110 §15.5.5", "There is no such connect session within reach of this caller, or its time is over. Make another with POST /connect/sessions.";
    ConnectCodeOfAnother {} => InvalidGrant, "RFC 6749 §10.12", "The connect_code is of a link that was made for another subject. Nothing was connected. Make a link for the person who is signed in.";
    ConnectCodeGone {} => InvalidGrant, "RFC 6749 §5.2", "The connect_code is unknown, expired or already used. Make another link with POST /connect/sessions, and send the person there.";
    KeyMayNot { what: &'static str } => AccessDenied, "RFC 9110 §15.5.4", "This API key may not {what}. grantor apikey create makes one that may.";
    ApiKeyMissing {} => MissingToken, "RFC 6750 §3", "The API key is missing. Send it as Authorization: Bearer.";
    ApiKeyInvalid {} => InvalidToken, "RFC 6750 §3.1", "The API key does not work: it is unknown, expired or revoked, or was not copied whole. Compare it with what was shown when it was made, or ask the operator for another: grantor apikey list shows which ones work.";

    // A protected resource.
    TokenMissing {} => MissingToken, "RFC 6750 §3", "Authorization token is missing.";
    TokenTwice {} => InvalidRequest, "RFC 6750 §2", "Send the access token in one way only.";
    TokenInvalid {} => InvalidToken, "RFC 6750 §3.1", "The access token is unknown, expired or revoked.";
    TokenForOther {} => InvalidToken, "RFC 8707 §2", "The access token was issued for another resource.";
    ScopeMissing { scope: &'static str } => InsufficientScope, "RFC 6750 §3.1", "The access token lacks the scope {scope}.";
}

impl Refusal {
    /// What the answer tells besides.
    pub fn details(&self) -> Option<&Details> {
        if let Self::NotConnected { details, .. }
        | Self::ConnectionAmbiguous { details }
        | Self::ReauthRequired { details, .. }
        | Self::ScopeNotGranted { details, .. }
        | Self::ProviderAway { details, .. }
        | Self::ExchangeNotConnected { details, .. }
        | Self::ExchangeReauth { details, .. }
        | Self::ExchangeAmbiguous { details }
        | Self::ExchangeScopeMissing { details, .. } = self
        {
            return Some(details);
        }
        None
    }

    /// Whether somebody who posed as a client was turned away; such attempts are counted.
    pub const fn is_failed_authentication(&self) -> bool {
        matches!(
            self,
            Self::ClientAuthenticationFailed {}
                | Self::OtherAuthenticationMethod { .. }
                | Self::ClientAssertionRefused { .. }
                | Self::ApiKeyInvalid {}
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_a_section_and_a_sentence() {
        for refusal in Refusal::every() {
            let text = refusal.to_string();
            assert!(text.ends_with('.'), "{text}");
            let status = refusal.code().status();
            assert!((400..500).contains(&status) || matches!(status, 502..=504), "{text}");
            assert!(refusal.section().contains('§') || refusal.section().contains("appendix"));
            // RFC 6749 §5.2: these characters may not appear in error_description.
            assert!(
                text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{text}"
            );
        }
    }
}
