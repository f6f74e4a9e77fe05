//! A client application and what it does: asks for a code, exchanges it, refreshes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::aws_lc_rs;
use serde_json::Value;

use super::browser::{Browser, Page, client};
use super::server::{STATIC_TOKEN, Server};

/// A registered application.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// Its `client_id`.
    pub(crate) id: String,
    /// Its secret, if it can keep one.
    pub(crate) secret: Option<String>,
    /// Where answers go.
    pub(crate) redirect_uri: String,
}

/// What most applications of the tests may ask for.
pub(crate) const SCOPE: &str = "openid profile email offline_access read write";

impl Server {
    /// Registers a confidential application.
    pub(crate) fn app(&self, id: &str) -> App {
        self.app_with(id, &[])
    }

    /// Registers a public application.
    pub(crate) fn public_app(&self, id: &str) -> App {
        self.app_with(id, &["--public"])
    }

    /// Registers an application with further options of `client add`.
    pub(crate) fn app_with(&self, id: &str, options: &[&str]) -> App {
        let redirect_uri = format!("https://{id}.example/callback");
        let mut arguments =
            vec!["client", "add", id, "--name", id, "--redirect-uri", &redirect_uri];
        if !options.contains(&"--scope") {
            arguments.extend(["--scope", SCOPE]);
        }
        arguments.extend(options);
        let made = self.cli().json(&arguments);
        let secret = made["client_secret"].as_str().map(ToOwned::to_owned);
        App { id: id.to_owned(), secret, redirect_uri }
    }

    /// Adds a person with a password.
    pub(crate) fn person(&self, username: &str, password: &str) -> Value {
        self.seen.add(password);
        let email = format!("{username}@example.com");
        let arguments =
            ["user", "add", "--username", username, "--email", &email, "--password-stdin"];
        self.cli().json_with(&arguments, password)
    }

    /// A token request as the application authenticates, by header if it has a secret.
    pub(crate) async fn token(&self, app: &App, pairs: &[(&str, &str)]) -> Page {
        self.as_client(app, "/token", pairs).await
    }

    /// Exchanges a code; the answer as it is.
    pub(crate) async fn redeem(&self, app: &App, request: &Request, code: &str) -> Page {
        let verifier = request.verifier.as_str();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &app.redirect_uri),
            ("code_verifier", verifier),
        ];
        let pairs = if verifier.is_empty() { &pairs[..3] } else { &pairs[..] };
        self.token(app, pairs).await
    }

    /// Refreshes; the answer as it is.
    pub(crate) async fn refresh(&self, app: &App, refresh_token: &str) -> Page {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token(app, &pairs).await
    }

    /// A request to a protected resource.
    pub(crate) async fn bearer(&self, path: &str, token: &str) -> Page {
        self.request(client().get(self.url(path)).bearer_auth(token)).await
    }

    /// The whole way from nothing to tokens, for somebody at example.com.
    pub(crate) async fn tokens(&self, app: &App, who: &str) -> Tokens {
        let browser = self.browser();
        self.tokens_for(app, who, &browser, &Request::of(app)).await
    }

    /// The same in a browser and with a request of the test's own.
    pub(crate) async fn tokens_for(
        &self,
        app: &App,
        who: &str,
        browser: &Browser,
        request: &Request,
    ) -> Tokens {
        let code = self.code(browser, who, request).await;
        let page = self.redeem(app, request, &code).await;
        assert_eq!(page.status, 200, "{page:?}");
        Tokens::of(&page)
    }

    /// Signs in and agrees as far as that is asked for; the code.
    pub(crate) async fn code(&self, browser: &Browser, who: &str, request: &Request) -> String {
        let page = self.answer(browser, who, request).await;
        let answer = page.answer();
        answer.get("code").unwrap_or_else(|| panic!("no code: {answer:?}")).clone()
    }

    /// Signs in and agrees as far as that is asked for; the redirect to the application.
    pub(crate) async fn answer(&self, browser: &Browser, who: &str, request: &Request) -> Page {
        self.walk(browser, who, &request.url(self)).await
    }

    /// The same from wherever an application sends the browser.
    pub(crate) async fn walk(&self, browser: &Browser, who: &str, url: &str) -> Page {
        let mut page = browser.open(url).await;
        if page.body.contains("action=\"/login\"") {
            page = self.type_token(browser, &page, who).await;
        }
        if page.body.contains("action=\"/consent\"") {
            page = browser.send_form(&page.form("/consent").with("decision", "allow")).await;
        }
        page
    }

    /// Signs a person in without any application.
    pub(crate) async fn sign_in(&self, browser: &Browser, who: &str) -> Page {
        let page = browser.open("/login").await;
        self.type_token(browser, &page, who).await
    }

    /// From the sign-in page on: the address, then the static token.
    pub(crate) async fn type_token(&self, browser: &Browser, page: &Page, who: &str) -> Page {
        let email = format!("{who}@example.com");
        let page = browser.send_form(&page.form_with("email").with("email", &email)).await;
        assert_eq!(page.status, 200, "{page:?}");
        browser.send_form(&page.form_with("token").with("token", STATIC_TOKEN)).await
    }
}

