//! Rotating a refresh token without an ID token, each connection a chain of its own: RFC 6749 §6.

use anyhow::{Context as _, Result};

use super::tokens;
use crate::compare::{Effort, Subject};
use crate::deploy::Deployment;
use crate::load::Script;
use crate::person::SignedIn;
use crate::request::{Template, between};
use crate::target::Target;
use crate::wire::Answer;

/// The subject: chains go on from phase to phase.
pub(crate) struct Chains {
    idle: Vec<Rotate>,
}

/// One chain.
pub(crate) struct Rotate {
    template: Template,
    left: Option<usize>,
}

impl Chains {
    /// Begins `count` chains.
    pub(crate) async fn begin(
        deployment: &Deployment,
        server: &Target,
        person: &SignedIn,
        count: usize,
    ) -> Result<Self> {
        let tokens = tokens(deployment, server, person, "read", count).await?;
        let chain = |refresh: &str| {
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
            let template = Template::new(deployment.token_request(&form), refresh)?;
            Ok(Rotate { template, left: None })
        };
        let idle = tokens.iter().map(|own| chain(&own.refresh)).collect::<Result<_>>()?;
        Ok(Self { idle })
    }

    /// The chains, each to be rotated so often that it is `rotations` in all.
    pub(crate) fn limited(self, rotations: usize) -> Vec<Rotate> {
        let each = rotations.div_ceil(self.idle.len().max(1));
        self.idle.into_iter().map(|chain| Rotate { left: Some(each), ..chain }).collect()
    }
}

impl Subject for Chains {
    type Script = Rotate;

    async fn scripts(&mut self, _: &Effort) -> Result<Vec<Rotate>> {
        Ok(std::mem::take(&mut self.idle))
    }

    fn done(&mut self, scripts: Vec<Rotate>) {
        self.idle = scripts;
    }
}

impl Rotate {
    /// The chain without a limit.
    pub(crate) fn endless(self) -> Self {
        Self { left: None, ..self }
    }

    /// The request that rotates it next.
    pub(crate) fn upcoming(&self) -> &[u8] {
        self.template.bytes()
    }
}

impl Script for Rotate {
    fn request(&mut self) -> Option<&[u8]> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        Some(self.template.bytes())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)?;
        let successor = between(answer.body, "\"refresh_token\":\"", b'"');
        self.template.fill(successor.context("no refresh token came back")?)
    }
}
