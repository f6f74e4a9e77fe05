//! What goes on while something fails: people, machines and services at nginx. Every answer is as it
//! should be, or 503 with `Retry-After`, or, where a node dies, nginx's 502.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::JoinSet;

use super::ledger::{Chain, Ledger};
use super::nodes::{Cluster, QUICKLY, post};
use crate::support::browser::{Browser, Page};
use crate::support::seen::Seen;
use crate::support::{App, Form, Request, STATIC_TOKEN, client};

const PEOPLE: usize = 6;
const MACHINES: usize = 2;
const SERVICES: usize = 2;

/// Each has one request under way at a time.
pub(crate) const WORKERS: usize = PEOPLE + MACHINES + SERVICES;

/// How long somebody waits who was told to come back, or whose node is gone.
const PAUSE: Duration = Duration::from_millis(100);

/// What may be answered besides what is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// 503 with `Retry-After`.
    pub(crate) away: bool,
    /// nginx's 502: a node ends with requests in its hands.
    pub(crate) lost: bool,
    /// That a code or a refresh token is refused which was good: the store has gone back, or may have.
    pub(crate) forgotten: bool,
}

/// An answer.
enum Answer {
    /// As it should be.
    Right(Page),
    /// 503, or nobody knows: it was done or was not.
    Unknown,
    /// A refusal that is expected.
    Refused,
}

/// Workers, and what they know.
pub(crate) struct Load {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
}

