//! The metadata of a request, read strictly: RFC 7591 §2, OpenID Connect Dynamic Client
//! Registration 1.0 §2.

use serde_json::{Map, Value};

use super::refused;
use super::text::{self, MOST_ITEMS, MOST_URI_BYTES};
use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::model::{
    AccessTokenFormat, AuthMethod, Client, GrantType, Lifetimes, ResponseType, Scope,
};
use crate::policy::Policy;
use crate::time::Seconds;

/// Members that are kept as they are, and what each of them is.
const KEPT: [(&str, Kind); 9] = [
    ("contacts", Kind::List),
    ("software_id", Kind::Text),
    ("software_version", Kind::Text),
    ("application_type", Kind::Text),
    ("subject_type", Kind::Text),
    ("default_acr_values", Kind::List),
    ("initiate_login_uri", Kind::Link),
    ("require_auth_time", Kind::Flag),
    ("token_endpoint_auth_signing_alg", Kind::Text),
];

/// Members that people read, which may be there in several languages.
const TRANSLATED: [(&str, Kind); 5] = [
    ("client_name", Kind::Text),
    ("client_uri", Kind::Link),
    ("logo_uri", Kind::Link),
    ("tos_uri", Kind::Link),
    ("policy_uri", Kind::Link),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Link,
    List,
    Flag,
}

/// What a client says about itself. What is left out or null is `None`.
#[derive(Default)]
pub(super) struct Metadata {
    redirect_uris: Option<Vec<String>>,
    post_logout_redirect_uris: Option<Vec<String>>,
    pub(super) method: Option<AuthMethod>,
    grant_types: Option<Vec<GrantType>>,
    response_types: Option<Vec<ResponseType>>,
    client_name: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    scope: Option<Scope>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    require_pkce: Option<bool>,
    access_token_format: Option<AccessTokenFormat>,
    access_token_alg: Option<Algorithm>,
    id_token_alg: Option<Algorithm>,
    default_max_age: Option<Seconds>,
    resource_server_for: Option<Vec<String>>,
    other: Map<String, Value>,
}

impl Metadata {
    /// Reads the members of a request. Unknown ones are passed over.
    // RFC 7591 §2: the server must ignore metadata that it does not understand.
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let from = Reader(members);
        // RFC 7591 §3.2.2: no issuer of software statements is approved here.
        if from.member("software_statement").is_some() {
            return Err(Refusal::SoftwareStatement {});
        }
        Ok(Self {
            redirect_uris: from.uris("redirect_uris")?,
            post_logout_redirect_uris: from.uris("post_logout_redirect_uris")?,
            method: from.name("token_endpoint_auth_method", AuthMethod::parse)?,
            grant_types: from.names("grant_types", GrantType::parse)?,
            response_types: from.names("response_types", ResponseType::parse)?,
            client_name: from.text("client_name")?,
            client_uri: from.link("client_uri")?,
            logo_uri: from.link("logo_uri")?,
            tos_uri: from.link("tos_uri")?,
            policy_uri: from.link("policy_uri")?,
            scope: from.scope()?,
            jwks: from.member("jwks").cloned(),
            jwks_uri: from.link("jwks_uri")?,
            require_pkce: from.flag("require_pkce")?,
            access_token_format: from.name("access_token_format", AccessTokenFormat::parse)?,
            access_token_alg: from.name("access_token_signed_response_alg", algorithm)?,
            id_token_alg: from.name("id_token_signed_response_alg", algorithm)?,
            default_max_age: from.seconds("default_max_age")?,
            resource_server_for: from.uris("resource_server_for")?,
            other: from.others()?,
        })
    }

    /// The client that `base` becomes with this metadata. What is left out has its default, also
    /// where `base` had something else (RFC 7592 §2.2).
    pub(super) fn apply(self, policy: &Policy, base: Client) -> Client {
        let (grant_types, response_types) = types(self.grant_types, self.response_types);
        // RFC 7591 §2: client_secret_basic is the default.
        let method = self.method.unwrap_or(AuthMethod::ClientSecretBasic);
        let public = method == AuthMethod::None;
        let scope = self.scope.unwrap_or_else(|| default_scope(policy, &grant_types));
        Client {
            token_endpoint_auth_method: method,
            client_name: self.client_name.unwrap_or_else(|| base.client_id.clone()),
            client_uri: self.client_uri,
            logo_uri: self.logo_uri,
            policy_uri: self.policy_uri,
            tos_uri: self.tos_uri,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
            redirect_uris: self.redirect_uris.unwrap_or_default(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.unwrap_or_default(),
            grant_types,
            response_types,
            scope,
            require_pkce: public || self.require_pkce.unwrap_or(false),
            access_token_format: self.access_token_format,
            access_token_signed_response_alg: self
                .access_token_alg
                .unwrap_or_else(|| policy.keys.usual()),
            // OpenID Connect Dynamic Client Registration 1.0 §2: RS256 is the default.
            id_token_signed_response_alg: self.id_token_alg.unwrap_or(Algorithm::Rs256),
            lifetimes: Lifetimes { session: self.default_max_age, ..base.lifetimes },
            resource_server_for: self.resource_server_for.unwrap_or(base.resource_server_for),
            other_metadata: self.other,
            ..base
        }
    }
}

