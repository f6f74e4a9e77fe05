//! Grantor: an OAuth 2.0 and OpenID Connect authorization server in one binary.

mod app;
mod authenticate;
mod background;
mod cli;
mod clock;
mod config;
mod cookies;
mod cors;
mod endpoints;
mod extract;
mod forwarded;
mod key_file;
mod limits;
mod listen;
mod mail;
mod notices;
mod onward;
mod openapi;
mod outbound;
mod outbox;
mod pages;
mod password_text;
mod passwords;
mod pending;
mod proxy;
mod refreshes;
mod respond;
mod router;
mod run;
mod service;
mod telemetry;
mod trouble;
mod visit;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    no_core_dumps();
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// A core dump has keys and tokens in clear, and lies wherever the system keeps such files. Where it
/// cannot be forbidden, the operator decides about it as about any other program.
#[cfg(unix)]
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Also what the system pipes into a program, for which the limit does not count.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(not(unix))]
fn no_core_dumps() {}
