//! What a description says besides calls: scopes, variables, lifetimes, ID tokens, the proxy.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Provider;
use super::calls::Context;
use super::client_auth;
use super::description::{CallAuth, ClientAuth, IdentityFrom, Pkce, Rotation, Shared, Which};
use super::gaps::Gaps;
use super::template::Template;
use super::variable::{Source, names};
use crate::jose::Algorithm;
use crate::model::Scope;
use crate::time::{Seconds, Timestamp};
use crate::vault::{Integration, IntegrationKind};

/// The rules for a provider's ID tokens.
#[derive(Clone, Debug)]
pub struct IdTokenRules {
    issuers: Vec<Template>,
    variables: BTreeMap<String, String>,
    /// Where the keys are.
    pub jwks_uri: String,
    /// The algorithms that may sign.
    pub algorithms: Vec<Algorithm>,
    /// Whether the nonce of the request must be in it.
    pub nonce: bool,
}

impl IdTokenRules {
    /// Whether `claims` come from an issuer that is accepted. Some issuers have a part of their own
    /// for each tenant, which is a claim of the same token.
    pub fn accepts_issuer(&self, claims: &Value) -> bool {
        let claim = |name: &str| claims.get(name).and_then(Value::as_str);
        let value = |name: &str| match name.strip_prefix("claim.") {
            Some(name) => claim(name).filter(|text| is_plain(text)).map(ToOwned::to_owned),
            None => self.variables.get(name).cloned(),
        };
        let issuer = claim("iss");
        issuer.is_some() && self.issuers.iter().any(|own| own.fill(value).as_deref() == issuer)
    }
}

/// The number of the project that a client id begins with; empty when there is none.
fn project(client_id: &str) -> &str {
    client_id.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Where the proxy may go.
#[derive(Clone, Debug)]
pub struct ProxyRules {
    /// What a path is put after; without a slash at its end.
    pub base: String,
    /// Header fields of each call besides `Authorization`.
    pub headers: Vec<(String, String)>,
    hosts: Vec<String>,
}

impl ProxyRules {
    /// Whether `host` (with its port, if it is not the usual one) is one of the provider's API.
    pub fn allows(&self, host: &str) -> bool {
        let base = self.base.split_once("://").map_or("", |(_, rest)| rest);
        let own = base.split('/').next().unwrap_or_default();
        own.eq_ignore_ascii_case(host) || self.hosts.iter().any(|entry| names(entry, host))
    }
}

/// A variable that the operator gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub about: &'a str,
    /// What it is unless it is given; without it, it must be.
    pub default: Option<&'a str>,
}

