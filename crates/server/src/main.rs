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
