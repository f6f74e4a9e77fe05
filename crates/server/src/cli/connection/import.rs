//! `grantor connection import`: connections of another vault, or of an export with tokens.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::id::ConnectionId;
use grantor_core::model::{Account, Scope};
use grantor_core::time::Timestamp;
use grantor_core::vault::audit::Actor;
use grantor_core::vault::import::{self, Imported};
use serde::Deserialize;
use serde_json::json as object;
use zeroize::Zeroizing;

use super::counted;
use crate::cli::output::{Progress, json, say};

/// Which connections.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A file with a JSON object on each line, `-` for standard input. Each has `integration`,
    /// `subject`, `account` with `sub`, and an `access_token`, a `refresh_token` or both; and, if
    /// known, `scope`, `expires_at`, `email` and so on, as `connection export --with-tokens` writes
    /// them. Tokens are sealed as they are stored.
    file: PathBuf,
    /// Replace the tokens of connections that are there.
    #[arg(long)]
    replace: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Bytes of a file.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// Problems that are told of at once.
const MOST_PROBLEMS: usize = 20;

/// A line. Members of an export that say how things were there, and not how they will be here, are
/// passed over.
#[derive(Deserialize)]
struct Line {
    connection_id: Option<String>,
    integration: String,
    client_id: Option<String>,
    subject: String,
    account: Option<Account>,
    sub: Option<String>,
    email: Option<String>,
    scope: Option<Names>,
    access_token: Option<String>,
    #[serde(default = "bearer")]
    token_type: String,
    expires_at: Option<Moment>,
    refresh_token: Option<String>,
    refresh_token_expires_at: Option<Moment>,
    id_token: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    created_at: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

/// RFC 3339, or seconds since 1970.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Text(String),
}

impl Moment {
    fn read(self) -> anyhow::Result<Timestamp> {
        let epoch = match self {
            Self::Seconds(epoch) => epoch,
            Self::Text(text) => {
                let at = text.parse::<jiff::Timestamp>();
                at.with_context(|| format!("{text:?} is not a moment of RFC 3339"))?.as_second()
            }
        };
        Ok(Timestamp::from_epoch(epoch))
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}

pub(super) async fn run(server: &AuthorizationServer, own: Import) -> anyhow::Result<()> {
    let text = read(&own.file)?;
    let lines = lines(server, &text)?;
    let progress = Progress::new("connections", lines.len() as u64);
    let (mut added, mut replaced, mut left) = (Vec::new(), Vec::new(), 0_usize);
    for (done, line) in (0..).zip(&lines) {
        progress.at(done);
        let (actor, now) = (Actor::local("cli"), server.clock.now());
        match import::import(server, line, own.replace, &actor, now).await? {
            Imported::Added(id) => added.push(id.shown()),
            Imported::Replaced(id) => replaced.push(id.shown()),
            Imported::Exists => left += 1,
        }
    }
    progress.finish();
    if own.json {
        return json(&object!({ "added": added, "replaced": replaced, "left": left }));
    }
    say(&format!("Imported {}.", counted(added.len())));
    if !replaced.is_empty() {
        say(&format!("Replaced the tokens of {}.", counted(replaced.len())));
    }
    if left > 0 {
        say(&format!(
            "Left {} that were there; replace their tokens with --replace.",
            counted(left)
        ));
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = file.display();
    let mut text = Zeroizing::new(String::new());
    if file.as_os_str() == "-" {
        std::io::stdin().take(MOST_BYTES).read_to_string(&mut text)?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot read {shown}"))?;
        let read = opened.take(MOST_BYTES).read_to_string(&mut text);
        read.with_context(|| format!("cannot read {shown}"))?;
    }
    Ok(text)
}

/// What is to be imported, or everything that is wrong with it, a line each. Nothing is imported
/// from a file with a mistake.
fn lines(server: &AuthorizationServer, text: &str) -> anyhow::Result<Vec<import::Import>> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (at, line) in lines {
        match entry(line).map_err(|why| why.to_string()) {
            Ok(own) => match own.problem(server) {
                None => good.push(own),
                Some(why) => problems.push(format!("line {}: {why}", at + 1)),
            },
            Err(why) => problems.push(format!("line {}: {why}", at + 1)),
        }
    }
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    problems.truncate(MOST_PROBLEMS);
    match (problems.as_slice(), more) {
        ([], _) => Ok(good),
        ([one], 0) => bail!("nothing was imported: {one}"),
        (several, 0) => bail!("nothing was imported:\n  {}", several.join("\n  ")),
        (several, more) => {
            bail!("nothing was imported:\n  {}\n  and {more} more", several.join("\n  "))
        }
    }
}

fn entry(line: &str) -> anyhow::Result<import::Import> {
    // What serde says may quote the line, and that has tokens in it.
    let own: Line = serde_json::from_str(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => anyhow::anyhow!(
            "a member is missing or of another kind (at column {}): it needs integration, subject, account and tokens",
            error.column()
        ),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => {
            anyhow::anyhow!("it is not a JSON object (at column {})", error.column())
        }
    })?;
    let id = own.connection_id.as_deref().map(ConnectionId::read).transpose();
    let scope = own.scope.map(|names| match names {
        Names::List(names) => Scope::parse(&names.join(" ")),
        Names::Text(text) => Scope::parse(&text),
    });
    let mut account = own.account.unwrap_or_default();
    if account.sub.is_empty() {
        account.sub = own.sub.unwrap_or_default();
    }
    account.email = account.email.or(own.email);
    let some = |token: Option<String>| token.filter(|own| !own.is_empty()).map(Zeroizing::new);
    Ok(import::Import {
        id: id.context("connection_id is not one")?,
        integration: own.integration,
        client_id: own.client_id,
        subject: own.subject,
        account,
        scope: scope.transpose().context("scope is not one")?,
        access_token: some(own.access_token),
        token_type: own.token_type,
        expires_at: own.expires_at.map(Moment::read).transpose()?,
        refresh_token: some(own.refresh_token),
        refresh_expires_at: own.refresh_token_expires_at.map(Moment::read).transpose()?,
        id_token: some(own.id_token),
        variables: own.variables,
        created_at: own.created_at.map(Moment::read).transpose()?,
    })
}
