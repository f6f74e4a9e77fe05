//! Giving tokens back: RFC 7009 §2. Each can be revoked once.

use anyhow::{Context as _, Result};

use super::client_credentials::collect;
use super::supply::{Demand, Spend};
use crate::compare::{Effort, Subject};
use crate::deploy::{Credentials, Deployment};
use crate::request::Template;
use crate::target::Target;

/// The subject: fetches the tokens of a phase before its clock starts.
pub(crate) struct Revoke<'a> {
    deployment: &'a Deployment,
    server: &'a Target,
    client: &'a Credentials,
    demand: Demand,
}

impl<'a> Revoke<'a> {
    /// Tokens of `client`, which gives them back itself.
    pub(crate) fn of(
        deployment: &'a Deployment,
        server: &'a Target,
        client: &'a Credentials,
    ) -> Self {
        Self { deployment, server, client, demand: Demand::default() }
    }
}

impl Subject for Revoke<'_> {
    type Script = Spend;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Spend>> {
        let count = self.demand.of(effort)?;
        let Self { deployment, server, client, .. } = self;
        let tokens = collect(deployment, server, client, count).await?;
        let first = tokens.first().context("no token was issued")?;
        let request = deployment.request(client, "/revoke", &[("token", first)]);
        let template = Template::new(request, first)?;
        Ok(Spend::share(&template, tokens, effort.connections))
    }

    fn done(&mut self, scripts: Vec<Spend>) {
        self.demand.learn(&scripts);
    }
}
