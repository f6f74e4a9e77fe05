//! What a service asks before it calls a provider: its API key for a token that is stored.

use anyhow::{Result, ensure};

use crate::compare::{Effort, Subject};
use crate::deploy::{Deployment, INTEGRATION};
use crate::load::Script;
use crate::request::Template;
use crate::stored::mix;
use crate::vault::subject;
use crate::wire::Answer;

/// How an answer begins when there is a token.
const TOKEN: &[u8] = b"{\"access_token\":\"ya29.";

/// The subject: asks for the token of any connection.
pub(crate) struct VaultRead {
    template: Template,
    connections: usize,
}

/// One connection, which goes through the subjects in an order of its own.
pub(crate) struct Ask {
    template: Template,
    connections: usize,
    asked: u64,
}

impl VaultRead {
    /// Of so many connections, with a key that reaches all of them.
    pub(crate) fn of(deployment: &Deployment, api_key: &str, connections: usize) -> Result<Self> {
        let first = subject(0);
        let header = format!("authorization: Bearer {api_key}\r\n");
        let form = [("integration", INTEGRATION), ("subject", first.as_str())];
        let request = deployment.site.post("/oauth/token", &header, &form);
        Ok(Self { template: Template::new(request, &first)?, connections })
    }
}

impl Subject for VaultRead {
    type Script = Ask;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Ask>> {
        let script = |connection: usize| Ask {
            template: self.template.clone(),
            connections: self.connections,
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
        let number = mix(self.asked) % self.connections.max(1) as u64;
        let subject = subject(usize::try_from(number).unwrap_or_default());
        self.template.fill(subject.as_bytes()).ok()?;
        Some(self.template.bytes())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)?;
        ensure!(answer.body.starts_with(TOKEN), "this is no token: {}", answer.text());
        Ok(())
    }
}
