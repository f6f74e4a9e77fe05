//! Providers to develop and test against without a network: a Google, one with every quirk, and a
//! catalogue of others.
//!
//! Each is an ordinary HTTP server that [`google::serve`] and its like run inside any tokio
//! runtime; the binary is a thin shell around them. They know nothing of Grantor. What a provider
//! does only once in a while (it is slow, it drops the connection, it refuses, its keys rotate,
//! half a year passes) is asked for under `/_control/`, over HTTP like everything else: [`control`]
//! says how.

mod calls;
pub mod catalogue;
mod clock;
pub mod control;
mod counts;
mod engine;
mod faults;
pub mod google;
mod holds;
mod http;
mod random;
pub mod rotating;
mod wire;
