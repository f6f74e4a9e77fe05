//! `grantor connection export`: a JSON object for each connection, one on a line.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::model::Connection;
use grantor_core::store::{Held, Selector};
use grantor_core::vault::audit::{self, Actor};
use grantor_core::vault::seal;
use serde_json::{Map, Value, json as object};
use zeroize::Zeroizing;

use super::{Filter, counted, told};
use crate::cli::output::{Progress, json, say};
use crate::key_file;

/// What, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The file to write, for nobody else to read [default: standard output]
    file: Option<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    /// Write the tokens too, in clear. Needs a file. Each is noted in the audit log.
    #[arg(long)]
    with_tokens: bool,
    /// Print JSON. What is exported is JSON anyway.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &AuthorizationServer, own: Export) -> anyhow::Result<()> {
    ensure!(
        own.file.is_some() || !own.with_tokens,
        "tokens are written to a file only: name one, where nobody else can read it"
    );
    let all = own.filter.all(server).await?;
    let Some(file) = &own.file else {
        for connection in &all {
            say(&Value::Object(told(server, connection)).to_string());
        }
        return Ok(());
    };
    let shown = file.display();
    let opened = key_file::create_private(file).with_context(|| format!("cannot write {shown}"))?;
    let mut out = BufWriter::new(opened);
    let progress = Progress::new("connections", all.len() as u64);
    let mut written = 0;
    for connection in &all {
        progress.at(written);
        let line = match own.with_tokens {
            true => with_tokens(server, connection).await?,
            false => Some(Value::Object(told(server, connection)).to_string().into()),
        };
        if let Some(line) = line {
            writeln!(out, "{}", *line).with_context(|| format!("cannot write {shown}"))?;
            written += 1;
        }
    }
    out.flush().with_context(|| format!("cannot write {shown}"))?;
    progress.finish();
    if own.json {
        let file = shown.to_string();
        return json(&object!({ "exported": written, "tokens": own.with_tokens, "file": file }));
    }
    let n = usize::try_from(written).unwrap_or(usize::MAX);
    say(&format!("Exported {} to {shown}.", counted(n)));
    Ok(())
}

/// The line of a connection with its tokens; `None` for one that is being disconnected, whose tokens
/// are nobody's any more. What is handed out is written down first.
async fn with_tokens(
    server: &AuthorizationServer,
    connection: &Connection,
) -> anyhow::Result<Option<Zeroizing<String>>> {
    let only = Selector { connections: Some(vec![connection.id]), ..Selector::default() };
    let Some(held) = server.store.held(&only, 1).await?.pop() else {
        return Ok(None);
    };
    let tokens = seal::open(server, &held)?;
    let details = Map::from_iter([
        ("integration".to_owned(), object!(connection.integration)),
        ("subject".to_owned(), object!(connection.subject)),
        ("token".to_owned(), object!(audit::fingerprint(&tokens.access_token))),
    ]);
    let (actor, target) = (Actor::local("cli"), connection.id.shown());
    let now = server.clock.now();
    let entry = audit::event(server, &actor, "connection.exported", &target, details, now);
    server.store.append_audit(vec![entry]).await?;
    let Held { connection, .. } = &held;
    let mut line = told(server, connection);
    let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    put("client_id", object!(connection.client_id));
    put("variables", object!(connection.variables));
    put("access_token", object!(*tokens.access_token));
    put("token_type", object!(tokens.token_type));
    put("refresh_token", object!(tokens.refresh_token.as_deref()));
    put("id_token", object!(tokens.id_token.as_deref()));
    Ok(Some(Zeroizing::new(Value::Object(line).to_string())))
}