/// An authorization request, with a verifier that only the test knows.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The parameters.
    pub(crate) pairs: Vec<(String, String)>,
    /// RFC 7636; empty without a challenge.
    pub(crate) verifier: String,
}

impl Request {
    /// What a careful application sends.
    pub(crate) fn of(app: &App) -> Self {
        let verifier = random();
        let challenge = challenge(&verifier);
        let pairs = [
            ("response_type", "code"),
            ("client_id", &app.id),
            ("redirect_uri", &app.redirect_uri),
            ("scope", "openid profile email read"),
            ("state", &random()[..12]),
            ("nonce", &random()[..12]),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { pairs: pairs.map(own).to_vec(), verifier }
    }

    /// With `name` instead of what it was.
    #[must_use]
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With one more `name`.
    #[must_use]
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without `name`.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(own, _)| own != name);
        self
    }

    /// Without a challenge.
    #[must_use]
    pub(crate) fn without_pkce(self) -> Self {
        let plain = self.without("code_challenge").without("code_challenge_method");
        Self { verifier: String::new(), ..plain }
    }

    /// The value of `name`.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).expect("it is there")
    }

    /// As a URL.
    pub(crate) fn url(&self, server: &Server) -> String {
        format!("{}?{}", server.url("/authorize"), self.query())
    }

    /// As a query.
    pub(crate) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }
}

/// A good answer of the token endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// All of it.
    pub(crate) json: Value,
    /// The access token.
    pub(crate) access: String,
    /// The refresh token, or nothing.
    pub(crate) refresh: String,
}

impl Tokens {
    /// Out of a token response.
    pub(crate) fn of(page: &Page) -> Self {
        assert_eq!(page.status, 200, "{page:?}");
        let json = page.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), json }
    }

    /// The header and the claims of the ID token, unverified.
    pub(crate) fn id_token(&self) -> (Value, Value) {
        decode(self.json["id_token"].as_str().expect("an ID token"))
    }
}

/// Header and claims of a signed token, unverified.
pub(crate) fn decode(token: &str) -> (Value, Value) {
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"))
        .map(|bytes| serde_json::from_slice(&bytes).expect("JSON"))
        .collect();
    (parts[0].clone(), parts[1].clone())
}

/// 43 random characters of base64url.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    let provider = aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut bytes).expect("random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 7636 §4.2.
pub(crate) fn challenge(verifier: &str) -> String {
    let hash = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .expect("a TLS 1.3 suite")
        .common
        .hash_provider;
    URL_SAFE_NO_PAD.encode(hash.hash(verifier.as_bytes()).as_ref())
}

/// A JSON error: status, code, and a text that stands in both places.
#[track_caller]
pub(crate) fn assert_error(page: &Page, status: u16, error: &str, text: &str) {
    let json = page.json();
    let got = (page.status, json["error"].as_str(), json["error_description"].as_str());
    assert_eq!(got, (status, Some(error), Some(text)), "{}", page.url);
    assert_eq!(json["message"], json["error_description"], "{}", page.url);
    assert_eq!(page.header("cache-control"), Some("no-store"), "{}", page.url);
}

/// An error that went back to the application.
#[track_caller]
pub(crate) fn assert_sent_back(
    page: &Page,
    app: &App,
    error: &str,
    text: &str,
) -> BTreeMap<String, String> {
    let location = page.location().unwrap_or_else(|| panic!("no redirect: {page:?}"));
    assert!(location.starts_with(&app.redirect_uri), "{location}");
    let answer = page.answer();
    assert_eq!(answer.get("error").map(String::as_str), Some(error), "{answer:?}");
    assert_eq!(answer.get("error_description").map(String::as_str), Some(text), "{answer:?}");
    assert!(answer.contains_key("iss"), "{answer:?}");
    answer
}
