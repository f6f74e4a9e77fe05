//! Exchanging a code with PKCE for an access, a refresh and an ES256 ID token: RFC 6749 §4.1.3.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use super::{codes, exchange};
use crate::compare::{Effort, Subject};
use crate::deploy::Deployment;
use crate::load::Script;
use crate::person::SignedIn;
use crate::request::Template;
use crate::target::Target;
use crate::wire::Answer;

/// Codes for the first second; afterwards the rate is known.
const FIRST_GUESS: usize = 10_000;

/// What a phase may be faster than the one before it, in percent.
const FASTER: usize = 150;

/// The subject: fetches the codes of a phase before its clock starts.
pub(crate) struct Codes<'a> {
    deployment: &'a Deployment,
    server: &'a Target,
    person: SignedIn,
    a_second: usize,
    seconds: usize,
}

/// Exchanges codes of a supply that all connections share.
pub(crate) struct Exchange {
    template: Template,
    supply: Arc<Supply>,
}

struct Supply {
    codes: Vec<String>,
    next: AtomicUsize,
}

impl<'a> Codes<'a> {
    /// Codes that `person` allows.
    pub(crate) fn of(deployment: &'a Deployment, server: &'a Target, person: SignedIn) -> Self {
        Self { deployment, server, person, a_second: FIRST_GUESS, seconds: 1 }
    }
}

impl Subject for Codes<'_> {
    type Script = Exchange;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Exchange>> {
        self.seconds = usize::try_from(effort.seconds)?.max(1);
        let Self { deployment, server, person, .. } = self;
        let count = self.a_second * self.seconds;
        let codes = codes(deployment, server, person, "openid", count).await?;
        let first = codes.first().context("no code was issued")?;
        let template = Template::new(exchange(deployment, first), first)?;
        let supply = Arc::new(Supply { codes, next: AtomicUsize::new(0) });
        let script = || Exchange { template: template.clone(), supply: Arc::clone(&supply) };
        Ok((0..effort.connections).map(|_| script()).collect())
    }

    fn done(&mut self, scripts: Vec<Exchange>) {
        let used = scripts.first().map_or(0, |script| script.supply.next.load(Ordering::Relaxed));
        self.a_second = (used / self.seconds * FASTER / 100).max(1_000);
    }
}

impl Script for Exchange {
    fn request(&mut self) -> Option<&[u8]> {
        let code = self.supply.codes.get(self.supply.next.fetch_add(1, Ordering::Relaxed))?;
        self.template.fill(code.as_bytes()).ok()?;
        Some(self.template.bytes())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)
    }
}