/// RFC 7591 §2 and §2.1: code and authorization_code are the defaults; when only one of the two is
/// said, the other follows from it.
fn types(
    grants: Option<Vec<GrantType>>,
    responses: Option<Vec<ResponseType>>,
) -> (Vec<GrantType>, Vec<ResponseType>) {
    match (grants, responses) {
        (Some(grants), Some(responses)) => (grants, responses),
        (Some(grants), None) => {
            let responses = default_response_types(&grants);
            (grants, responses)
        }
        (None, Some(responses)) => {
            let code = responses.iter().any(|own| own.has_code());
            let front = responses.iter().any(|own| own.is_front_channel());
            let code = code.then_some(GrantType::AuthorizationCode);
            let front = front.then_some(GrantType::Implicit);
            (code.into_iter().chain(front).collect(), responses)
        }
        (None, None) => (vec![GrantType::AuthorizationCode], vec![ResponseType::Code]),
    }
}

/// The response types of a client that names none.
pub fn default_response_types(grants: &[GrantType]) -> Vec<ResponseType> {
    let code = grants.contains(&GrantType::AuthorizationCode).then_some(ResponseType::Code);
    let token = grants.contains(&GrantType::Implicit).then_some(ResponseType::Token);
    code.into_iter().chain(token).collect()
}

/// The scope of a client that names none: what registration gives, as far as its grants have a use
/// for it. A client that only acts for itself, and whom nobody is asked about, gets `read`.
pub fn default_scope(policy: &Policy, grants: &[GrantType]) -> Scope {
    let alone = super::is_machine(grants);
    let refreshes = grants.contains(&GrantType::RefreshToken);
    let fits = |name: &&String| match name.as_str() {
        "read" => true,
        "offline_access" => !alone && refreshes,
        _ => !alone,
    };
    let offered = policy.scopes.keys().filter(|name| policy.registration.offers(name));
    let names: Vec<&str> = offered.filter(fits).map(String::as_str).collect();
    Scope::parse(&names.join(" ")).unwrap_or_default()
}

fn algorithm(text: &str) -> Option<Algorithm> {
    text.parse().ok()
}

