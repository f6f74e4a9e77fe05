//! A token for a client itself: RFC 6749 §4.4, opaque and durable or a JWT (RFC 9068).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::{Again, PREPARATION};
use crate::compare::{Effort, Subject};
use crate::deploy::{Credentials, Deployment};
use crate::load::{Script, drive};
use crate::request::between;
use crate::target::Target;
use crate::wire::Answer;

/// The subject: every connection asks the same.
pub(crate) struct Issue {
    request: Vec<u8>,
}

impl Issue {
    /// Tokens for `client`.
    pub(crate) fn to(deployment: &Deployment, client: &Credentials) -> Self {
        Self { request: request(deployment, client) }
    }
}

impl Subject for Issue {
    type Script = Again;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Again>> {
        Ok((0..effort.connections).map(|_| Again(self.request.clone())).collect())
    }

    fn done(&mut self, _: Vec<Again>) {}
}

/// Keeps the tokens that it is given.
struct Collect {
    request: Vec<u8>,
    left: Arc<AtomicUsize>,
    tokens: Vec<(Instant, String)>,
}

impl Script for Collect {
    fn request(&mut self) -> Option<&[u8]> {
        let left =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        left.is_ok().then_some(self.request.as_slice())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)?;
        let token = between(answer.body, "\"access_token\":\"", b'"');
        let token = std::str::from_utf8(token.context("no access token came back")?)?;
        self.tokens.push((Instant::now(), token.to_owned()));
        Ok(())
    }
}

/// `count` tokens of `client`, in the order in which they were issued.
pub(super) async fn collect(
    deployment: &Deployment,
    server: &Target,
    client: &Credentials,
    count: usize,
) -> Result<Vec<String>> {
    let request = request(deployment, client);
    let left = Arc::new(AtomicUsize::new(count));
    let script =
        || Collect { request: request.clone(), left: Arc::clone(&left), tokens: Vec::new() };
    let scripts = (0..count.clamp(1, 64)).map(|_| script()).collect();
    let work = drive(server.address, scripts, PREPARATION).await?;
    let mut issued: Vec<_> = work.scripts.into_iter().flat_map(|script| script.tokens).collect();
    issued.sort_unstable();
    Ok(issued.into_iter().map(|(_, token)| token).collect())
}

fn request(deployment: &Deployment, client: &Credentials) -> Vec<u8> {
    deployment.request(client, "/token", &[("grant_type", "client_credentials")])
}