impl Provider {
    /// The variables that the operator gives.
    pub fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        let declared = self.description.variables.iter();
        declared.filter(|(_, own)| own.from == Source::Operator).map(|(name, own)| Need {
            name,
            about: own.about.as_deref().unwrap_or(own.form.explained()),
            default: own.default.as_deref(),
        })
    }

    /// Whether an integration of this kind can be made with it.
    pub fn offers(&self, kind: IntegrationKind) -> bool {
        match kind {
            IntegrationKind::Person => self.description.authorize.is_some(),
            IntegrationKind::ClientCredentials => self.description.client_credentials.is_some(),
        }
    }

    /// Whether a grant can be given back.
    pub fn revokes(&self) -> bool {
        self.description.revoke.is_some()
    }

    /// The description that this one starts from.
    pub fn extends(&self) -> Option<&str> {
        self.description.extends.as_deref()
    }

    /// The pages that the description was written after.
    pub fn documentation(&self) -> impl Iterator<Item = &str> {
        self.description.documentation.iter().map(String::as_str)
    }

    /// The scopes for an integration that names none.
    pub fn default_scope(&self, kind: IntegrationKind) -> Scope {
        let credentials = self.description.client_credentials.as_ref();
        match (kind, credentials) {
            (IntegrationKind::ClientCredentials, Some(own)) => scope(&own.scopes),
            (IntegrationKind::ClientCredentials, None) => Scope::default(),
            (IntegrationKind::Person, _) => scope(&self.description.scopes.default),
        }
    }

    /// The scopes without which a connection is of no use, for an integration that names none.
    pub fn required_scope(&self) -> Scope {
        scope(&self.description.scopes.required)
    }

    /// The scopes by the names that are kept.
    pub fn canonical(&self, scope: &Scope) -> Scope {
        let named = scope.iter().map(|name| self.kept(name));
        Scope::parse(&named.collect::<Vec<_>>().join(" ")).unwrap_or_default()
    }

    fn kept<'a>(&'a self, name: &'a str) -> &'a str {
        let scopes = &self.description.scopes;
        let prefix = scopes.prefix.as_deref().unwrap_or_default();
        let short = name.strip_prefix(prefix).unwrap_or(name);
        scopes.aliases.get(short).map_or(short, String::as_str)
    }

    /// The scopes without those that are another name of one before them.
    pub fn each_once(&self, scope: &Scope) -> Scope {
        let first = |name: &str| scope.iter().find(|own| self.kept(own) == self.kept(name));
        scope.only(|name| first(name) == Some(name))
    }

    /// Those of `scope` that are covered by `most`, by the names that they came with.
    pub fn within(&self, scope: &Scope, most: &Scope) -> Scope {
        let beyond = self.missing(scope, most);
        scope.only(|name| !beyond.contains(self.kept(name)))
    }

    /// What of `wanted` is not granted, by the names that are kept. What another scope includes is
    /// granted with it; what an answer never lists counts as granted.
    pub fn missing(&self, wanted: &Scope, granted: &Scope) -> Scope {
        let scopes = &self.description.scopes;
        let granted = self.canonical(granted);
        let mut all = granted.clone();
        for name in granted.iter() {
            if let Some(included) = scopes.includes.get(name) {
                all = all.union(&self.canonical(&scope(included)));
            }
        }
        let unlisted = self.canonical(&scope(&scopes.silent).union(&scope(&scopes.ignored)));
        self.canonical(wanted).only(|name| !all.contains(name) && !unlisted.contains(name))
    }

    /// Whether there are refresh tokens.
    pub fn refreshes(&self) -> bool {
        self.description.refresh.supported
    }

    /// Whether there are no refresh tokens of its own: an access token that works is exchanged for
    /// another.
    pub fn refreshes_by_access_token(&self) -> bool {
        let response = &self.description.response;
        self.refreshes() && response.refresh_token.as_str() == response.access_token.as_str()
    }

    /// Whether a refresh spends the refresh token; `None` when that has to be learnt.
    pub fn rotates(&self) -> Option<bool> {
        match self.description.refresh.rotation {
            Rotation::Yes => Some(true),
            Rotation::No => Some(false),
            Rotation::Unknown => None,
        }
    }

    /// How long a refresh token lives without being used.
    pub fn refresh_idle(&self) -> Option<Seconds> {
        self.description.refresh.idle.map(|period| period.0)
    }

    /// Whether tokens can be refreshed only as long as the access token lives.
    pub fn refreshes_while_alive(&self) -> bool {
        self.description.refresh.while_alive
    }

    /// Whether the code is bound to the request with PKCE.
    pub fn uses_pkce(&self) -> bool {
        self.description.authorize.as_ref().is_some_and(|block| block.pkce == Pkce::S256)
    }

    /// Whether the ID token names the account, so that there must be one.
    pub fn identity_from_id_token(&self) -> bool {
        self.description.identity.from == IdentityFrom::IdToken
    }

    /// Whether a grant is given back with the access token, which has to be a living one for that.
    pub fn revokes_with_access(&self) -> bool {
        let block = self.description.revoke.as_ref();
        block.is_some_and(|own| own.auth == CallAuth::Bearer || own.token == Which::Access)
    }

    /// Whether what an account has granted to `client_id`, of `own`, may end with what it has granted
    /// to `other`: a client of the same provider, or of the same project there.
    pub fn shares_grants(&self, own: &Integration, client_id: &str, other: &Integration) -> bool {
        let block = self.description.revoke.as_ref();
        let same_client = match block.map(|own| own.shared).unwrap_or_default() {
            Shared::Client => client_id == other.client_id,
            Shared::Project => {
                let (ours, theirs) = (project(client_id), project(&other.client_id));
                // Without its number a client may be of any project.
                ours.is_empty() || theirs.is_empty() || ours == theirs
            }
        };
        let (here, there) = (self.given_back_at(own), other.provider.given_back_at(other));
        let same_place = here.is_empty() || there.is_empty() || here == there;
        self.root == other.provider.root && same_place && same_client
    }

    /// Where grants are given back, as far as the settings say; empty when they do not.
    fn given_back_at(&self, integration: &Integration) -> String {
        let (variables, now) = (BTreeMap::new(), Timestamp::from_epoch(0));
        let ctx = Context { integration, variables: &variables, jti: "", now };
        let url = self.description.revoke.as_ref().and_then(|block| block.url.as_ref());
        Gaps::new(self, &ctx).endpoint(url, |found| found.revocation_endpoint.as_ref())
    }

    /// The rules for ID tokens, if the provider gives any.
    pub fn id_token(&self, ctx: &Context<'_>) -> Option<IdTokenRules> {
        let block = self.description.id_token.as_ref()?;
        let gaps = Gaps::new(self, ctx);
        let found = gaps.metadata();
        let literal = |issuer: &String| issuer.parse().ok();
        let issuers = match block.issuers.as_slice() {
            [] => found.as_ref().and_then(|own| literal(&own.issuer)).into_iter().collect(),
            own => own.to_vec(),
        };
        let named = issuers.iter().flat_map(Template::gaps);
        let variables = named.filter_map(|name| Some((name.to_owned(), gaps.variable(name)?)));
        Some(IdTokenRules {
            variables: variables.collect(),
            jwks_uri: gaps.endpoint(block.jwks_uri.as_ref(), |found| found.jwks_uri.as_ref()),
            algorithms: block.algorithms.clone(),
            nonce: block.nonce,
            issuers,
        })
    }

    /// Where the proxy may go; `None` when the description says nothing of it, or the provider has
    /// not told yet.
    pub fn proxy(&self, ctx: &Context<'_>) -> Option<ProxyRules> {
        let block = self.description.proxy.as_ref()?;
        let gaps = Gaps::new(self, ctx);
        let base = gaps.url(&block.base)?.trim_end_matches('/').to_owned();
        let value = |name: &str| gaps.value(name);
        let hosts = block.hosts.iter().filter_map(|host| host.fill(value)).collect();
        let headers = block.headers.iter();
        let headers = headers.filter_map(|(name, text)| Some((name.clone(), text.fill(value)?)));
        Some(ProxyRules { base, headers: headers.collect(), hosts })
    }

    /// The variables of the callback, or what is wrong with them. To be put into
    /// [`Context::variables`] for the exchange; the token answer then has them among its own.
    pub fn callback(
        &self,
        parameters: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut accepted = BTreeMap::new();
        for (name, declared) in &self.description.variables {
            if declared.from != Source::Callback {
                continue;
            }
            let at = declared.at.as_deref().unwrap_or(name);
            match parameters.get(at) {
                Some(value) => {
                    let value = declared.accept(value).map_err(|why| format!("{at}: {why}"))?;
                    accepted.insert(name.clone(), value);
                }
                None if declared.default.is_none() => return Err(format!("{at} is missing")),
                None => {}
            }
        }
        Ok(accepted)
    }

    /// What does not fit between the description and an integration, a sentence each.
    pub fn unfit(&self, integration: &Integration) -> Vec<String> {
        let mut found = Vec::new();
        let description = &self.description;
        for (name, declared) in &description.variables {
            if declared.from != Source::Operator {
                continue;
            }
            let about = declared.about.as_deref().unwrap_or(declared.form.explained());
            match integration.variables.get(name) {
                Some(value) => {
                    let why = declared.accept(value).err();
                    found.extend(why.map(|why| format!("variables.{name} is refused: {why}")));
                }
                None if declared.default.is_none() => {
                    found.push(format!("variables.{name} is not set: {about}"));
                }
                None => {}
            }
        }
        let operators = |name: &String| {
            description.variables.get(name).is_some_and(|own| own.from == Source::Operator)
        };
        let unknown = integration.variables.keys().filter(|name| !operators(name));
        found.extend(unknown.map(|name| format!("variables.{name} is not one of {}", self.name)));
        found.extend(self.unfit_kind(integration));
        found.extend(self.unfit_secret(integration));
        found
    }

    fn unfit_kind(&self, integration: &Integration) -> Option<String> {
        let block = match integration.kind {
            IntegrationKind::Person => "[authorize]",
            IntegrationKind::ClientCredentials => "[client_credentials]",
        };
        (!self.offers(integration.kind))
            .then(|| format!("{} cannot do this kind: its description has no {block}", self.name))
    }

    fn unfit_secret(&self, integration: &Integration) -> Option<String> {
        let secret = integration.client_secret.as_ref();
        match (self.description.token.auth, secret) {
            (Some(ClientAuth::None), _) => None,
            (Some(ClientAuth::PrivateKeyJwt), None) => {
                Some("client_secret is not set: the private key in PEM".to_owned())
            }
            (Some(ClientAuth::PrivateKeyJwt), Some(pem)) => {
                client_auth::signing_key(pem).err().map(|why| format!("client_secret: {why}"))
            }
            (Some(ClientAuth::Basic | ClientAuth::Post) | None, None) => {
                Some("client_secret is not set".to_owned())
            }
            (Some(ClientAuth::Basic | ClientAuth::Post) | None, Some(_)) => None,
        }
    }
}

pub(crate) fn scope(names: &[String]) -> Scope {
    Scope::parse(&names.join(" ")).unwrap_or_default()
}
