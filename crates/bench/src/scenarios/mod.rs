//! What is asked of Grantor: a file for each scenario, and what they share.

mod client_credentials;
mod code;
mod introspect;
pub(crate) mod memory;
mod refresh;
mod revoke;
pub(crate) mod start;
mod supply;
mod userinfo;
mod vault_read;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::deploy::{CALLBACK, Deployment, VERIFIER};
use crate::load::{Script, drive};
use crate::person::SignedIn;
use crate::request::between;
use crate::target::Target;
use crate::wire::{Answer, Connection};

pub(crate) use client_credentials::Issue;
pub(crate) use code::Codes;
pub(crate) use introspect::Introspect;
pub(crate) use refresh::Chains;
pub(crate) use revoke::Revoke;
pub(crate) use userinfo::Bearers;
pub(crate) use vault_read::VaultRead;

/// How long preparations may take.
const PREPARATION: Duration = Duration::from_mins(10);

/// The same request again and again.
pub(crate) struct Again(Vec<u8>);

impl Script for Again {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)
    }
}

/// What a client has after a code exchange.
struct Tokens {
    access: String,
    refresh: String,
}

/// Asks for codes with a session, as fast as the server gives them.
struct Authorize {
    request: Vec<u8>,
    left: Arc<AtomicUsize>,
    codes: Vec<(Instant, String)>,
}

impl Script for Authorize {
    fn request(&mut self) -> Option<&[u8]> {
        let left =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        left.is_ok().then_some(self.request.as_slice())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(303)?;
        let url = answer.header("location").next().context("the answer leads nowhere")?;
        let code = between(url.as_bytes(), "code=", b'&').context("no code came back")?;
        self.codes.push((Instant::now(), std::str::from_utf8(code)?.to_owned()));
        Ok(())
    }
}

/// Codes for `scope`, `count` of them, in the order in which they were issued: a client redeems a
/// code soon, while the page that it is on is warm, and so does this program.
async fn codes(
    deployment: &Deployment,
    server: &Target,
    person: &SignedIn,
    scope: &str,
    count: usize,
) -> Result<Vec<String>> {
    let request = deployment.site.get(&deployment.authorize_path(scope), &person.cookie);
    let left = Arc::new(AtomicUsize::new(count));
    let script =
        || Authorize { request: request.clone(), left: Arc::clone(&left), codes: Vec::new() };
    let scripts = (0..count.clamp(1, 64)).map(|_| script()).collect();
    let work = drive(server.address, scripts, PREPARATION).await?;
    let mut issued: Vec<_> = work.scripts.into_iter().flat_map(|script| script.codes).collect();
    issued.sort_unstable();
    Ok(issued.into_iter().map(|(_, code)| code).collect())
}

/// The token request for a code.
fn exchange(deployment: &Deployment, code: &str) -> Vec<u8> {
    deployment.token_request(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ])
}

/// Tokens of `count` authorizations for `scope`.
async fn tokens(
    deployment: &Deployment,
    server: &Target,
    person: &SignedIn,
    scope: &str,
    count: usize,
) -> Result<Vec<Tokens>> {
    let mut connection = Connection::open(server.address).await?;
    let mut tokens = Vec::with_capacity(count);
    for code in codes(deployment, server, person, scope, count).await? {
        let answer = connection.exchange(&exchange(deployment, &code)).await?;
        answer.expect(200)?;
        let member = |name| {
            let found = between(answer.body, name, b'"').context("a token is missing")?;
            Ok::<_, anyhow::Error>(std::str::from_utf8(found)?.to_owned())
        };
        tokens.push(Tokens {
            access: member("\"access_token\":\"")?,
            refresh: member("\"refresh_token\":\"")?,
        });
    }
    Ok(tokens)
}
