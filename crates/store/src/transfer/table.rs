//! The tables as they are carried from one store to another: their names, and those of their
//! columns, are the ones of `migrations/sqlite`.
//!
//! What a store makes of its records by itself is not here: counts, indexes, SQLite's numbers of
//! connections, the rows that Postgres locks, what Redis counts. Neither are rate limits, which begin
//! anew.

mod columns;

use grantor_core::store::StoreError;

/// A table, or the records of one kind where there are no tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `server_secret`.
    ServerSecret,
    /// `signing_key`.
    SigningKey,
    /// `oauth2_client`.
    Client,
    /// `removed_client`.
    RemovedClient,
    /// `initial_access_token`.
    InitialToken,
    /// `user_account`.
    User,
    /// `session`.
    Session,
    /// `consent`.
    Consent,
    /// `pending_request`.
    PendingRequest,
    /// `sign_in_attempt`.
    SignInAttempt,
    /// `external_sign_in`.
    ExternalSignIn,
    /// `outbox_mail`.
    OutboxMail,
    /// `authorization_code`.
    Code,
    /// `device_authorization`.
    Device,
    /// `token_family`.
    Family,
    /// `access_token`.
    AccessToken,
    /// `revoked_token`.
    RevokedToken,
    /// `used_once`.
    UsedOnce,
    /// `connection`.
    Connection,
    /// `credential`.
    Credential,
    /// `refresh_attempt`.
    RefreshAttempt,
    /// `integration_pause`.
    Pause,
    /// `connect_session`.
    ConnectSession,
    /// `api_key`.
    ApiKey,
    /// `audit_event`.
    AuditEvent,
    /// `webhook_notice`.
    Notice,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub kind: ColumnKind,
    /// Whether there may be nothing in it.
    pub nullable: bool,
}

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A whole number, or seconds since the epoch.
    Integer,
    /// 0 or 1.
    Flag,
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// The 16 bytes of an id.
    Id,
}

impl ColumnKind {
    /// Its name in a backup.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Flag => "flag",
            Self::Text => "text",
            Self::Blob => "blob",
            Self::Id => "id",
        }
    }
}

impl Table {
    /// All there are, in an order in which each can be imported after those before it: a credential
    /// comes after its connection, a family after its client.
    pub const ALL: [Self; 26] = [
        Self::ServerSecret,
        Self::SigningKey,
        Self::Client,
        Self::RemovedClient,
        Self::InitialToken,
        Self::User,
        Self::Session,
        Self::Consent,
        Self::PendingRequest,
        Self::SignInAttempt,
        Self::ExternalSignIn,
        Self::OutboxMail,
        Self::Code,
        Self::Device,
        Self::Family,
        Self::AccessToken,
        Self::RevokedToken,
        Self::UsedOnce,
        Self::Connection,
        Self::Credential,
        Self::RefreshAttempt,
        Self::Pause,
        Self::ConnectSession,
        Self::ApiKey,
        Self::AuditEvent,
        Self::Notice,
    ];

    /// Its name in SQL, and in a backup.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerSecret => "server_secret",
            Self::SigningKey => "signing_key",
            Self::Client => "oauth2_client",
            Self::RemovedClient => "removed_client",
            Self::InitialToken => "initial_access_token",
            Self::User => "user_account",
            Self::Session => "session",
            Self::Consent => "consent",
            Self::PendingRequest => "pending_request",
            Self::SignInAttempt => "sign_in_attempt",
            Self::ExternalSignIn => "external_sign_in",
            Self::OutboxMail => "outbox_mail",
            Self::Code => "authorization_code",
            Self::Device => "device_authorization",
            Self::Family => "token_family",
            Self::AccessToken => "access_token",
            Self::RevokedToken => "revoked_token",
            Self::UsedOnce => "used_once",
            Self::Connection => "connection",
            Self::Credential => "credential",
            Self::RefreshAttempt => "refresh_attempt",
            Self::Pause => "integration_pause",
            Self::ConnectSession => "connect_session",
            Self::ApiKey => "api_key",
            Self::AuditEvent => "audit_event",
            Self::Notice => "webhook_notice",
        }
    }

    /// The table with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Its columns; those of the key come first.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::ServerSecret => columns::SERVER_SECRET,
            Self::SigningKey => columns::SIGNING_KEY,
            Self::Client => columns::CLIENT,
            Self::RemovedClient => columns::REMOVED_CLIENT,
            Self::InitialToken => columns::INITIAL_TOKEN,
            Self::User => columns::USER,
            Self::Session => columns::SESSION,
            Self::Consent => columns::CONSENT,
            Self::PendingRequest => columns::PENDING_REQUEST,
            Self::SignInAttempt => columns::SIGN_IN_ATTEMPT,
            Self::ExternalSignIn => columns::EXTERNAL_SIGN_IN,
            Self::OutboxMail => columns::OUTBOX_MAIL,
            Self::Code => columns::CODE,
            Self::Device => columns::DEVICE,
            Self::Family => columns::FAMILY,
            Self::AccessToken => columns::ACCESS_TOKEN,
            Self::RevokedToken => columns::REVOKED_TOKEN,
            Self::UsedOnce => columns::USED_ONCE,
            Self::Connection => columns::CONNECTION,
            Self::Credential => columns::CREDENTIAL,
            Self::RefreshAttempt => columns::REFRESH_ATTEMPT,
            Self::Pause => columns::PAUSE,
            Self::ConnectSession => columns::CONNECT_SESSION,
            Self::ApiKey => columns::API_KEY,
            Self::AuditEvent => columns::AUDIT_EVENT,
            Self::Notice => columns::NOTICE,
        }
    }

    /// How many columns make the key.
    pub const fn key_columns(self) -> usize {
        match self {
            Self::Consent => 2,
            Self::ServerSecret
            | Self::SigningKey
            | Self::Client
            | Self::RemovedClient
            | Self::InitialToken
            | Self::User
            | Self::Session
            | Self::PendingRequest
            | Self::SignInAttempt
            | Self::ExternalSignIn
            | Self::OutboxMail
            | Self::Code
            | Self::Device
            | Self::Family
            | Self::AccessToken
            | Self::RevokedToken
            | Self::UsedOnce
            | Self::Connection
            | Self::Credential
            | Self::RefreshAttempt
            | Self::Pause
            | Self::ConnectSession
            | Self::ApiKey
            | Self::AuditEvent
            | Self::Notice => 1,
        }
    }

    /// The columns of the key.
    pub fn key(self) -> &'static [Column] {
        &self.columns()[..self.key_columns()]
    }

    /// The place of a column.
    pub fn place(self, column: &str) -> Result<usize, StoreError> {
        self.columns().iter().position(|own| own.name == column).ok_or_else(|| {
            StoreError::Corrupt(format!("the table {} has no column {column}", self.name()))
        })
    }
}
