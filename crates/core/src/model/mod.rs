//! Plain records: what the protocol remembers. No behaviour beyond reading themselves.

mod api_key;
mod audit;
mod client;
mod code;
mod connect_session;
mod connection;
mod consent;
mod device;
mod external;
mod initial_token;
mod mail;
mod notice;
mod request;
mod response_type;
mod scope;
mod session;
mod sign_in;
mod signing_key;
mod token;
mod user;

pub use api_key::{ApiKey, ApiKeyAction, ApiKeyRights, PreviousSecret};
pub use audit::{AuditEntry, AuditEvent};
pub use client::{
    AccessTokenFormat, AuthMethod, Client, ClientSecret, GrantType, Lifetimes, OnNewToken,
    RefreshPolicy,
};
pub use code::{Challenge, Code};
pub use connect_session::{ConnectMode, ConnectSession, ConnectState, ConnectStep};
pub use connection::{
    Account, Connection, ConnectionStatus, Pause, Reauth, ReauthReason, RefreshAttempt,
    SealedCredential, Trouble,
};
pub use consent::Consent;
pub use device::{Approval, DeviceAuthorization, DeviceState};
pub use external::{ExternalAnswer, ExternalIdentity, ExternalSignIn};
pub use initial_token::InitialToken;
pub use mail::OutboxMail;
pub use notice::Notice;
pub use request::PendingRequest;
pub use response_type::ResponseType;
pub use scope::{Scope, ScopeError};
pub use session::Session;
pub use sign_in::{Authentication, MethodName, SignInAttempt};
pub use signing_key::SealedSigningKey;
pub use token::{AccessToken, ClaimsRequest, Exchanged, Family, Refresh};
pub use user::{User, UserStatus};
