//! The table that describes a provider: where its endpoints are, and what each takes and answers.
//!
//! A description is data and a few functions for what is different everywhere (answers, errors).
//! [`Authorize::PLAIN`] and [`Token::PLAIN`] are RFC 6749 as it is written, to start from.

use serde_json::Value;

use super::Client;
use super::answer::{Issued, standard as standard_answer};
use super::id_token::IdTokens;
use super::ledger::{Dead, Grant, Ledger};
use super::lives::Lives;
use super::refusal::{Refusal, standard};
use super::request::{Fields, Request};
use crate::google::keys::Keys;
use crate::http::{Answer, basic, bearer};

/// A provider.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// The first segment of all its paths.
    pub(crate) name: &'static str,
    pub(crate) authorize: Authorize,
    pub(crate) token: Token,
    /// The ID tokens that come with the scope `openid`, where there are any.
    pub(crate) id_tokens: Option<IdTokens>,
    pub(crate) lives: Lives,
    /// What else is there: who somebody is, revocation.
    pub(crate) api: &'static [Endpoint],
}

/// Where an endpoint is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The host; `|` between several, `{name}` for a part that varies.
    pub(crate) host: &'static str,
    /// The path; likewise.
    pub(crate) path: &'static str,
}

/// An endpoint beside authorization and token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    /// What faults and counts call it: `identity`, `revoke`.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) at: Place,
    pub(crate) run: fn(&mut Scene<'_>) -> Answer,
}

/// The authorization endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authorize {
    pub(crate) at: Place,
    /// Parameters that must be there, with the only value they may have.
    pub(crate) needs: &'static [(&'static str, Option<&'static str>)],
    /// Parameters that have one of a few values, or are not there.
    pub(crate) choices: &'static [(&'static str, &'static [&'static str])],
    /// The parameters that hold scopes.
    pub(crate) scope_in: &'static [&'static str],
    /// Any of these characters stands between two scopes.
    pub(crate) separators: &'static str,
    /// Whether some scope has to be asked for.
    pub(crate) needs_scope: bool,
    /// Scopes that others have, and this provider does not know.
    pub(crate) unknown_scopes: &'static [&'static str],
    /// Whether unknown scopes are left out in silence, or refused.
    pub(crate) drops_unknown: bool,
    pub(crate) pkce: Pkce,
    pub(crate) offline: Offline,
    pub(crate) errors: Shown,
    /// What the callback says when the person refuses.
    pub(crate) denied: &'static [(&'static str, &'static str)],
    /// What the callback has beside `code` and `state`.
    pub(crate) callback: fn(&Grant) -> Vec<(&'static str, String)>,
}

/// What becomes of a code challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pkce {
    /// It is not looked at.
    Ignored,
    /// It is checked where it is sent; whether the method may be `plain`.
    Optional {
        plain: bool,
    },
    Required {
        plain: bool,
    },
}

/// When a grant comes with a refresh token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offline {
    Never,
    Always,
    /// When one of these scopes was granted.
    Scope(&'static [&'static str]),
    /// When the authorization request had this parameter.
    Param(&'static str, &'static str),
}

/// Who learns of an error in an authorization request. Wrong clients and redirect URIs are always
/// told to the person only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The client, at its redirect URI.
    Redirect,
    /// The person, on a page.
    Page,
}

/// The token endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) at: Place,
    pub(crate) basic: bool,
    /// Client id and secret beside the other parameters.
    pub(crate) post: bool,
    pub(crate) form: bool,
    pub(crate) json: bool,
    /// Parameters in the URL.
    pub(crate) query: bool,
    pub(crate) get: bool,
    pub(crate) grants: &'static [&'static str],
    /// Whether a request without `grant_type` is one with a code.
    pub(crate) code_by_default: bool,
    /// Whether the code's redirect URI must be repeated.
    pub(crate) redirect_uri: Repeated,
    /// Further checks of the parameters.
    pub(crate) check: fn(&Fields) -> Result<(), Refusal>,
    pub(crate) answer: fn(&Issued<'_>) -> Value,
    pub(crate) refuse: fn(Refusal) -> Answer,
    /// Grants of the provider's own.
    pub(crate) own: fn(&mut Scene<'_>, &Fields) -> Option<Answer>,
    pub(crate) as_form: AsForm,
    /// One level further down, below this name.
    pub(crate) nested: Option<&'static str>,
    /// Whether errors have the status 200.
    pub(crate) errors_are_200: bool,
}

/// Whether the redirect URI belongs into the token request. A wrong one is refused in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    Always,
    /// Where the authorization request had it.
    IfSent,
    Optional,
}

/// Whether answers are form-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsForm {
    Never,
    Always,
    UnlessJsonIsAskedFor,
}

/// One call at one provider: what an endpoint works with.
pub(crate) struct Scene<'s> {
    pub(crate) provider: &'s Provider,
    pub(crate) client: &'s Client,
    pub(crate) ledger: &'s mut Ledger,
    pub(crate) request: &'s Request,
    pub(crate) keys: &'s Keys,
    /// Seconds since 1970 on the stand-in's clock.
    pub(crate) now: i64,
}

impl Scene<'_> {
    /// Whose bearer token came with the call.
    pub(crate) fn open(&self) -> Result<Grant, Dead> {
        self.ledger.open(bearer(&self.request.headers).ok_or(Dead::Unknown)?, self.now)
    }

    /// Whether the call's Basic credentials are those of the client.
    pub(crate) fn is_client(&self) -> bool {
        basic(&self.request.headers).is_some_and(|(id, secret)| self.client.is(&id, &secret))
    }
}

/// The place of an endpoint.
pub(crate) const fn at(host: &'static str, path: &'static str) -> Place {
    Place { host, path }
}

/// An endpoint.
pub(crate) const fn on(
    name: &'static str,
    method: &'static str,
    host: &'static str,
    path: &'static str,
    run: fn(&mut Scene<'_>) -> Answer,
) -> Endpoint {
    Endpoint { name, method, at: at(host, path), run }
}

impl Authorize {
    /// The scopes in a text.
    pub(crate) fn scopes(&self, text: &str) -> Vec<String> {
        let parts = text.split(|c| self.separators.contains(c)).map(str::trim);
        parts.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }

    /// RFC 6749 §4.1.1: `response_type` and a redirect URI; errors go to the client.
    pub(crate) const PLAIN: Self = Self {
        at: at("", "/authorize"),
        needs: &[("response_type", Some("code")), ("redirect_uri", None)],
        choices: &[],
        scope_in: &["scope"],
        separators: " ",
        needs_scope: false,
        unknown_scopes: &[],
        drops_unknown: false,
        pkce: Pkce::Optional { plain: true },
        offline: Offline::Always,
        errors: Shown::Redirect,
        denied: &[("error", "access_denied")],
        callback: |_| Vec::new(),
    };
}

impl Token {
    /// RFC 6749 §3.2 and §5: a form, either way of client authentication, JSON as answer.
    pub(crate) const PLAIN: Self = Self {
        at: at("", "/token"),
        basic: true,
        post: true,
        form: true,
        json: false,
        query: false,
        get: false,
        grants: &["authorization_code", "refresh_token"],
        code_by_default: false,
        redirect_uri: Repeated::IfSent,
        check: |_| Ok(()),
        answer: |issued| Value::Object(standard_answer(issued)),
        refuse: standard,
        own: |_, _| None,
        as_form: AsForm::Never,
        nested: None,
        errors_are_200: false,
    };
}
