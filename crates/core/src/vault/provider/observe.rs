//! Everything that can be seen of a provider: to tell whether a key of its description does
//! anything, it is taken out, and what can be seen is compared.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::calls::{AuthorizeUrl, Callback, Context};
use super::samples::{self, NOW, Samples};
use super::variable::Source;
use super::{Provider, gaps::Gaps};
use crate::model::Scope;
use crate::outbound::Request;
use crate::vault::answer::TokenAnswer;
use crate::vault::{Integration, IntegrationKind};

/// What can be seen of a provider, a line for each look at it.
pub(crate) fn observe(provider: &Arc<Provider>, samples: &Samples) -> Vec<String> {
    let mut seen = Seen(Vec::new());
    seen.told(provider, samples);
    // With what an operator and the provider may tell, and without.
    for told in [false, true] {
        let setup = Setup::of(provider, told);
        seen.rules(&setup);
        seen.calls(&setup, samples);
        seen.answers(&setup, samples);
    }
    seen.0
}

/// A private key that nobody uses, for assertions. Ed25519 signs the same text the same way.
fn sample_key() -> String {
    // What stands before the 32 bytes of an Ed25519 key in PKCS #8.
    const PREFIX: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let der = [&PREFIX[..], &[7; 32]].concat();
    let (label, text) = ("PRIVATE KEY", STANDARD.encode(der));
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

struct Seen(Vec<String>);

/// An integration, and what a connection has been told.
struct Setup {
    integration: Integration,
    variables: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Setup {
    fn of(provider: &Arc<Provider>, told: bool) -> Self {
        let (mut own, mut kept, mut parameters) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, declared) in provider.description.variables.iter().filter(|_| told) {
            let Some(value) = samples::value(declared) else { continue };
            let at = declared.at.clone().unwrap_or_else(|| name.clone());
            match declared.from {
                Source::Operator => own.insert(name.clone(), value),
                Source::Answer => kept.insert(name.clone(), value),
                Source::Callback => parameters.insert(at, value),
            };
        }
        kept.extend(provider.callback(&parameters).unwrap_or_default());
        let integration = Integration {
            name: "sample".to_owned(),
            label: "Sample".to_owned(),
            provider: Arc::clone(provider),
            client_id: "sample-client".to_owned(),
            client_secret: Some(Zeroizing::new(sample_key())),
            scope: Scope::default(),
            required: Scope::default(),
            variables: own,
            kind: IntegrationKind::Person,
            redirect_uri: "https://vault.example/connect/callback".to_owned(),
            self_service: false,
            link: false,
            proxy: false,
            concurrency: 1,
            per_minute: 0,
        };
        let setup = Self { integration, variables: kept, parameters };
        if told {
            provider.pretend_discovered(&Gaps::new(provider, &setup.ctx()));
        }
        setup
    }

    fn ctx(&self) -> Context<'_> {
        Context { integration: &self.integration, variables: &self.variables, jti: "j", now: NOW }
    }

    fn provider(&self) -> &Provider {
        &self.integration.provider
    }
}

impl Seen {
    fn line(&mut self, what: impl Debug) {
        self.0.push(format!("{what:?}"));
    }

    fn request(&mut self, request: Option<Request>) {
        let shown = request.map(|own| {
            let headers: Vec<_> =
                own.headers.iter().map(|(name, value)| format!("{name}: {}", **value)).collect();
            (own.method, own.url, headers, String::from_utf8_lossy(&own.body).into_owned())
        });
        self.line(shown);
    }

    /// What a description says in itself.
    fn told(&mut self, provider: &Provider, samples: &Samples) {
        let kinds = [IntegrationKind::Person, IntegrationKind::ClientCredentials];
        self.line((&provider.label, provider.documentation().collect::<Vec<_>>()));
        self.line(kinds.map(|kind| provider.default_scope(kind)));
        self.line((provider.required_scope(), provider.asked(&Scope::default())));
        self.line((provider.rotates(), provider.refreshes(), provider.refresh_idle()));
        self.line(provider.refreshes_while_alive());
        self.line((provider.identity_from_id_token(), provider.uses_pkce()));
        self.line(provider.callback_variables().collect::<Vec<_>>());
        let because = provider.description.authorize.as_ref();
        self.line(because.and_then(|block| block.pkce_off_because.as_ref()));
        for name in samples.scope.iter() {
            let one = Scope::parse(name).unwrap_or_default();
            self.line((provider.canonical(&one), provider.missing(&samples.scope, &one)));
        }
        for declared in provider.description.variables.values() {
            let accepted = samples.values.iter().map(|value| declared.accept(value).ok());
            self.line((accepted.collect::<Vec<_>>(), &declared.about));
        }
    }

    fn rules(&mut self, setup: &Setup) {
        let (provider, ctx) = (setup.provider(), setup.ctx());
        for kind in [IntegrationKind::Person, IntegrationKind::ClientCredentials] {
            self.line(provider.unfit(&Integration { kind, ..setup.integration.clone() }));
        }
        self.line(provider.id_token(&ctx));
        self.line(provider.proxy(&ctx));
        self.line(provider.callback_issuer(&ctx));
    }

    fn calls(&mut self, setup: &Setup, samples: &Samples) {
        let (provider, ctx) = (setup.provider(), setup.ctx());
        for force_consent in [false, true] {
            let asked = AuthorizeUrl {
                scope: &samples.scope,
                state: "sample-state",
                challenge: "sample-challenge",
                nonce: "sample-nonce",
                login_hint: Some("sample@example.com"),
                force_consent,
            };
            self.line(provider.authorize_url(&ctx, &asked));
        }
        let back = Callback { code: "c", verifier: "v", parameters: &setup.parameters };
        self.request(Some(provider.exchange(&ctx, &back)));
        self.request(Some(provider.refresh(&ctx, "sample-refresh")));
        self.request(Some(provider.client_credentials(&ctx, &samples.scope)));
        for refresh in [None, Some("sample-refresh")] {
            self.request(provider.revoke(&ctx, "sample-access", refresh));
        }
        let own = &setup.integration;
        let shares = |client_id| provider.shares_grants(own, client_id, own);
        self.line(["sample-client", "7-sample"].map(shares));
        self.line(samples.revocations.iter().map(|own| provider.revoked(own)).collect::<Vec<_>>());
    }

    fn answers(&mut self, setup: &Setup, samples: &Samples) {
        let (provider, ctx) = (setup.provider(), setup.ctx());
        for answer in &samples.answers {
            match provider.tokens(&ctx, answer) {
                Ok(tokens) => {
                    self.tokens(&tokens);
                    self.request(provider.identity(&ctx, &tokens));
                }
                Err(failure) => self.line(failure),
            }
        }
        for document in &samples.accounts {
            let tokens = TokenAnswer {
                access_token: Zeroizing::new("sample-access".to_owned()),
                token_type: String::new(),
                refresh_token: None,
                id_token: None,
                scope: None,
                expires_at: None,
                refresh_expires_at: None,
                variables: setup.variables.clone(),
                raw: document.clone(),
            };
            let answer = samples::answer(document);
            self.line(provider.account(Some(document), &tokens, Some(&answer)));
        }
    }

    fn tokens(&mut self, own: &TokenAnswer) {
        let shown = |token: &Option<Zeroizing<String>>| token.as_ref().map(|own| own.to_string());
        self.line((own.access_token.as_str(), &own.token_type, shown(&own.refresh_token)));
        self.line((shown(&own.id_token), &own.scope, &own.variables));
        self.line((own.expires_at, own.refresh_expires_at));
    }
}
