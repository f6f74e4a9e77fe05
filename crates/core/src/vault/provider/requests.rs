//! The parts that requests are put together from.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Provider;
use super::client_auth;
use super::description::{Body, Call, CallAuth, ClientAuth, ClientCredentials, Refresh};
use super::discovery::Metadata;
use super::gaps::Gaps;
use super::template::{Template, UrlTemplate};
use crate::outbound::{Method, Request};

/// Names and values in their order, each name once. Header names are compared without case.
#[derive(Clone, Default)]
pub(crate) struct Fields(Vec<Field>);

#[derive(Clone)]
struct Field {
    name: String,
    value: Zeroizing<String>,
    /// Whether it is a number in JSON.
    number: bool,
}

impl Fields {
    /// Sets a value, in the place of the one that was there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.put(name, value, false);
    }

    fn put(&mut self, name: &str, value: &str, number: bool) {
        let value = Zeroizing::new(value.to_owned());
        match self.0.iter_mut().find(|own| own.name.eq_ignore_ascii_case(name)) {
            Some(own) => (own.value, own.number) = (value, number),
            None => self.0.push(Field { name: name.to_owned(), value, number }),
        }
    }

    /// Gives fields other names.
    pub(crate) fn rename(&mut self, names: &BTreeMap<String, String>) {
        for own in &mut self.0 {
            if let Some(other) = names.get(own.name.as_str()) {
                own.name.clone_from(other);
            }
        }
    }

    /// Sets what a description adds. A value that is empty, or whose gaps cannot be filled, takes
    /// the field away.
    pub(crate) fn add(&mut self, more: &BTreeMap<String, Template>, gaps: &Gaps<'_>) {
        for (name, template) in more {
            let value = template.fill(|gap| gaps.value(gap)).unwrap_or_default();
            match value.as_str() {
                "" => self.0.retain(|own| !own.name.eq_ignore_ascii_case(name)),
                value => self.put(name, value, template.is_number()),
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|own| (own.name.as_str(), own.value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// RFC 6749 appendix B.
    pub(crate) fn form(&self) -> Zeroizing<Vec<u8>> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(self.iter());
        Zeroizing::new(form.finish().into_bytes())
    }

    pub(crate) fn json(&self) -> Zeroizing<Vec<u8>> {
        let value = |own: &Field| match own.value.parse::<i64>() {
            Ok(number) if own.number => Value::from(number),
            Ok(_) | Err(_) => Value::from(own.value.as_str()),
        };
        let members = self.0.iter().map(|own| (own.name.clone(), value(own)));
        let object = Value::Object(members.collect::<Map<_, _>>());
        Zeroizing::new(object.to_string().into_bytes())
    }

    pub(crate) fn into_headers(self) -> Vec<(String, Zeroizing<String>)> {
        // A line break would begin another header.
        let plain = |own: &Field| own.value.bytes().all(|b| matches!(b, b' '..=b'~'));
        self.0.into_iter().filter(plain).map(|own| (own.name, own.value)).collect()
    }
}

/// A block of a description whose call goes to a token endpoint.
pub(crate) struct Block<'a> {
    pub(crate) url: Option<&'a UrlTemplate>,
    pub(crate) auth: Option<ClientAuth>,
    pub(crate) audience: Option<&'a Template>,
    pub(crate) body: Option<Body>,
    pub(crate) headers: Option<&'a BTreeMap<String, Template>>,
    pub(crate) params: &'a BTreeMap<String, Template>,
    pub(crate) rename: Option<&'a BTreeMap<String, String>>,
}

/// The blocks have the same keys, and serde cannot refuse unknown keys in a struct that is shared.
macro_rules! block {
    ($own:expr) => {
        Block {
            url: $own.url.as_ref(),
            auth: $own.auth,
            audience: $own.audience.as_ref(),
            body: $own.body,
            headers: $own.headers.as_ref(),
            params: &$own.params,
            rename: $own.rename.as_ref(),
        }
    };
}

impl<'a> From<&'a Call> for Block<'a> {
    fn from(own: &'a Call) -> Self {
        block!(own)
    }
}

impl<'a> From<&'a Refresh> for Block<'a> {
    fn from(own: &'a Refresh) -> Self {
        block!(own)
    }
}

impl<'a> From<&'a ClientCredentials> for Block<'a> {
    fn from(own: &'a ClientCredentials) -> Self {
        block!(own)
    }
}

impl Provider {
    /// A call at the token endpoint; what `block` leaves out is as in `[token]`.
    pub(crate) fn token_call(
        &self,
        gaps: &Gaps<'_>,
        block: &Block<'_>,
        mut fields: Fields,
    ) -> Request {
        let base = Block::from(&self.description.token);
        let url = gaps.endpoint(block.url.or(base.url), |found| found.token_endpoint.as_ref());
        let audience = block.audience.or(base.audience);
        let audience = audience.and_then(|own| own.fill(|gap| gaps.value(gap)));
        let mut headers = Fields::default();
        headers.set("accept", "application/json");
        let auth = self.client_auth(gaps, block.auth.or(base.auth));
        let audience = audience.unwrap_or_else(|| url.clone());
        client_auth::prove(auth, gaps.ctx, &audience, &mut fields, &mut headers);
        if let Some(names) = block.rename.or(base.rename) {
            fields.rename(names);
        }
        fields.add(block.params, gaps);
        let body = match block.body.or(base.body).unwrap_or_default() {
            Body::Form => {
                headers.set("content-type", "application/x-www-form-urlencoded");
                fields.form()
            }
            Body::Json => {
                headers.set("content-type", "application/json");
                fields.json()
            }
        };
        if let Some(more) = block.headers.or(base.headers) {
            headers.add(more, gaps);
        }
        Request { method: Method::Post, url, headers: headers.into_headers(), body }
    }

    /// Puts who calls into a call that is none at the token endpoint.
    pub(crate) fn prove(
        &self,
        gaps: &Gaps<'_>,
        auth: CallAuth,
        url: &str,
        fields: &mut Fields,
        headers: &mut Fields,
    ) {
        let auth = match auth {
            CallAuth::Client => self.client_auth(gaps, self.description.token.auth),
            CallAuth::Basic => ClientAuth::Basic,
            CallAuth::Post => ClientAuth::Post,
            CallAuth::Bearer => {
                // RFC 6750 §2.1
                let access = gaps.access.unwrap_or_default();
                headers.set("authorization", &format!("Bearer {access}"));
                return;
            }
            CallAuth::None => return,
        };
        client_auth::prove(auth, gaps.ctx, url, fields, headers);
    }

    /// What the description says, or the metadata, or what RFC 8414 §2 has as the default.
    pub(crate) fn client_auth(&self, gaps: &Gaps<'_>, own: Option<ClientAuth>) -> ClientAuth {
        let only_post = |found: &Metadata| {
            let methods = &found.token_endpoint_auth_methods_supported;
            let knows = |name: &str| methods.iter().any(|own| own == name);
            knows("client_secret_post") && !knows("client_secret_basic")
        };
        let found = || gaps.metadata().is_some_and(|found| only_post(&found));
        own.unwrap_or_else(|| if found() { ClientAuth::Post } else { ClientAuth::Basic })
    }
}