struct Shared {
    front: String,
    app: App,
    machine: App,
    key: String,
    seen: Seen,
    expected: Expected,
    ledger: Mutex<Ledger>,
    /// Answers that are none of those.
    wrong: Mutex<Vec<String>>,
    right: AtomicUsize,
    away: AtomicUsize,
    lost: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    /// Begins.
    pub(crate) fn start(cluster: &Cluster, expected: Expected) -> Self {
        let shared = Arc::new(Shared {
            front: cluster.front.clone(),
            app: cluster.app.clone(),
            machine: cluster.machine.clone(),
            key: cluster.vault.key.clone(),
            seen: cluster.a().seen.clone(),
            expected,
            ledger: Mutex::default(),
            wrong: Mutex::default(),
            right: AtomicUsize::new(0),
            away: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let mut workers = JoinSet::new();
        for n in 0..PEOPLE {
            workers.spawn(shared.clone().person(format!("p{n}")));
        }
        for _ in 0..MACHINES {
            workers.spawn(shared.clone().machine());
        }
        for _ in 0..SERVICES {
            workers.spawn(shared.clone().service());
        }
        Self { shared, workers }
    }

    /// Waits until so many more requests were answered as they should be.
    pub(crate) async fn go_on(&self, more: usize, within: Duration) {
        let (since, wanted) = (Instant::now(), self.right() + more);
        while self.right() < wanted {
            let wrong = self.shared.wrong.lock().expect("not poisoned").clone();
            assert!(wrong.is_empty(), "{wrong:#?}");
            let left = wanted - self.right();
            assert!(since.elapsed() < within, "{left} of {more} not answered within {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many requests were answered as they should be.
    pub(crate) fn right(&self) -> usize {
        self.shared.right.load(Ordering::Relaxed)
    }

    /// How many were answered with 503.
    pub(crate) fn away(&self) -> usize {
        self.shared.away.load(Ordering::Relaxed)
    }

    /// How many a node took with it.
    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Ends the work; what was acknowledged.
    pub(crate) async fn stop(self) -> Ledger {
        self.shared.over.store(true, Ordering::Relaxed);
        self.workers.join_all().await;
        let wrong = std::mem::take(&mut *self.shared.wrong.lock().expect("not poisoned"));
        assert!(wrong.is_empty(), "{wrong:#?}");
        std::mem::take(&mut *self.shared.ledger.lock().expect("not poisoned"))
    }
}

impl Shared {
    /// Somebody who signs in once, and whose application gets codes, exchanges, refreshes and revokes.
    async fn person(self: Arc<Self>, name: String) {
        let browser = Arc::new(Browser::over(client(), &self.front, self.seen.clone()));
        let mut known = false;
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let request = Request::of(&self.app);
            let Some(code) = self.code(&browser, &name, &request).await else { continue };
            if !known {
                self.note(|own| own.people.push(browser.clone()));
                known = true;
            }
            if turn % 4 == 0 {
                self.note(|own| own.codes.push((request, code)));
                continue;
            }
            let Some(chain) = self.redeem(request, code).await else { continue };
            self.use_tokens(chain, turn).await;
        }
    }

    /// A code. `None` when nobody knows whether there is one.
    async fn code(&self, browser: &Browser, name: &str, request: &Request) -> Option<String> {
        let url = format!("{}/authorize?{}", self.front, request.query());
        let mut page = self.open(browser, &url).await?;
        if page.body.contains("name=\"email\"") {
            let email = format!("{name}@example.com");
            page = self.submit(browser, &page.form_with("email").with("email", &email)).await?;
            page =
                self.submit(browser, &page.form_with("token").with("token", STATIC_TOKEN)).await?;
        }
        if page.body.contains("action=\"/consent\"") {
            page = self.submit(browser, &page.form("/consent").with("decision", "allow")).await?;
        }
        let code = page.location().and_then(|_| page.answer().get("code").cloned());
        if code.is_none() {
            // An error can be sent to the application too: RFC 6749 §4.1.2.1.
            let error = page.location().and_then(|_| page.answer().get("error").cloned());
            let away = error.as_deref() == Some("temporarily_unavailable") && self.expected.away;
            if away {
                self.away.fetch_add(1, Ordering::Relaxed);
            } else {
                self.wrong(format!("no code: {page:?}"));
            }
        }
        code
    }

    async fn open(&self, browser: &Browser, url: &str) -> Option<Page> {
        self.visit(browser.ask(url), browser).await
    }

    async fn submit(&self, browser: &Browser, form: &Form) -> Option<Page> {
        self.visit(browser.sending(&form.action, &form.fields), browser).await
    }

    /// Follows redirects as long as they stay at the server.
    async fn visit(&self, mut request: RequestBuilder, browser: &Browser) -> Option<Page> {
        loop {
            let answer = self.answer(request, &[200, 302, 303]).await;
            let Answer::Right(page) = answer else { return None };
            browser.keep(&page);
            let next = match page.location() {
                Some(next) if next.starts_with('/') => format!("{}{next}", self.front),
                Some(next) if next.starts_with(&self.front) => next,
                Some(_) | None => return Some(page),
            };
            request = browser.ask(&next);
        }
    }

    async fn redeem(&self, request: Request, code: String) -> Option<Chain> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.app.redirect_uri),
            ("code_verifier", &request.verifier),
        ];
        match self.answer(self.by(&self.app, "/token", &form), &[200]).await {
            Answer::Right(page) => {
                let chain = Chain::of(&page.json());
                self.note(|own| own.spent.push((request, code, chain.access.clone())));
                Some(chain)
            }
            Answer::Unknown => {
                self.note(|own| own.doubtful.push((request, code)));
                None
            }
            Answer::Refused => None,
        }
    }

    /// Refreshes; every third chain is revoked, the others are kept to be looked at in the end.
    async fn use_tokens(&self, mut chain: Chain, turn: usize) {
        self.assert_active(&self.app, &chain.access, true).await;
        for _ in 0..2 {
            let form = [("grant_type", "refresh_token"), ("refresh_token", chain.refresh.as_str())];
            match self.answer(self.by(&self.app, "/token", &form), &[200]).await {
                Answer::Right(page) => chain.go_on(&page.json()),
                // It can be tried again: the successor is the same.
                Answer::Unknown => {}
                Answer::Refused => return,
            }
        }
        if !turn.is_multiple_of(3) {
            return self.note(|own| own.chains.push(chain));
        }
        let form = [("token", chain.refresh.as_str())];
        if let Answer::Right(_) = self.answer(self.by(&self.app, "/revoke", &form), &[200]).await {
            self.assert_active(&self.app, &chain.access, false).await;
            self.note(|own| own.revoked.push(chain));
        }
    }

    /// A machine that gets tokens, and gives every second one back.
    async fn machine(self: Arc<Self>) {
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let form = [("grant_type", "client_credentials")];
            let answer = self.answer(self.by(&self.machine, "/token", &form), &[200]).await;
            let Answer::Right(page) = answer else { continue };
            let token = page.json()["access_token"].as_str().expect("a token").to_owned();
            if turn % 2 == 0 {
                self.note(|own| own.tokens.push(token));
                continue;
            }
            let form = [("token", token.as_str())];
            let answer = self.answer(self.by(&self.machine, "/revoke", &form), &[200]).await;
            if let Answer::Right(_) = answer {
                self.assert_active(&self.machine, &token, false).await;
                self.note(|own| own.given_back.push(token));
            }
        }
    }

