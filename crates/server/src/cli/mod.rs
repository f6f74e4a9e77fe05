//! The command line. Tables for people, `--json` for programs.

mod apikey;
mod audit;
mod client;
mod config;
mod connection;
mod demo;
mod doctor;
mod key;
mod output;
mod provider;
mod registration_token;
mod serve;
mod settings;
mod store;
mod user;
mod vault;
mod walk;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

pub(crate) use output::complain;
use settings::Place;

/// An OAuth 2.0 and OpenID Connect authorization server, and a vault for tokens of other providers.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Serve),
    /// Try it: the server, a sample client, a stand-in for Google, a demo account and a mailbox, on
    /// this machine only.
    Demo(demo::Demo),
    /// Applications that may ask for tokens.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Tokens that let an application register itself.
    #[command(subcommand)]
    RegistrationToken(registration_token::RegistrationTokenCommand),
    /// Accounts that may sign in.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Keys that sign ID tokens.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Keys that services show to get tokens from the vault.
    #[command(name = "apikey", subcommand)]
    ApiKey(apikey::ApiKeyCommand),
    /// The keys that seal what is stored, and how the connections are.
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Accounts that were connected at providers.
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// Providers whose tokens the vault keeps: how they are spoken to.
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// The store as a whole: to another store, into a file and back.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// The audit log: who did what to which token.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Find what is wrong with an installation, and what it still lacks.
    Doctor(doctor::Doctor),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs a command to its end.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = cli.place;
    match cli.command {
        Command::Serve(own) => blocking(serve::run(own, place)),
        Command::Demo(own) => blocking(demo::run(own, place)),
        Command::Client(own) => blocking(client::run(own, place)),
        Command::RegistrationToken(own) => blocking(registration_token::run(own, place)),
        Command::User(own) => blocking(user::run(own, place)),
        Command::Key(own) => blocking(key::run(own, place)),
        Command::ApiKey(own) => blocking(apikey::run(own, place)),
        Command::Vault(own) => blocking(vault::run(own, place)),
        Command::Connection(own) => blocking(connection::run(own, place)),
        Command::Provider(own) => blocking(provider::run(own, place)),
        Command::Store(own) => blocking(store::run(own, place)),
        Command::Audit(own) => blocking(audit::run(own, place)),
        Command::Config(own) => config::run(&own, &place),
        Command::Doctor(own) => blocking(doctor::run(own, place)),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "grantor", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn blocking(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
