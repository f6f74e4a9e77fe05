//! The person at the browser, as far as a benchmark needs one: signs in and agrees, once.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::deploy::{CALLBACK, Deployment, SCOPES, USERNAME};
use crate::request::between;
use crate::target::Target;
use crate::wire::Connection;

/// Pages between asking and being let in, at most.
const MOST_PAGES: usize = 12;

/// A signed-in browser, by its `Cookie` header.
#[derive(Clone)]
pub(crate) struct SignedIn {
    /// The header line.
    pub(crate) cookie: String,
}

struct Browser<'a> {
    deployment: &'a Deployment,
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// What a browser would show, or where it would go.
enum Page {
    Shown(String),
    Elsewhere(String),
}

/// Signs in with name and password and lets the client have every scope that is measured with.
pub(crate) async fn sign_in(deployment: &Deployment, server: &Target) -> Result<SignedIn> {
    let connection = Connection::open(server.address).await?;
    let mut browser = Browser { deployment, connection, cookies: BTreeMap::new() };
    let mut page = browser.get(&deployment.authorize_path(SCOPES)).await?;
    for _ in 0..MOST_PAGES {
        page = match page {
            Page::Elsewhere(url) if url.starts_with(CALLBACK) => {
                between(url.as_bytes(), "code=", b'&').with_context(|| format!("sent to {url}"))?;
                return Ok(SignedIn { cookie: browser.cookie_header() });
            }
            Page::Elsewhere(url) => browser.get(deployment.path_of(&url)).await?,
            Page::Shown(html) => browser.fill_in(&html).await?,
        };
    }
    bail!("signing in takes more than {MOST_PAGES} pages")
}

impl Browser<'_> {
    async fn get(&mut self, path: &str) -> Result<Page> {
        let request = self.deployment.site.get(path, &self.cookie_header());
        self.send(&request).await
    }

    /// Answers the page's form.
    async fn fill_in(&mut self, html: &str) -> Result<Page> {
        let csrf = hidden(html, "csrf")?;
        let request = hidden(html, "request")?;
        let (path, answers): (_, &[(&str, &str)]) = if html.contains("name=\"password\"") {
            let password = self.deployment.password();
            ("/login", &[("method", "password"), ("username", USERNAME), ("password", password)])
        } else if html.contains("action=\"/consent\"") {
            ("/consent", &[("decision", "allow")])
        } else if html.contains("action=\"/login\"") {
            return self.get(&format!("/login?request={request}&method=password")).await;
        } else {
            bail!("neither a sign-in nor a consent page: {html}");
        };
        let form = [&[("csrf", csrf), ("request", request)], answers].concat();
        let request = self.deployment.site.post(path, &self.cookie_header(), &form);
        self.send(&request).await
    }

    async fn send(&mut self, request: &[u8]) -> Result<Page> {
        let answer = self.connection.exchange(request).await?;
        for cookie in answer.header("set-cookie") {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        match answer.header("location").next() {
            Some(url) => Ok(Page::Elsewhere(url.to_owned())),
            None => {
                answer.expect(200)?;
                Ok(Page::Shown(answer.text()))
            }
        }
    }

    fn cookie_header(&self) -> String {
        if self.cookies.is_empty() {
            return String::new();
        }
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("cookie: {}\r\n", pairs.join("; "))
    }
}

fn hidden<'a>(html: &'a str, name: &str) -> Result<&'a str> {
    let field = format!("name=\"{name}\" value=\"");
    let value = between(html.as_bytes(), &field, b'"')
        .with_context(|| format!("no field {name} in {html}"))?;
    Ok(std::str::from_utf8(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_read_by_name() {
        let html = r#"<input type="hidden" name="csrf" value="a-b"> <input name="password">"#;
        assert_eq!(hidden(html, "csrf").expect("is there"), "a-b");
        assert!(hidden(html, "request").is_err());
    }
}
