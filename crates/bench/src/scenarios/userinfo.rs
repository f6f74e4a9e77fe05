//! Reading claims with an access token: OpenID Connect Core 1.0 §5.3.

use anyhow::Result;

use super::{Again, tokens};
use crate::compare::{Effort, Subject};
use crate::deploy::Deployment;
use crate::person::SignedIn;
use crate::target::Target;

/// The subject: each connection has an access token of its own.
pub(crate) struct Bearers {
    requests: Vec<Vec<u8>>,
}

impl Bearers {
    /// Gets `count` access tokens.
    pub(crate) async fn begin(
        deployment: &Deployment,
        server: &Target,
        person: &SignedIn,
        count: usize,
    ) -> Result<Self> {
        let tokens = tokens(deployment, server, person, "openid profile email", count).await?;
        let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
        let request = |token: &str| deployment.site.get("/userinfo", &bearer(token));
        Ok(Self { requests: tokens.iter().map(|own| request(&own.access)).collect() })
    }
}

impl Subject for Bearers {
    type Script = Again;

    async fn scripts(&mut self, _: &Effort) -> Result<Vec<Again>> {
        Ok(self.requests.iter().cloned().map(Again).collect())
    }

    fn done(&mut self, _: Vec<Again>) {}
}
