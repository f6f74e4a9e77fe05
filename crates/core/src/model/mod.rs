//! Plain records: what the protocol remembers. No behaviour beyond reading themselves.

mod client;
mod code;
mod consent;
mod mail;
mod request;
mod scope;
mod session;
mod sign_in;
mod signing_key;
mod token;
mod user;

pub use client::{Client, ClientSecret, GrantType, Lifetimes, RefreshPolicy};
pub use code::{Challenge, Code};
pub use consent::Consent;
pub use mail::OutboxMail;
pub use request::PendingRequest;
pub use scope::{Scope, ScopeError};
pub use session::Session;
pub use sign_in::{Authentication, MethodName, SignInAttempt};
pub use signing_key::SealedSigningKey;
pub use token::{AccessToken, ClaimsRequest, Family, Refresh};
pub use user::{User, UserStatus};
