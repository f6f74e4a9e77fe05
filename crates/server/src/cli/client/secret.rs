//! Secrets on the command line: made, chosen, replaced.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::registration::secret;
use zeroize::Zeroizing;

use super::{Made, find};
use crate::cli::output::{json, say};

/// Where a secret that somebody chose comes from.
#[derive(Debug, Args)]
pub(super) struct ChosenSecret {
    /// A file with a secret of your choice [default: a random secret]
    #[arg(long, value_name = "FILE", conflicts_with = "secret_stdin")]
    secret_file: Option<PathBuf>,
    /// Read a secret of your choice from standard input.
    #[arg(long)]
    secret_stdin: bool,
}

impl ChosenSecret {
    /// The secret, without its last line break.
    pub(super) fn read(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        let mut text = Zeroizing::new(String::new());
        if let Some(file) = &self.secret_file {
            let opened = std::fs::File::open(file)
                .with_context(|| format!("cannot read the secret in {}", file.display()))?;
            opened.take(4_096).read_to_string(&mut text)?;
        } else if self.secret_stdin {
            std::io::stdin().take(4_096).read_to_string(&mut text)?;
        } else {
            return Ok(None);
        }
        Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
    }
}

pub(super) async fn rotate(
    server: &AuthorizationServer,
    client_id: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let before = find(server, client_id).await?;
    let mut client = before.clone();
    let method = client.token_endpoint_auth_method;
    let Some(new) = secret::make(server, client_id, method, None).await? else {
        let why = if client.is_public() { "is a public client" } else { "signs with its own key" };
        bail!("{client_id:?} {why} and has no secret");
    };
    client.secret = Some(new.stored);
    if !server.store.replace_client(&before, client.clone()).await? {
        bail!("{client_id:?} was changed by somebody else just now; try again");
    }
    if as_json {
        return json(&Made { client: &client, client_secret: Some(&new.text) });
    }
    say(&format!("The secret of {} is replaced.", client.client_name));
    say_secret(&new.text);
    Ok(())
}

/// The only time that a secret is shown.
pub(super) fn say_secret(secret: &str) {
    say(&format!("  client_secret  {secret}\nThe secret is shown only now."));
}
