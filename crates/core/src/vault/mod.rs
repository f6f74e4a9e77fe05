//! The vault: it runs the OAuth flow with a provider once, keeps the tokens sealed, refreshes them,
//! and hands fresh ones to services that show an API key.
//!
//! `provider` (a declarative description) → [`Integration`] (a provider with our client id, secret
//! and scopes) → connection (subject, account, scopes, status) → credential (sealed).

pub mod answer;
pub mod api_key;
pub mod ask;
pub mod audit;
pub mod connect;
mod data_key;
mod describe;
pub mod disconnect;
pub mod import;
mod integration;
pub mod notices;
mod policy;
pub mod provider;
pub mod proxy;
pub mod refresh;
pub mod seal;
pub mod subject;

pub use describe::{describe, status_name};
pub use integration::{Integration, IntegrationKind};
pub use policy::{RefreshPolicy, VaultPolicy, Webhook};

/// What the vault remembers in memory: refreshes that are being made, pauses, request rates.
#[derive(Debug, Default)]
pub struct Runtime {
    /// When API keys were used.
    pub key_uses: api_key::KeyUses,
    /// Links that repair connections, made lately.
    pub links: ask::Links,
    /// Who counts requests for tokens.
    pub counter: ask::Counter,
    /// When connections were used.
    pub uses: ask::Uses,
    /// Limits of calls at providers.
    pub gate: refresh::Gate,
    /// Who makes refreshes.
    pub beside: refresh::Beside,
}
