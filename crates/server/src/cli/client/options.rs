//! The smaller options of `grantor client add`, and how their words are read.

use clap::{Args, ValueEnum};
use grantor_core::model::{
    AccessTokenFormat, AuthMethod, GrantType, Lifetimes, MethodName, OnNewToken, RefreshPolicy,
    ResponseType,
};

use crate::config::Period;

/// Lifetimes that differ from the server's, such as `90s`, `10m`, `12h` or `30d`.
#[derive(Debug, Args)]
pub(super) struct OwnLifetimes {
    /// Of an authorization code.
    #[arg(long, value_name = "TIME")]
    code_lifetime: Option<Period>,
    /// Of an access token.
    #[arg(long, value_name = "TIME")]
    access_token_lifetime: Option<Period>,
    /// Of a refresh token that is not used.
    #[arg(long, value_name = "TIME")]
    refresh_idle_lifetime: Option<Period>,
    /// Of a refresh token, however often it is used.
    #[arg(long, value_name = "TIME")]
    refresh_absolute_lifetime: Option<Period>,
    /// Of an ID token; at most a day.
    #[arg(long, value_name = "TIME")]
    id_token_lifetime: Option<Period>,
    /// The oldest sign-in that it takes before a person must sign in again.
    #[arg(long, value_name = "TIME")]
    session_lifetime: Option<Period>,
}

impl OwnLifetimes {
    pub(super) fn registered(&self) -> Lifetimes {
        let own = |period: &Option<Period>| period.as_ref().map(|period| period.seconds());
        Lifetimes {
            code: own(&self.code_lifetime),
            access_token: own(&self.access_token_lifetime),
            refresh_idle: own(&self.refresh_idle_lifetime),
            refresh_absolute: own(&self.refresh_absolute_lifetime),
            id_token: own(&self.id_token_lifetime),
            session: own(&self.session_lifetime),
        }
    }
}

/// What people may want to read about it.
#[derive(Debug, Args)]
pub(super) struct Links {
    /// The home page.
    #[arg(long, value_name = "URL")]
    pub(super) client_uri: Option<String>,
    /// The logo.
    #[arg(long, value_name = "URL")]
    pub(super) logo_uri: Option<String>,
    /// The privacy policy.
    #[arg(long, value_name = "URL")]
    pub(super) policy_uri: Option<String>,
    /// The terms of service.
    #[arg(long, value_name = "URL")]
    pub(super) tos_uri: Option<String>,
}

/// A grant, by its name or the short form of a long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Grant {
    /// A code that a person allowed: RFC 6749 §4.1.
    AuthorizationCode,
    /// New tokens without asking again: RFC 6749 §6.
    RefreshToken,
    /// For itself, without a person: RFC 6749 §4.4.
    ClientCredentials,
    /// Tokens in the redirect: RFC 6749 §4.2.
    Implicit,
    /// Somebody's name and password: RFC 6749 §4.3, if `[grants] password` allows it.
    Password,
    /// Devices without a keyboard: RFC 8628.
    #[value(alias = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// A token for another: RFC 8693.
    #[value(alias = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// The assertion of a trusted issuer: RFC 7523 §2.1.
    #[value(alias = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl Grant {
    pub(super) const fn registered(self) -> GrantType {
        match self {
            Self::AuthorizationCode => GrantType::AuthorizationCode,
            Self::RefreshToken => GrantType::RefreshToken,
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::Implicit => GrantType::Implicit,
            Self::Password => GrantType::Password,
            Self::DeviceCode => GrantType::DeviceCode,
            Self::TokenExchange => GrantType::TokenExchange,
            Self::JwtBearer => GrantType::JwtBearer,
        }
    }
}

pub(super) fn refresh_policy(text: &str) -> Result<RefreshPolicy, String> {
    match (text, text.strip_prefix("reuse:").map(str::parse::<u32>)) {
        ("rotate", _) => Ok(RefreshPolicy::Rotate),
        ("reuse", _) => Ok(RefreshPolicy::Reuse { uses: None }),
        (_, Some(Ok(uses))) if uses > 0 => Ok(RefreshPolicy::Reuse { uses: Some(uses) }),
        _ => Err("use rotate, reuse, or reuse:N with N uses".to_owned()),
    }
}

pub(super) fn method(text: &str) -> Result<MethodName, String> {
    MethodName::parse(text).ok_or_else(|| names(MethodName::ALL, MethodName::as_str))
}

pub(super) fn response_type(text: &str) -> Result<ResponseType, String> {
    ResponseType::parse(text).ok_or_else(|| one_of(&ResponseType::ALL.map(ResponseType::as_str)))
}

pub(super) fn auth_method(text: &str) -> Result<AuthMethod, String> {
    AuthMethod::parse(text).ok_or_else(|| names(AuthMethod::ALL, AuthMethod::as_str))
}

pub(super) fn token_format(text: &str) -> Result<AccessTokenFormat, String> {
    let known = AccessTokenFormat::parse(text);
    known.ok_or_else(|| names(AccessTokenFormat::ALL, AccessTokenFormat::as_str))
}

pub(super) fn on_new_token(text: &str) -> Result<OnNewToken, String> {
    OnNewToken::parse(text).ok_or_else(|| names(OnNewToken::ALL, OnNewToken::as_str))
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    let all: Vec<_> = all.iter().map(|own| name(*own)).collect();
    one_of(&all)
}

fn one_of(names: &[&str]) -> String {
    format!("use one of: {}", names.join(", "))
}