/// The members of a request by name. Null and empty are the same as left out (RFC 7592 §2.2).
struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
        })
    }

    fn string(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| refused(name, "it must be a string"))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(given) = self.string(name)? else { return Ok(None) };
        match text::problem(given) {
            Some(why) => Err(refused(name, why)),
            None => Ok(Some(given.trim()).filter(|own| !own.is_empty()).map(str::to_owned)),
        }
    }

    fn link(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(given) = self.string(name)? else { return Ok(None) };
        text::link_problem(given)
            .map_or_else(|| Ok(Some(given.to_owned())), |why| Err(refused(name, why)))
    }

    fn list(&self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let wrong = || refused(name, "it must be a list of strings");
        let items = value.as_array().ok_or_else(wrong)?;
        if items.len() > MOST_ITEMS {
            return Err(refused(name, "it has more than 50 items"));
        }
        let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        items.map(Some).ok_or_else(wrong)
    }

    /// What the URIs may be is checked with the whole client.
    fn uris(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(given) = self.list(name)? else { return Ok(None) };
        let mut uris: Vec<String> = Vec::with_capacity(given.len());
        for uri in given {
            if uri.len() > MOST_URI_BYTES {
                return Err(refused(name, "an item is longer than 2000 bytes"));
            }
            if !uris.iter().any(|own| own == uri) {
                uris.push(uri.to_owned());
            }
        }
        Ok(Some(uris))
    }

    fn name<T>(&self, name: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        let Some(given) = self.string(name)? else { return Ok(None) };
        parse(given).map(Some).ok_or_else(|| unsupported(name, given))
    }

    fn names<T: PartialEq>(
        &self,
        name: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Refusal> {
        let Some(given) = self.list(name)? else { return Ok(None) };
        let mut known = Vec::with_capacity(given.len());
        for text in given {
            let one = parse(text).ok_or_else(|| unsupported(name, text))?;
            if !known.contains(&one) {
                known.push(one);
            }
        }
        Ok(Some(known))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| refused(name, "it must be true or false"))
    }

    fn seconds(&self, name: &str) -> Result<Option<Seconds>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let seconds = value.as_u64().and_then(|own| u32::try_from(own).ok());
        let wrong = || refused(name, "it must be a whole number of seconds");
        seconds.map(|own| Some(Seconds(own))).ok_or_else(wrong)
    }

    fn scope(&self) -> Result<Option<Scope>, Refusal> {
        let Some(given) = self.string("scope")? else { return Ok(None) };
        if given.len() > MOST_URI_BYTES {
            return Err(refused("scope", "it is longer than 2000 bytes"));
        }
        let scope = Scope::parse(given).map_err(|_| {
            refused("scope", "it must be names separated by spaces, in printable ASCII")
        })?;
        Ok(Some(scope).filter(|own| !own.is_empty()))
    }

    /// What is kept as it is, also in other languages: RFC 7591 §2.2.
    fn others(&self) -> Result<Map<String, Value>, Refusal> {
        let mut others = Map::new();
        for (name, kind) in KEPT {
            others.extend(self.checked(name, kind)?.map(|value| (name.to_owned(), value)));
        }
        let translated = self.0.keys().filter_map(|name| Some((name, translated(name)?)));
        for (name, kind) in translated {
            others.extend(self.checked(name, kind)?.map(|value| (name.clone(), value)));
            if others.len() > MOST_ITEMS + KEPT.len() {
                return Err(refused(name, "there are more than 50 members with a language tag"));
            }
        }
        Ok(others)
    }

    fn checked(&self, name: &str, kind: Kind) -> Result<Option<Value>, Refusal> {
        Ok(match kind {
            Kind::Text => self.text(name)?.map(Value::from),
            Kind::Link => self.link(name)?.map(Value::from),
            Kind::Flag => self.flag(name)?.map(Value::from),
            Kind::List => {
                let items = self.list(name)?;
                let wrong = items.iter().flatten().find_map(|own| text::problem(own));
                if let Some(why) = wrong {
                    return Err(refused(name, why));
                }
                items.map(Value::from)
            }
        })
    }
}

/// What `name` is, if it is a member with a language tag: `client_name#ja-Kana-JP`.
fn translated(name: &str) -> Option<Kind> {
    let (member, tag) = name.split_once('#')?;
    let sound = (1..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let (_, kind) = TRANSLATED.into_iter().find(|(own, _)| *own == member)?;
    sound.then_some(kind)
}

fn unsupported(name: &str, given: &str) -> Refusal {
    refused(name, format!("{} is not supported here", text::shown(given)))
}
