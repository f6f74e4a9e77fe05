//! Reading claims with an access token: OpenID Connect Core 1.0 §5.3.

use anyhow::Result;

use super::tokens;
use crate::compare::{Effort, Subject};
use crate::deploy::Deployment;
use crate::load::Script;
use crate::person::SignedIn;
use crate::target::Target;
use crate::wire::Answer;

/// The subject: each connection has an access token of its own.
pub(crate) struct Bearers {
    requests: Vec<Vec<u8>>,
}

/// The same request again and again.
pub(crate) struct Read {
    request: Vec<u8>,
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
    type Script = Read;

    async fn scripts(&mut self, _: &Effort) -> Result<Vec<Read>> {
        Ok(self.requests.iter().map(|request| Read { request: request.clone() }).collect())
    }

    fn done(&mut self, _: Vec<Read>) {}
}

impl Script for Read {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.request)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)
    }
}
