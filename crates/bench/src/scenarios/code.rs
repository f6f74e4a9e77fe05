//! Exchanging a code with PKCE for an access, a refresh and an ES256 ID token: RFC 6749 §4.1.3.

use anyhow::{Context as _, Result};

use super::supply::{Demand, Spend};
use super::{codes, exchange};
use crate::compare::{Effort, Subject};
use crate::deploy::Deployment;
use crate::person::SignedIn;
use crate::request::Template;
use crate::target::Target;

/// The subject: fetches the codes of a phase before its clock starts.
pub(crate) struct Codes<'a> {
    deployment: &'a Deployment,
    server: &'a Target,
    person: SignedIn,
    demand: Demand,
}

impl<'a> Codes<'a> {
    /// Codes that `person` allows.
    pub(crate) fn of(deployment: &'a Deployment, server: &'a Target, person: SignedIn) -> Self {
        Self { deployment, server, person, demand: Demand::default() }
    }
}

impl Subject for Codes<'_> {
    type Script = Spend;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Spend>> {
        let count = self.demand.of(effort)?;
        let Self { deployment, server, person, .. } = self;
        let codes = codes(deployment, server, person, "openid", count).await?;
        let first = codes.first().context("no code was issued")?;
        let template = Template::new(exchange(deployment, first), first)?;
        Ok(Spend::share(&template, codes, effort.connections))
    }

    fn done(&mut self, scripts: Vec<Spend>) {
        self.demand.learn(&scripts);
    }
}