    /// A service that asks the vault for a token.
    async fn service(self: Arc<Self>) {
        while !self.over.load(Ordering::Relaxed) {
            let request = post(&self.front, "/oauth/token").bearer_auth(&self.key);
            if let Answer::Right(page) = self.answer(request, &[200]).await {
                let token = page.json()["access_token"].as_str().expect("a token").to_owned();
                self.seen.add(&token);
                self.note(|own| own.fetched.insert(token));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What any node says of a token that was acknowledged, or whose revocation was.
    async fn assert_active(&self, app: &App, token: &str, active: bool) {
        let form = [("token", token)];
        let answer = self.answer(self.by(app, "/introspect", &form), &[200]).await;
        if let Answer::Right(page) = answer {
            let own = page.json()["active"] == active;
            if !(own || self.expected.forgotten && active) {
                self.wrong(format!("not active == {active}: {page:?}"));
            }
        }
    }

    fn by(&self, app: &App, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        post(&self.front, path).basic_auth(&app.id, app.secret.as_deref()).form(form)
    }

    /// Sends a request and says what became of it.
    async fn answer(&self, request: RequestBuilder, right: &[u16]) -> Answer {
        let since = Instant::now();
        let (http, request) = request.build_split();
        let request = request.expect("a request");
        let what = format!("{} {}", request.method(), request.url());
        let page = match http.execute(request).await {
            Ok(response) => Page::try_read(response, &what, &self.seen).await,
            Err(error) => Err(error),
        };
        let took = since.elapsed();
        if took > QUICKLY {
            self.wrong(format!("{what} took {took:?}"));
        }
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.wrong(format!("{what}: {error:?}"));
                return Answer::Unknown;
            }
        };
        if right.contains(&page.status) {
            self.right.fetch_add(1, Ordering::Relaxed);
            return Answer::Right(page);
        }
        self.not_right(page).await
    }

    async fn not_right(&self, page: Page) -> Answer {
        let Expected { away, lost, forgotten } = self.expected;
        match page.status {
            503 if away && page.header("retry-after").is_some() => {
                self.away.fetch_add(1, Ordering::Relaxed);
            }
            502 if lost && page.header("server").is_some_and(|own| own.starts_with("nginx")) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            400 if forgotten && error_of(&page).as_deref() == Some("invalid_grant") => {
                return Answer::Refused;
            }
            _ => self.wrong(format!("{page:?}")),
        }
        tokio::time::sleep(PAUSE).await;
        Answer::Unknown
    }

    fn wrong(&self, what: String) {
        self.wrong.lock().expect("not poisoned").push(what);
    }

    fn note<T>(&self, what: impl FnOnce(&mut Ledger) -> T) {
        what(&mut self.ledger.lock().expect("not poisoned"));
    }
}

fn error_of(page: &Page) -> Option<String> {
    let json: Value = serde_json::from_str(&page.body).ok()?;
    json["error"].as_str().map(ToOwned::to_owned)
}
