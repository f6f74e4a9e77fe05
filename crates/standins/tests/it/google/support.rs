//! A stand-in of one's own, and a person with a browser in front of it.

use std::collections::HashMap;
use std::io::Result;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use standins::google::{Client, Config, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) const ID: &str = "app.apps.example";
pub(super) const SECRET: &str = "a secret/with+signs";
pub(super) const BACK: &str = "http://localhost:1/callback?from=google";
pub(super) const CALENDAR: &str = "https://www.googleapis.com/auth/calendar.readonly";
pub(super) const DRIVE: &str = "https://www.googleapis.com/auth/drive.file";
pub(super) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
pub(super) const ADA: &str = "ada@example.com";

/// A stand-in on a port of its own; it ends with this value.
pub(super) struct Google {
    pub(super) base: String,
    http: reqwest::Client,
    cookie: Mutex<Option<String>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
}

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

/// What a person does at the pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub(super) account: &'a str,
    /// Scopes whose boxes are unticked.
    pub(super) without: &'a [&'a str],
    pub(super) decision: &'a str,
}

impl Default for Choice<'_> {
    fn default() -> Self {
        Self { account: ADA, without: &[], decision: "allow" }
    }
}

impl Google {
    /// With one client, and the built-in people.
    pub(super) async fn start() -> Self {
        Self::with(vec![Client::new(ID, SECRET, BACK)]).await
    }

    pub(super) async fn with(clients: Vec<Client>) -> Self {
        Self::with_server(clients).await.0
    }

    /// With the task that serves it.
    pub(super) async fn with_server(clients: Vec<Client>) -> (Self, JoinHandle<Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let config = Config { clients, ..Config::default() };
        let server = tokio::spawn(serve(config, vec![listener], async {
            // An error means that the test is over.
            let _ = stopped.await;
        }));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client");
        (Self { base, http, cookie: Mutex::default(), stop: Mutex::new(Some(stop)) }, server)
    }

    pub(super) fn stop(&self) {
        // Dropped, which is what the server waits for.
        self.stop.lock().expect("no panic while it is held").take();
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    fn url(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => format!("{}{path}", self.base),
            false => path.to_owned(),
        }
    }

    /// A control endpoint that has to agree.
    pub(super) async fn control(&self, path: &str, body: Value) -> Value {
        let page = read(self.post(&format!("/_control/{path}")).json(&body)).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        page.json()
    }

    pub(super) async fn behave(&self, body: Value) {
        let page = read(self.http.put(self.url("/_control/behaviour")).json(&body)).await;
        assert_eq!(page.status, 200, "{page:?}");
    }

    pub(super) async fn change_client(&self, body: Value) {
        let page = read(self.http.patch(self.url(&format!("/_control/clients/{ID}"))).json(&body));
        assert_eq!(page.await.status, 200);
    }

    pub(super) async fn organisation(&self, body: Value) {
        let url = self.url("/_control/organisations/example.com");
        assert_eq!(read(self.http.put(url).json(&body)).await.status, 200);
    }

    pub(super) async fn fault(&self, endpoint: &str, fault: Value) {
        self.control("faults", json!({"endpoint": endpoint, "fault": fault})).await;
    }

    pub(super) async fn counts(&self) -> Value {
        read(self.get("/_control/counts")).await.json()
    }

    pub(super) async fn advance(&self, seconds: u32) {
        self.control("clock", json!({"advance": seconds})).await;
    }

    /// Another browser, in which nobody is signed in.
    pub(super) fn forget_browser(&self) {
        *self.cookie.lock().expect("no panic while it is held") = None;
    }

    /// What the browser gets, with its cookie.
    pub(super) async fn browse(&self, request: RequestBuilder) -> Page {
        let cookie = self.cookie.lock().expect("no panic while it is held").clone();
        let request = match cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let page = read(request).await;
        if let Some(set) = page.headers.get(SET_COOKIE) {
            let pair = set.to_str().expect("text").split(';').next().map(ToOwned::to_owned);
            *self.cookie.lock().expect("no panic while it is held") = pair;
        }
        page
    }

