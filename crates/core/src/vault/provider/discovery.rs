//! Providers that publish where they are to be spoken to: OpenID Connect Discovery 1.0 §4, RFC 8414.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use super::Provider;
use super::calls::Context;
use super::gaps::Gaps;
use super::template::is_call;
use crate::jose::parse_object_strict;
use crate::outbound::Outbound;
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::{FailureClass, ProviderFailure};

/// How long metadata are taken without asking again. Older ones do when the provider is away.
const FRESH: Seconds = Seconds::hours(6);
/// How long a provider is left alone after its metadata could not be had.
const FAILED: Seconds = Seconds(10);

/// The metadata that were fetched, by their URL.
#[derive(Debug, Default)]
pub struct Discovered(Mutex<HashMap<String, Kept>>);

#[derive(Clone, Debug)]
struct Kept {
    metadata: Option<Arc<Metadata>>,
    failed: Option<ProviderFailure>,
    at: Timestamp,
}

/// The members that are used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pub(crate) token_endpoint_auth_methods_supported: Vec<String>,
}

impl Provider {
    /// Gets ready for the other calls: fetches the provider's metadata if the description leaves
    /// URLs to them, and sees that every variable which a call needs has a value. Without metadata
    /// it costs nothing. To be awaited before any other call; what it refuses is for the operator.
    pub async fn prepare(
        &self,
        ctx: &Context<'_>,
        outbound: &dyn Outbound,
    ) -> Result<(), ProviderFailure> {
        if let Some(problem) = self.unfit(ctx.integration).into_iter().next() {
            return Err(broken(&problem));
        }
        let Some(block) = &self.description.discovery else { return Ok(()) };
        let gaps = Gaps::new(self, ctx);
        let (url, issuer) = gaps
            .url(&block.url)
            .zip(gaps.url(&block.issuer))
            .ok_or_else(|| broken("the URL of its metadata needs a variable that is not set"))?;
        if let Some(known) = self.discovered.known(&url, ctx.now) {
            return known;
        }
        let fetched = match outbound.json(&url).await {
            Ok(bytes) => Metadata::read(&bytes, &issuer).map_err(|why| failed(&url, &why)),
            Err(error) => Err(failed(&url, &error.why)),
        };
        self.discovered.keep(url, fetched, ctx.now)
    }
}

impl Provider {
    /// As if metadata had been fetched, to see what a description does with them.
    pub(crate) fn pretend_discovered(&self, gaps: &Gaps<'_>) {
        let Some(block) = &self.description.discovery else { return };
        let Some((url, issuer)) = gaps.url(&block.url).zip(gaps.url(&block.issuer)) else { return };
        let at = |path: &str| Some(format!("https://discovered.example/{path}"));
        let metadata = Metadata {
            issuer,
            authorization_endpoint: at("authorize"),
            token_endpoint: at("token"),
            userinfo_endpoint: at("userinfo"),
            revocation_endpoint: at("revoke"),
            jwks_uri: at("keys"),
            authorization_response_iss_parameter_supported: true,
            token_endpoint_auth_methods_supported: vec!["client_secret_post".to_owned()],
        };
        // It is kept, and so usable.
        let _usable = self.discovered.keep(url, Ok(metadata), gaps.ctx.now);
    }
}

impl Gaps<'_> {
    /// The provider's metadata, if they were fetched.
    pub(crate) fn metadata(&self) -> Option<Arc<Metadata>> {
        let block = self.provider.description.discovery.as_ref()?;
        let url = self.url(&block.url)?;
        self.provider.discovered.lock().get(&url).and_then(|kept| kept.metadata.clone())
    }
}

impl Metadata {
    fn read(bytes: &[u8], issuer: &str) -> Result<Self, String> {
        let members = parse_object_strict(bytes).map_err(|error| error.to_string())?;
        let metadata: Self = serde_json::from_value(Value::Object(members))
            .map_err(|error| format!("they cannot be read: {error}"))?;
        // OpenID Connect Discovery 1.0 §4.3: issuer must be the one that the document was asked of.
        if metadata.issuer != issuer {
            let own = metadata.issuer.chars().filter(char::is_ascii_graphic).take(200);
            let own: String = own.collect();
            return Err(format!("their issuer is {own:?}, not {issuer:?}"));
        }
        // RFC 8414 §2: endpoints are https; only what runs on this machine itself may do without.
        let clear = issuer.starts_with("http://");
        let called = |url: &String| !is_call(url) || !(clear || url.starts_with("https://"));
        if metadata.urls().any(called) {
            return Err("one of their endpoints is not an https URL".to_owned());
        }
        Ok(metadata)
    }

    fn urls(&self) -> impl Iterator<Item = &String> {
        let all = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
            &self.revocation_endpoint,
            &self.jwks_uri,
        ];
        all.into_iter().flatten()
    }
}

impl Discovered {
    /// What can be said without a fetch.
    fn known(&self, url: &str, now: Timestamp) -> Option<Result<(), ProviderFailure>> {
        let kept = self.lock().get(url).cloned()?;
        let span = if kept.failed.is_some() { FAILED } else { FRESH };
        (now < kept.at.plus(span)).then(|| kept.usable())
    }

    fn keep(
        &self,
        url: String,
        fetched: Result<Metadata, ProviderFailure>,
        now: Timestamp,
    ) -> Result<(), ProviderFailure> {
        let mut all = self.lock();
        let before = all.get(&url).and_then(|kept| kept.metadata.clone());
        let kept = match fetched {
            Ok(metadata) => Kept { metadata: Some(Arc::new(metadata)), failed: None, at: now },
            Err(failure) => Kept { metadata: before, failed: Some(failure), at: now },
        };
        let usable = kept.usable();
        all.insert(url, kept);
        usable
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn usable(&self) -> Result<(), ProviderFailure> {
        match (&self.metadata, &self.failed) {
            (None, Some(failure)) => Err(failure.clone()),
            (Some(_), _) | (None, None) => Ok(()),
        }
    }
}

fn failed(url: &str, why: &str) -> ProviderFailure {
    ProviderFailure::new(FailureClass::Transient, &format!("its metadata at {url}: {why}"))
}

fn broken(detail: &str) -> ProviderFailure {
    ProviderFailure::new(FailureClass::ClientBroken, detail)
}
