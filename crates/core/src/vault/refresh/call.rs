//! The provider is asked, and asked again where that can do no harm: RFC 6749 §6, §4.4.2.

use std::time::Duration;

use zeroize::Zeroizing;

use super::gate::address;
use super::lease::{self, Lease};
use super::{slept, when};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::model::{Connection, RefreshAttempt};
use crate::outbound::{CallError, Request};
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::{FailureClass, ProviderFailure, TokenAnswer};
use crate::vault::provider::Context;
use crate::vault::seal::Tokens;
use crate::vault::{Integration, IntegrationKind};

/// What took longer is not asked again at once: it may still be being done.
const AT_ONCE: Seconds = Seconds(10);

/// What came of it.
pub(super) struct Called {
    /// Tokens, or why there are none.
    pub(super) answer: Result<TokenAnswer, ProviderFailure>,
    /// The refresh token that was sent last.
    pub(super) sent: Option<Zeroizing<String>>,
    /// Whether it may have been sent before by a call whose outcome is not known.
    pub(super) again: bool,
    /// When the last call began: what is counted from the answer is counted from then.
    pub(super) began: Timestamp,
    /// Whether somebody else has the lease now.
    pub(super) lease_lost: bool,
}

/// One call.
struct Tried {
    answer: Result<TokenAnswer, ProviderFailure>,
    surely_not_sent: bool,
    began: Timestamp,
}

/// Whose tokens are asked for, and with what.
pub(super) struct Asker<'a> {
    pub(super) server: &'a AuthorizationServer,
    pub(super) integration: &'a Integration,
    pub(super) connection: &'a Connection,
    pub(super) tokens: &'a Tokens,
}

impl Asker<'_> {
    /// Asks, and once more if the provider has surely not seen it, or if it did not finish to answer:
    /// then the same refresh token shows what became of it, and soon enough for a provider that
    /// forgives a lost answer for a while.
    pub(super) async fn ask(&self, lease: &Lease<'_>) -> Result<Called, Broken> {
        let sent = self.tokens.refresh_token.as_ref();
        let mut again = lease.attempt.again;
        let mut tried = self.once(sent).await;
        let lost = |tried: Tried, again| Called {
            answer: tried.answer,
            sent: sent.cloned(),
            again,
            began: tried.began,
            lease_lost: true,
        };
        if self.is_worth_another(&tried) {
            again |= !tried.surely_not_sent;
            if !self.another(&lease.attempt).await? {
                return Ok(lost(tried, again));
            }
            tried = self.once(sent).await;
        }
        if let (true, Some(previous)) = (is_dead(&tried.answer), self.previous()) {
            // The provider does not know the last one: its answer may have been lost on their side.
            // Should the one before work, it is the grant's; if not, nothing is lost by asking.
            if !self.another(&lease.attempt).await? {
                return Ok(lost(tried, again));
            }
            let second = self.once(Some(previous)).await;
            if second.answer.is_ok() {
                let (answer, began) = (second.answer, second.began);
                let sent = Some(previous.clone());
                return Ok(Called { answer, sent, again, began, lease_lost: false });
            }
        }
        let (answer, began) = (tried.answer, tried.began);
        Ok(Called { answer, sent: sent.cloned(), again, began, lease_lost: false })
    }

    async fn once(&self, refresh_token: Option<&Zeroizing<String>>) -> Tried {
        let Self { server, integration, connection, .. } = self;
        let (began, jti) = (server.clock.now(), server.new_id().to_string());
        let ctx = Context { integration, variables: &connection.variables, jti: &jti, now: began };
        let provider = &integration.provider;
        if let Err(failure) = provider.prepare(&ctx, server.outbound.as_ref()).await {
            return Tried { answer: Err(failure), surely_not_sent: false, began };
        }
        let request = match (integration.kind, refresh_token) {
            (IntegrationKind::ClientCredentials, _) | (IntegrationKind::Person, None) => {
                provider.client_credentials(&ctx, &integration.scope)
            }
            (IntegrationKind::Person, Some(token)) => provider.refresh(&ctx, token),
        };
        let sent = send(server, &ctx, request).await;
        let hide = [
            refresh_token.map_or("", |own| own.as_str()),
            integration.client_secret.as_ref().map_or("", |own| own.as_str()),
        ];
        let answer = sent.answer.map_err(|failure| failure.without(&hide));
        Tried { answer, ..sent }
    }

    fn is_worth_another(&self, tried: &Tried) -> bool {
        let quick = tried.began.until(self.server.clock.now()) <= AT_ONCE;
        match &tried.answer {
            Err(failure) => {
                let unknown = failure.class == FailureClass::UnknownOutcome;
                tried.surely_not_sent || (unknown && quick)
            }
            Ok(_) => false,
        }
    }

    /// Whether there may be another call; a moment later.
    async fn another(&self, attempt: &RefreshAttempt) -> Result<bool, Broken> {
        a_moment(self.server).await;
        lease::extend(self.server, attempt).await
    }

    /// The refresh token before the last one, of a provider that spends them.
    fn previous(&self) -> Option<&Zeroizing<String>> {
        let rotates = self.connection.rotates == Some(true);
        self.tokens.previous_refresh_token.as_ref().filter(|_| rotates)
    }
}