    /// The browser at the authorization endpoint. What is given replaces or adds a parameter; an
    /// empty value leaves it out.
    pub(super) async fn ask(&self, more: &[(&str, &str)]) -> Page {
        let mut asked = vec![
            ("client_id", ID),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "the state"),
            ("access_type", "offline"),
        ];
        asked.retain(|(name, _)| more.iter().all(|(own, _)| own != name));
        asked.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.browse(self.get("/o/oauth2/v2/auth").query(&asked)).await
    }

    /// Asks, and goes on as a person does; the query of the redirect back to the application.
    pub(super) async fn walk(
        &self,
        more: &[(&str, &str)],
        choice: Choice<'_>,
    ) -> HashMap<String, String> {
        let mut page = self.ask(more).await;
        for _ in 0..4 {
            let to = page.location();
            if to.starts_with("http://localhost:") {
                return query(&to);
            }
            let form = self.browse(self.get(&to)).await;
            assert_eq!(form.status, 200, "{form:?}");
            let (path, _) = to.split_once('?').expect("a request id");
            let mut fields = form.fields();
            if path.ends_with("accountchooser") {
                fields.push(("account".to_owned(), choice.account.to_owned()));
            } else {
                fields.retain(|(_, value)| !choice.without.contains(&value.as_str()));
                fields.push(("decision".to_owned(), choice.decision.to_owned()));
            }
            page = self.browse(self.post(path).form(&fields)).await;
        }
        panic!("the pages lead nowhere: {page:?}")
    }

    /// Tokens by the whole flow; the answer of the token endpoint.
    pub(super) async fn connect(&self, more: &[(&str, &str)]) -> Value {
        let back = self.walk(more, Choice::default()).await;
        let page = self.redeem(&back["code"]).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    }

    pub(super) async fn redeem(&self, code: &str) -> Page {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)])
            .await
    }

    pub(super) async fn refresh(&self, refresh_token: &Value) -> Page {
        let token = refresh_token.as_str().expect("a refresh token");
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The token endpoint, as the client that is registered.
    pub(super) async fn token(&self, form: &[(&str, &str)]) -> Page {
        let mut form = form.to_vec();
        form.extend([("client_id", ID), ("client_secret", SECRET)]);
        read(self.post("/token").form(&form)).await
    }

    /// A refresh token as if Ada had connected.
    pub(super) async fn issue(&self, scopes: &[&str]) -> Value {
        let body = json!({"client_id": ID, "account": ADA, "scopes": scopes});
        self.control("issue", body).await
    }

    pub(super) async fn call(&self, path: &str, token: &Value) -> Page {
        read(self.get(path).bearer_auth(token.as_str().expect("a token"))).await
    }
}

impl Page {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON in {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(super) fn location(&self) -> String {
        assert_eq!(self.status, 303, "{self:?}");
        self.headers.get(LOCATION).expect("a place to go").to_str().expect("text").to_owned()
    }

    /// An error of the token endpoint: its status, name and description.
    pub(super) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("error"), text("error_description"))
    }

    /// The hidden fields and the ticked boxes of a page's form.
    fn fields(&self) -> Vec<(String, String)> {
        let value = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.replace("&#x2f;", "/"))
        };
        let tags = self.text.split("<input ").skip(1);
        tags.filter_map(|tag| Some((value(tag, "name")?, value(tag, "value")?))).collect()
    }
}

/// Sends a request and reads the answer.
pub(super) async fn read(request: RequestBuilder) -> Page {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    Page { status, headers, text: answer.text().await.expect("text") }
}

pub(super) fn query(url: &str) -> HashMap<String, String> {
    url::Url::parse(url).expect("a URL").query_pairs().into_owned().collect()
}

/// The header and the claims of a signed token, without looking at the signature.
pub(super) fn opened(token: &Value) -> (Value, Value) {
    let parts: Vec<&str> = token.as_str().expect("a token").split('.').collect();
    let part = |at: usize| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(parts[at]).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (part(0), part(1))
}

/// The scopes of an answer, in any order.
pub(super) fn scopes(answer: &Value) -> Vec<String> {
    let mut all: Vec<String> =
        answer["scope"].as_str().expect("a scope").split(' ').map(ToOwned::to_owned).collect();
    all.sort_unstable();
    all
}
