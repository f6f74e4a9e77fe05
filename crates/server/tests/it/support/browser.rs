//! A browser without a screen: cookies, forms, and redirects only where a test asks for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::html::{self, Form};
use super::seen::Seen;

/// One person's browser at one server.
pub(crate) struct Browser {
    http: Client,
    origin: String,
    jar: Mutex<BTreeMap<String, String>>,
    seen: Seen,
}

impl Browser {
    /// A new one, without cookies.
    pub(crate) fn new(origin: &str, seen: Seen) -> Self {
        Self::over(client(), origin, seen)
    }

    /// The same with an HTTP client of the test's own.
    pub(crate) fn over(http: Client, origin: &str, seen: Seen) -> Self {
        Self { http, origin: origin.to_owned(), jar: Mutex::default(), seen }
    }

    /// Opens a path of the server or a URL.
    pub(crate) async fn get(&self, url: &str) -> Page {
        let url = self.absolute(url);
        self.send(self.http.get(&url).header(ACCEPT, "text/html,*/*;q=0.8"), &url).await
    }

    /// Posts fields as the server's own page would.
    pub(crate) async fn post(&self, url: &str, fields: &[(String, String)]) -> Page {
        self.post_from(&self.origin, url, fields).await
    }

    /// Posts fields from a page of another origin.
    pub(crate) async fn post_from(
        &self,
        origin: &str,
        url: &str,
        fields: &[(String, String)],
    ) -> Page {
        let url = self.absolute(url);
        let site = if origin == self.origin { "same-origin" } else { "cross-site" };
        let request = self.http.post(&url).header(ORIGIN, origin).header("sec-fetch-site", site);
        self.send(request.form(fields), &url).await
    }

    /// Sends a form of a page, as filled in.
    pub(crate) async fn submit(&self, form: &Form) -> Page {
        if form.method == "post" {
            return self.post(&form.action, &form.fields).await;
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.fields.iter())
            .finish();
        self.get(&format!("{}?{query}", form.action)).await
    }

    /// Follows redirects as long as they stay at the server.
    pub(crate) async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(next) = page.location() else {
                return page;
            };
            let next = self.absolute(&next);
            if !next.starts_with(&format!("{}/", self.origin)) {
                return page;
            }
            page = self.get(&next).await;
        }
        panic!("more than ten redirects, the last one to {:?}", page.location());
    }

    /// Opens a URL; `None` when the server is gone.
    pub(crate) async fn try_get(&self, url: &str) -> Option<Page> {
        let url = self.absolute(url);
        self.try_send(self.http.get(&url), &url).await.ok()
    }

    /// Posts fields; `None` when the server is gone.
    pub(crate) async fn try_post(&self, url: &str, fields: &[(String, String)]) -> Option<Page> {
        let url = self.absolute(url);
        self.try_send(self.http.post(&url).form(fields), &url).await.ok()
    }

    /// Follows redirects at the server; `None` when it is gone.
    pub(crate) async fn try_follow(&self, mut page: Page) -> Option<Page> {
        while let Some(next) = page.location().map(|next| self.absolute(&next)) {
            if !next.starts_with(&format!("{}/", self.origin)) {
                break;
            }
            page = self.try_get(&next).await?;
        }
        Some(page)
    }

    /// Opens a URL and follows.
    pub(crate) async fn open(&self, url: &str) -> Page {
        let page = self.get(url).await;
        self.follow(page).await
    }

    /// Sends a form and follows.
    pub(crate) async fn send_form(&self, form: &Form) -> Page {
        let page = self.submit(form).await;
        self.follow(page).await
    }

    /// The same person's browser over another HTTP client.
    pub(crate) fn also_over(&self, http: Client) -> Self {
        let jar = self.jar.lock().expect("not poisoned").clone();
        Self { http, origin: self.origin.clone(), jar: Mutex::new(jar), seen: self.seen.clone() }
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().expect("not poisoned").get(name).cloned()
    }

    /// All cookies, as a header.
    pub(crate) fn cookies(&self) -> String {
        let jar = self.jar.lock().expect("not poisoned");
        let pairs: Vec<String> =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Puts a cookie into the jar.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.jar.lock().expect("not poisoned").insert(name.to_owned(), value.to_owned());
    }

    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.origin) } else { url.to_owned() }
    }

    /// A GET with the cookies, to be sent by the test.
    pub(crate) fn ask(&self, url: &str) -> RequestBuilder {
        self.with_cookies(self.http.get(self.absolute(url)))
    }

    /// A POST with the cookies, to be sent by the test.
    pub(crate) fn sending(&self, url: &str, fields: &[(String, String)]) -> RequestBuilder {
        self.with_cookies(self.http.post(self.absolute(url)).form(fields))
    }

    /// Keeps the cookies of an answer to one of those.
    pub(crate) fn keep(&self, page: &Page) {
        self.keep_cookies(&page.headers);
    }

    fn with_cookies(&self, request: RequestBuilder) -> RequestBuilder {
        match self.cookies().as_str() {
            "" => request,
            cookies => request.header(COOKIE, cookies),
        }
    }

    async fn send(&self, request: RequestBuilder, url: &str) -> Page {
        let page = self.try_send(request, url).await;
        page.unwrap_or_else(|error| panic!("{url}: {error:?}"))
    }

    async fn try_send(&self, request: RequestBuilder, url: &str) -> reqwest::Result<Page> {
        let response = self.with_cookies(request).send().await?;
        self.keep_cookies(response.headers());
        Page::try_read(response, url, &self.seen).await
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut jar = self.jar.lock().expect("not poisoned");
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("ascii");
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                self.seen.add(value);
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// An HTTP client that follows nothing and keeps no connection. Made once: reading the root
/// certificates takes longer than most tests.
pub(crate) fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let make = || {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        // Each test has a runtime of its own, which a kept connection would not survive.
        let client = client.pool_max_idle_per_host(0).timeout(Duration::from_secs(30));
        client.no_proxy().build().expect("a client")
    };
    CLIENT.get_or_init(make).clone()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it came from.
    pub(crate) url: String,
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: String,
}