/// One call for tokens, whoever asks. An address that does not answer is left alone for a while.
async fn send(server: &AuthorizationServer, ctx: &Context<'_>, request: Request) -> Tried {
    let (deadline, began) = (server.policy.vault.refresh.deadline, ctx.now);
    let gate = &server.vault.gate;
    let place = address(&request.url).to_owned();
    if let Err(wait) = gate.try_address(&place, deadline, began) {
        let mut failure = ProviderFailure::new(FailureClass::Transient, AWAY);
        failure.retry_after = Some(wait);
        return Tried { answer: Err(failure), surely_not_sent: false, began };
    }
    let (answer, surely_not_sent) = match server.outbound.call(request, deadline).await {
        Ok(response) => (ctx.integration.provider.tokens(ctx, &response), false),
        Err(error) => {
            let not_sent = matches!(error, CallError::NotSent(_));
            (Err(ProviderFailure::no_answer(&error)), not_sent)
        }
    };
    match answer.as_ref().map_err(|failure| failure.class) {
        Err(FailureClass::Transient) => gate.failed(&place, server.entropy.as_ref(), began),
        Err(FailureClass::UnknownOutcome) | Err(FailureClass::Throttled) => {}
        Ok(_)
        | Err(FailureClass::GrantDead | FailureClass::ClientBroken | FailureClass::BadRequest) => {
            gate.works(&place);
        }
    }
    Tried { answer, surely_not_sent, began }
}

const AWAY: &str = "the address did not answer several times and is left alone for a while";

/// A call for the first token of an integration that acts for itself, and another one if the provider
/// has surely not seen it.
pub(super) async fn for_itself(
    server: &AuthorizationServer,
    integration: &Integration,
) -> (Result<TokenAnswer, ProviderFailure>, Timestamp) {
    let mut tried = first(server, integration).await;
    if tried.surely_not_sent {
        a_moment(server).await;
        tried = first(server, integration).await;
    }
    let secret = integration.client_secret.as_ref().map_or("", |own| own.as_str());
    (tried.answer.map_err(|failure| failure.without(&[secret])), tried.began)
}

async fn first(server: &AuthorizationServer, integration: &Integration) -> Tried {
    let (began, jti) = (server.clock.now(), server.new_id().to_string());
    let variables = &integration.variables;
    let ctx = Context { integration, variables, jti: &jti, now: began };
    let provider = &integration.provider;
    if let Err(failure) = provider.prepare(&ctx, server.outbound.as_ref()).await {
        return Tried { answer: Err(failure), surely_not_sent: false, began };
    }
    let request = provider.client_credentials(&ctx, &integration.scope);
    send(server, &ctx, request).await
}

/// Before another call.
async fn a_moment(server: &AuthorizationServer) {
    let spread = when::below(400, server.entropy.as_ref());
    slept(server, Duration::from_millis(100 + u64::from(spread))).await;
}

fn is_dead(answer: &Result<TokenAnswer, ProviderFailure>) -> bool {
    answer.as_ref().is_err_and(|failure| failure.class == FailureClass::GrantDead)
}
