//! What fills the gaps of a description's URLs and values.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::calls::Context;
use super::template::UrlTemplate;
use super::variable::Source;
use super::{Provider, discovery::Metadata};

/// RFC 3986 §2.3: what needs no escape anywhere.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names that are known without being declared.
pub(crate) const BUILT_IN: [&str; 3] = ["client_id", "access_token", "refresh_token"];

/// What fills the gaps in one call.
#[derive(Clone, Copy)]
pub(crate) struct Gaps<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) ctx: &'a Context<'a>,
    /// The parameters of the callback, while the code is exchanged.
    pub(crate) callback: Option<&'a BTreeMap<String, String>>,
    /// The access token, where the description may name it.
    pub(crate) access: Option<&'a str>,
    /// The refresh token, where the description may name it.
    pub(crate) refresh: Option<&'a str>,
}

impl<'a> Gaps<'a> {
    pub(crate) const fn new(provider: &'a Provider, ctx: &'a Context<'a>) -> Self {
        Self { provider, ctx, callback: None, access: None, refresh: None }
    }

    /// A value as it is, for a header or a parameter.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "client_id" => Some(self.ctx.integration.client_id.clone()),
            "access_token" => self.access.map(ToOwned::to_owned),
            "refresh_token" => self.refresh.map(ToOwned::to_owned),
            variable => self.variable(variable),
        }
    }

    /// A URL with all gaps filled, and nothing in them that leads out of its place.
    pub(crate) fn url(&self, url: &UrlTemplate) -> Option<String> {
        url.fill(|name| {
            let value = self.value(name)?;
            // Variables have forms that need no escape; what is built in may be anything.
            let escaped = || utf8_percent_encode(&value, UNRESERVED).to_string();
            Some(if BUILT_IN.contains(&name) { escaped() } else { value })
        })
    }

    /// A declared variable, looked at again. One that was given and is refused has no value: its
    /// default would be another provider than the one that was meant.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let declared = self.provider.description.variables.get(name)?;
        let kept = || self.ctx.variables.get(name);
        let given = match declared.from {
            Source::Operator => self.ctx.integration.variables.get(name),
            Source::Callback => {
                let at = declared.at.as_deref().unwrap_or(name);
                self.callback.and_then(|parameters| parameters.get(at)).or_else(kept)
            }
            Source::Answer => kept(),
        };
        match given {
            Some(value) => declared.accept(value).ok(),
            None => declared.default.clone(),
        }
    }

    /// The URL of a call: of the description, else of the metadata. An empty one is refused by
    /// whoever makes the call.
    pub(crate) fn endpoint(
        &self,
        own: Option<&UrlTemplate>,
        found: impl Fn(&Metadata) -> Option<&String>,
    ) -> String {
        let url = match own {
            Some(own) => self.url(own),
            None => self.metadata().and_then(|metadata| found(&metadata).cloned()),
        };
        url.unwrap_or_default()
    }
}
