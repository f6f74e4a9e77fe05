//! Descriptions in, requests and decisions out.

mod answers;
mod calls;
mod catalogue;
mod discovery;
mod failures;
mod format;
mod given_back;
mod lint;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;
use zeroize::Zeroizing;

use super::load::{Library, read};
use super::{Context, Problem, Provider, load};
use crate::model::Scope;
use crate::outbound::{Request, Response};
use crate::time::Timestamp;
use crate::vault::answer::{ProviderFailure, TokenAnswer};
use crate::vault::{Integration, IntegrationKind};

pub(crate) const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

/// A provider, an integration with it, and what a connection has been told.
pub(crate) struct Setup {
    pub(crate) integration: Integration,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Setup {
    pub(crate) fn of(provider: &Arc<Provider>) -> Self {
        let integration = Integration {
            name: "own".to_owned(),
            label: "Own".to_owned(),
            provider: Arc::clone(provider),
            client_id: "client-1".to_owned(),
            client_secret: Some(Zeroizing::new("s3cret/of+ours".to_owned())),
            scope: Scope::default(),
            required: Scope::default(),
            variables: BTreeMap::new(),
            kind: IntegrationKind::Person,
            redirect_uri: "https://vault.example/connect/callback".to_owned(),
            self_service: false,
            link: false,
            proxy: false,
            concurrency: 1,
            per_minute: 0,
        };
        Self { integration, variables: BTreeMap::new() }
    }

    /// With one that is built in.
    pub(crate) fn built_in(name: &str) -> Self {
        Self::of(&named(name))
    }

    /// With a description of its own.
    pub(crate) fn own(text: &str) -> Self {
        Self::of(&own(text))
    }

    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.integration.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.integration.provider
    }

    pub(crate) fn ctx(&self) -> Context<'_> {
        Context { integration: &self.integration, variables: &self.variables, jti: "j1", now: NOW }
    }

    pub(crate) fn tokens(&self, answer: &Response) -> Result<TokenAnswer, ProviderFailure> {
        self.provider().tokens(&self.ctx(), answer)
    }

    /// What a good answer gives.
    pub(crate) fn good(&self, body: &Value) -> TokenAnswer {
        let answer = json(200, body);
        self.tokens(&answer).unwrap_or_else(|why| panic!("{body}: {why}"))
    }

    /// Why an answer is none.
    pub(crate) fn bad(&self, answer: &Response) -> ProviderFailure {
        self.tokens(answer).expect_err("no tokens")
    }
}

static CATALOGUE: LazyLock<BTreeMap<String, Arc<Provider>>> =
    LazyLock::new(|| load([]).unwrap_or_else(|problems| panic!("{}", lines(&problems))));

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);

pub(crate) fn named(name: &str) -> Arc<Provider> {
    Arc::clone(CATALOGUE.get(name).unwrap_or_else(|| panic!("no {name}")))
}

/// A provider from the text of a file.
pub(crate) fn own(text: &str) -> Arc<Provider> {
    let tree = read("own", text).unwrap_or_else(|problem| panic!("{problem}"));
    let built = LIBRARY.build("own", tree);
    Arc::new(built.unwrap_or_else(|problems| panic!("{}", lines(&problems))))
}

/// What is wrong with the text of a file.
pub(crate) fn problems(text: &str) -> String {
    let built = read("own", text).map_err(|problem| vec![problem]);
    match built.and_then(|tree| LIBRARY.build("own", tree)) {
        Ok(_) => String::new(),
        Err(problems) => lines(&problems),
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub(crate) fn json(status: u16, body: &Value) -> Response {
    answer(status, "application/json", &body.to_string())
}

pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response {
        status,
        content_type: Some(content_type.to_owned()),
        retry_after: None,
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}

/// The parameters of a request's form.
pub(crate) fn form(request: &Request) -> BTreeMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

pub(crate) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let found = request.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The parameters of a URL's query.
pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    url.query_pairs().into_owned().collect()
}

/// The smallest description.
pub(crate) const SMALL: &str = r#"
label = "Own"
authorize.url = "https://own.example/authorize"
token.url = "https://own.example/token"
"#;

pub(crate) fn small(more: &str) -> String {
    format!("{SMALL}{more}\n")
}
