//! `grantor connection import`: connections of another vault, or of an export with tokens.

use std::collections::{BTreeMap, HashMap};
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
use serde::de::IgnoredAny;
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
    /// them; other members are refused. Tokens are sealed as they are stored.
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

/// The members of a [`Line`].
const MEMBERS: [&str; 16] = [
    "connection_id",
    "integration",
    "client_id",
    "subject",
    "account",
    "sub",
    "email",
    "scope",
    "access_token",
    "token_type",
    "expires_at",
    "refresh_token",
    "refresh_token_expires_at",
    "id_token",
    "variables",
    "created_at",
];

/// Members of an export that say how things were there, and not how they will be here.
const PASSED_OVER: [&str; 13] = [
    "provider",
    "requested_scope",
    "status",
    "reason",
    "error",
    "error_subtype",
    "since",
    "generation",
    "version",
    "refreshable",
    "connected_at",
    "last_used_at",
    "trouble",
];

/// A line.
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
    match left {
        0 => {}
        1 => say("Left 1 connection that was there; replace its tokens with --replace."),
        n => say(&format!(
            "Left {n} connections that were there; replace their tokens with --replace."
        )),
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
    let (mut good, mut problems, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        let checked = entry(line).map_err(|why| why.to_string()).and_then(|own| {
            let problem = own.problem(server).or_else(|| seen.repeated(number, &own));
            problem.map_or(Ok(own), Err)
        });
        match checked {
            Ok(own) => good.push(own),
            Err(why) => problems.push(format!("line {number}: {why}")),
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

/// The lines that connections and ids were first seen in. Of two for one account only one can stay,
/// and which of the tokens is the better one is not known.
#[derive(Default)]
struct Seen {
    accounts: HashMap<[String; 3], usize>,
    ids: HashMap<ConnectionId, usize>,
}

impl Seen {
    /// Why the line does not go together with one before it.
    fn repeated(&mut self, number: usize, own: &import::Import) -> Option<String> {
        let account = [&own.integration, &own.subject, &own.account.sub].map(String::clone);
        let account = *self.accounts.entry(account).or_insert(number);
        let id = own.id.map_or(number, |id| *self.ids.entry(id).or_insert(number));
        match () {
            () if account != number => {
                Some(format!("line {account} has the same integration, subject and account.sub"))
            }
            () if id != number => Some(format!("line {id} has the same connection_id")),
            () => None,
        }
    }
}

/// A member that is misspelt would be missed only when the connection is needed.
fn unknown_member(line: &str) -> Option<String> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(line).ok()?;
    let known = |name: &str| MEMBERS.contains(&name) || PASSED_OVER.contains(&name);
    let name = members.into_keys().find(|name| !known(name))?;
    // It may be a token that got into the wrong place.
    let shown: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(20).collect();
    Some(format!("there is no member {shown:?}; these are known: {}", MEMBERS.join(", ")))
}

fn entry(line: &str) -> anyhow::Result<import::Import> {
    if let Some(why) = unknown_member(line) {
        bail!(why);
    }
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
