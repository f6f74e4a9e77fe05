//! `grantor user`.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::{Args, Subcommand};
use grantor_core::AuthorizationServer;
use grantor_core::id::UserId;
use grantor_core::model::{User, UserStatus};
use grantor_core::signin::admin_token::normalize;
use grantor_core::store::Added;
use serde::Serialize;
use zeroize::Zeroizing;

use super::output::{Column, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;
use crate::password_text;

/// Accounts that may sign in.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add an account.
    Add(Add),
    /// List the accounts.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Disable an account: its sessions end and its tokens stop working.
    Disable {
        /// The name, the address or the id.
        user: String,
    },
    /// Enable an account again.
    Enable {
        /// The name, the address or the id.
        user: String,
    },
    /// Set a password; every session of the account ends.
    SetPassword {
        /// The name, the address or the id.
        user: String,
        #[command(flatten)]
        source: PasswordSource,
    },
}

/// An account.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// The name to sign in with a password.
    #[arg(long)]
    username: Option<String>,
    /// The e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// The name to show.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    source: PasswordSource,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Where a password comes from. Never the command line, which every process can read.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub(super) struct PasswordSource {
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it once.
    #[arg(long)]
    generate_password: bool,
}

#[derive(Serialize)]
struct Shown {
    id: UserId,
    username: Option<String>,
    email: Option<String>,
    name: Option<String>,
    status: UserStatus,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

pub(super) async fn run(command: UserCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let minimum = config.sign_in.password.minimum_length;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let done = match command {
        UserCommand::Add(add) => self::add(&server, add, minimum).await,
        UserCommand::List { json } => list(&server, json).await,
        UserCommand::Disable { user } => status(&server, &user, UserStatus::Disabled).await,
        UserCommand::Enable { user } => status(&server, &user, UserStatus::Active).await,
        UserCommand::SetPassword { user, source } => {
            set_password(&server, &user, source, minimum).await
        }
    };
    backend.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn add(server: &AuthorizationServer, add: Add, minimum: usize) -> anyhow::Result<()> {
    let username = add.username.as_deref().map(username).transpose()?;
    let email = match add.email.as_deref().map(|typed| (typed, normalize(typed))) {
        Some((typed, None)) => bail!("{typed:?} is not an e-mail address"),
        Some((_, email)) => email,
        None => None,
    };
    ensure!(username.is_some() || email.is_some(), "give the account a --username or an --email");
    let password = new_password(server, add.source, minimum)?;
    let hash = match &password {
        Some(password) => Some(server.passwords.hash(password).await?),
        None => None,
    };
    let now = server.clock.now();
    let user = User {
        id: UserId(server.new_id()),
        username,
        email,
        email_verified: false,
        external_subject: None,
        name: add.name,
        password: hash,
        status: UserStatus::Active,
        created_at: now,
        updated_at: now,
    };
    if server.store.add_user(user.clone()).await? == Added::Exists {
        bail!("an account with this name or address exists");
    }
    let made = password.filter(|_| add.source.generate_password);
    if add.json {
        return json(&shown(user, made));
    }
    say(&format!("Added {} ({}).", label(&user), user.id));
    if let Some(password) = made {
        say(&format!("Password: {}\nIt is shown only now.", *password));
    }
    Ok(())
}

fn username(typed: &str) -> anyhow::Result<String> {
    let name = typed.trim().to_lowercase();
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    ensure!(
        (1..=64).contains(&name.len()) && name.chars().all(plain),
        "a user name is 1 to 64 letters, digits, dots, dashes or underscores"
    );
    Ok(name)
}

fn new_password(
    server: &AuthorizationServer,
    source: PasswordSource,
    minimum: usize,
) -> anyhow::Result<Option<Zeroizing<String>>> {
    if source.generate_password {
        return Ok(Some(password_text::generate(server.entropy.as_ref())));
    }
    if !source.password_stdin {
        return Ok(None);
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().take(4_096).read_to_string(&mut text)?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(
        password.chars().count() >= minimum,
        "the password must have at least {minimum} characters"
    );
    Ok(Some(password))
}

async fn find(server: &AuthorizationServer, named: &str) -> anyhow::Result<User> {
    let name = named.trim().to_lowercase();
    let store = &server.store;
    let mut found = store.user_by_username(&name).await?;
    if found.is_none() {
        found = store.user_by_email(&name).await?;
    }
    if let (None, Ok(id)) = (&found, name.parse()) {
        found = store.user(id).await?;
    }
    found.ok_or_else(|| anyhow::anyhow!("there is no account {named:?}; see `grantor user list`"))
}

async fn status(
    server: &AuthorizationServer,
    named: &str,
    status: UserStatus,
) -> anyhow::Result<()> {
    let user = find(server, named).await?;
    server.store.set_user_status(user.id, status, server.clock.now()).await?;
    say(&match status {
        UserStatus::Active => format!("{} can sign in again.", label(&user)),
        UserStatus::Disabled => {
            format!("{} is disabled; its sessions and tokens have ended.", label(&user))
        }
    });
    Ok(())
}

async fn set_password(
    server: &AuthorizationServer,
    named: &str,
    source: PasswordSource,
    minimum: usize,
) -> anyhow::Result<()> {
    let user = find(server, named).await?;
    let Some(password) = new_password(server, source, minimum)? else {
        bail!("say where the password comes from: --password-stdin or --generate-password");
    };
    let hash = server.passwords.hash(&password).await?;
    server.store.set_password(user.id, &hash, server.clock.now()).await?;
    say(&format!("The password of {} is set; its sessions have ended.", label(&user)));
    if source.generate_password {
        say(&format!("Password: {}\nIt is shown only now.", *password));
    }
    Ok(())
}

async fn list(server: &AuthorizationServer, as_json: bool) -> anyhow::Result<()> {
    let users = server.store.users().await?;
    let rows: Vec<_> = users.into_iter().map(|user| shown(user, None)).collect();
    if as_json {
        return json(&rows);
    }
    let text = |own: Option<String>| own.unwrap_or_else(|| "-".to_owned());
    table(
        &[
            Column::Whole("id"),
            Column::Text("username"),
            Column::Text("e-mail"),
            Column::Text("name"),
            Column::Text("status"),
            Column::Whole("since"),
        ],
        rows.into_iter().map(|row| {
            let status = match row.status {
                UserStatus::Active => "active",
                UserStatus::Disabled => "disabled",
            };
            vec![
                row.id.to_string(),
                text(row.username),
                text(row.email),
                text(row.name),
                status.to_owned(),
                row.created_at,
            ]
        }),
    );
    Ok(())
}

fn shown(user: User, password: Option<Zeroizing<String>>) -> Shown {
    Shown {
        id: user.id,
        username: user.username,
        email: user.email,
        name: user.name,
        status: user.status,
        created_at: moment(user.created_at),
        password: password.map(|password| password.to_string()),
    }
}

fn label(user: &User) -> &str {
    user.username.as_deref().or(user.email.as_deref()).unwrap_or("the account")
}