impl Page {
    /// Reads an answer and notes the secrets in it.
    pub(crate) async fn read(response: Response, url: &str, seen: &Seen) -> Self {
        Self::try_read(response, url, seen).await.expect("a body")
    }

    /// The same, where the server may be gone before the end.
    pub(crate) async fn try_read(
        response: Response,
        url: &str,
        seen: &Seen,
    ) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await?;
        seen.add_all_in(&body);
        let page = Self { url: url.to_owned(), status, headers, body };
        seen.add_all_in(&page.location().unwrap_or_default());
        Ok(page)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Where it redirects to.
    pub(crate) fn location(&self) -> Option<String> {
        self.header(LOCATION.as_str()).map(ToOwned::to_owned)
    }

    /// The parameters of the redirect, in query or fragment.
    pub(crate) fn answer(&self) -> BTreeMap<String, String> {
        let location = self.location().unwrap_or_else(|| panic!("no redirect: {self:?}"));
        let after = location.split_once(['?', '#']).map_or("", |(_, after)| after);
        form_urlencoded::parse(after.as_bytes()).into_owned().collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        let kind = self.header(CONTENT_TYPE.as_str());
        assert_eq!(kind, Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The form that goes to `action`.
    pub(crate) fn form(&self, action: &str) -> Form {
        let forms = html::forms(&self.body);
        let wanted = forms.into_iter().find(|form| form.action == action);
        wanted.unwrap_or_else(|| panic!("no form to {action} on {}:\n{}", self.url, self.body))
    }

    /// The form with a field of this name.
    pub(crate) fn form_with(&self, field: &str) -> Form {
        let forms = html::forms(&self.body);
        let wanted = forms.into_iter().find(|form| form.value(field).is_some());
        wanted.unwrap_or_else(|| panic!("no form with {field} on {}:\n{}", self.url, self.body))
    }

    /// Whether the text stands on the page.
    pub(crate) fn says(&self, text: &str) -> bool {
        html::unescape(&self.body).contains(text)
    }

    /// The text stands on the page, or the test ends here.
    #[track_caller]
    pub(crate) fn must_say(&self, text: &str) {
        assert!(
            self.says(text),
            "{} ({}) does not say {text:?}:\n{}",
            self.url,
            self.status,
            self.body
        );
    }
}
