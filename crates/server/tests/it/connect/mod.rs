//! `/connect/…`: from a link to a connected account.

mod answers;
mod bound;
mod callback;
mod id_tokens;
mod leaving;
mod link;
mod races;
mod reconnect;
mod scopes;
mod self_service;
mod sessions;
