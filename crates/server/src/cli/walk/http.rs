//! The walk's HTTP: a cookie jar, no redirects followed.

use std::collections::BTreeMap;

use anyhow::Context as _;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};

/// A browser as far as the walk needs one.
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) content_type: String,
    pub(super) body: String,
}

impl Client {
    pub(super) fn new(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { base: base.to_owned(), http, cookies: BTreeMap::new() })
    }

    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let request = self.http.get(format!("{}{path}", self.base));
        self.send(request).await
    }

    pub(super) async fn post(
        &mut self,
        path: &str,
        form: &[(&str, String)],
        basic: Option<(&str, &str)>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.post(format!("{}{path}", self.base)).form(form);
        if let Some((name, secret)) = basic {
            request = request.basic_auth(name, Some(secret));
        }
        self.send(request).await
    }

    pub(super) async fn bearer(
        &mut self,
        path: &str,
        token: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.send(request).await
    }

    async fn send(&mut self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await;
        let response = response.context("Grantor did not answer")?;
        self.keep_cookies(&response);
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(ToOwned::to_owned)
        };
        Ok(Answer {
            status: response.status().as_u16(),
            location: header(LOCATION),
            challenge: header(reqwest::header::WWW_AUTHENTICATE),
            content_type: header(reqwest::header::CONTENT_TYPE).unwrap_or_default(),
            body: response.text().await?,
        })
    }

    fn keep_cookies(&mut self, response: &Response) {
        let set = response.headers().get_all(SET_COOKIE).iter().filter_map(|own| own.to_str().ok());
        for (name, rest) in set.filter_map(|cookie| cookie.split_once('=')) {
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
