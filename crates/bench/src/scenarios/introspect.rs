//! What a resource server asks for each call that it is sent: RFC 7662 §2.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use super::client_credentials::collect;
use crate::compare::{Effort, Subject};
use crate::deploy::{Credentials, Deployment, Machines};
use crate::load::Script;
use crate::request::Template;
use crate::stored::{Stored, mix};
use crate::target::Target;
use crate::wire::Answer;

/// Tokens that are in use at a time, as a busy API sees them.
const IN_USE: usize = 10_000;

/// How an answer begins when the token is good.
const ACTIVE: &[u8] = b"{\"active\":true";

/// The tokens that are asked about.
enum Tokens {
    Issued(Vec<String>),
    Stored(Stored),
}

/// The subject: asks about any of its tokens.
pub(crate) struct Introspect {
    template: Template,
    tokens: Arc<Tokens>,
}

/// One connection, which goes through the tokens in an order of its own.
pub(crate) struct Ask {
    template: Template,
    tokens: Arc<Tokens>,
    asked: u64,
}

impl Introspect {
    /// Tokens that the server issues now.
    pub(crate) async fn fresh(
        deployment: &Deployment,
        server: &Target,
        machines: &Machines,
    ) -> Result<Self> {
        let tokens = collect(deployment, server, &machines.opaque, IN_USE).await?;
        let first = tokens.first().context("no token was issued")?;
        Ok(Self {
            template: template(deployment, &machines.api, first)?,
            tokens: Arc::new(Tokens::Issued(tokens)),
        })
    }

    /// Any of the tokens that were there before the server was started.
    pub(crate) fn any_of(
        deployment: &Deployment,
        machines: &Machines,
        stored: Stored,
    ) -> Result<Self> {
        Ok(Self {
            template: template(deployment, &machines.api, &stored.token(0).reveal())?,
            tokens: Arc::new(Tokens::Stored(stored)),
        })
    }
}

fn template(deployment: &Deployment, api: &Credentials, token: &str) -> Result<Template> {
    Template::new(deployment.request(api, "/introspect", &[("token", token)]), token)
}

impl Subject for Introspect {
    type Script = Ask;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Ask>> {
        let script = |connection: usize| Ask {
            template: self.template.clone(),
            tokens: Arc::clone(&self.tokens),
            asked: connection as u64,
        };
        // Far apart, so that no two connections come along the same way.
        Ok((0..effort.connections).map(|own| script(own << 32)).collect())
    }

    fn done(&mut self, _: Vec<Ask>) {}
}

impl Script for Ask {
    fn request(&mut self) -> Option<&[u8]> {
        self.asked += 1;
        let token = self.tokens.any(mix(self.asked));
        self.template.fill(token.as_bytes()).ok()?;
        Some(self.template.bytes())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)?;
        ensure!(answer.body.starts_with(ACTIVE), "a good token is not active: {}", answer.text());
        Ok(())
    }
}

impl Tokens {
    fn any(&self, random: u64) -> Cow<'_, str> {
        let among = |count: usize| (random % count.max(1) as u64) as usize;
        match self {
            Self::Issued(tokens) => Cow::Borrowed(&tokens[among(tokens.len())]),
            Self::Stored(stored) => Cow::Owned(stored.token(among(stored.tokens)).reveal()),
        }
    }
}
