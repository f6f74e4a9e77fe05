//! kill -9 under load: what was acknowledged is there afterwards, and no code was redeemed twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::{App, Browser, Page, Request, STATIC_TOKEN, Server, client, random};

/// Everything that the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Codes with their requests that were handed out and not sent to `/token` before the cut.
    codes: Vec<(Request, String)>,
    /// Codes that were sent to `/token` without an answer: spent or not, but not twice.
    doubtful: Vec<(Request, String)>,
    /// Codes that were exchanged.
    spent: Vec<(Request, String)>,
    /// Access tokens and refresh tokens.
    tokens: Vec<(String, String)>,
    /// People who gave consent, each with the browser of the session.
    people: Vec<Arc<Browser>>,
}

/// One application and the server that it uses, shared by the workers.
struct Load {
    issuer: String,
    seen: crate::support::seen::Seen,
    app: App,
    acknowledged: Mutex<Acknowledged>,
    over: AtomicBool,
}

impl Load {
    /// A person who signs in, agrees, and whose application redeems every second code.
    async fn person(self: Arc<Self>, name: String) {
        let browser = Arc::new(Browser::new(&self.issuer, self.seen.clone()));
        let mut agreed = false;
        while !self.over.load(Ordering::Relaxed) {
            let request = Request::of(&self.app);
            let Some(page) = self.answer(&browser, &name, &request).await else { return };
            let Some(code) = page.answer().get("code").cloned() else { return };
            if !agreed {
                self.note(|own| own.people.push(browser.clone()));
                agreed = true;
            }
            if random().starts_with(|c: char| c.is_ascii_lowercase()) {
                self.note(|own| own.codes.push((request, code)));
                continue;
            }
            self.redeem(request, code).await;
        }
    }

    async fn answer(&self, browser: &Browser, name: &str, request: &Request) -> Option<Page> {
        let mut page =
            try_open(browser, &format!("{}/authorize?{}", self.issuer, request.query())).await?;
        if page.body.contains("name=\"email\"") {
            let email = format!("{name}@example.com");
            page = try_send(browser, &page.form_with("email").with("email", &email)).await?;
            page = try_send(browser, &page.form_with("token").with("token", STATIC_TOKEN)).await?;
        }
        if page.body.contains("action=\"/consent\"") {
            page = try_send(browser, &page.form("/consent").with("decision", "allow")).await?;
        }
        page.location().is_some().then_some(page)
    }

    async fn redeem(&self, request: Request, code: String) {
        let sent = client()
            .post(format!("{}/token", self.issuer))
            .basic_auth(&self.app.id, self.app.secret.as_deref())
            .form(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &self.app.redirect_uri),
                ("code_verifier", &request.verifier),
            ])
            .send()
            .await;
        let body = match sent {
            Ok(response) if response.status().is_success() => response.text().await.ok(),
            Ok(_) | Err(_) => None,
        };
        let json = body.and_then(|body| {
            self.seen.add_all_in(&body);
            serde_json::from_str::<serde_json::Value>(&body).ok()
        });
        match json {
            Some(json) => {
                let text = |name: &str| json[name].as_str().expect("a text").to_owned();
                let both = (text("access_token"), text("refresh_token"));
                self.note(|own| own.spent.push((request, code)));
                self.note(|own| own.tokens.push(both));
            }
            None => self.note(|own| own.doubtful.push((request, code))),
        }
    }

    fn note(&self, what: impl FnOnce(&mut Acknowledged)) {
        what(&mut self.acknowledged.lock().expect("not poisoned"));
    }
}

/// `None` when the server is gone.
async fn try_open(browser: &Browser, url: &str) -> Option<Page> {
    let page = browser.try_get(url).await?;
    browser.try_follow(page).await
}

async fn try_send(browser: &Browser, form: &crate::support::Form) -> Option<Page> {
    let page = browser.try_post(&form.action, &form.fields).await?;
    browser.try_follow(page).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_no_code_is_redeemed_twice() {
    // Codes must outlive the restart, or "expired" would hide a loss.
    let mut server = Server::setup().set("lifetimes.code", "5m").start().await;
    let app = server.app("notes");
    let mut totals = (0, 0, 0);
    for round in 0..3 {
        let load = Arc::new(Load {
            issuer: server.issuer.clone(),
            seen: server.seen.clone(),
            app: app.clone(),
            acknowledged: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let mut workers = JoinSet::new();
        for n in 0..16 {
            workers.spawn(load.clone().person(format!("p{round}-{n}")));
        }
        tokio::time::sleep(Duration::from_millis(2500)).await;
        server.kill();
        load.over.store(true, Ordering::Relaxed);
        workers.join_all().await;
        server.start_again().await;

        let known = std::mem::take(&mut *load.acknowledged.lock().expect("not poisoned"));
        totals = (
            totals.0 + known.codes.len(),
            totals.1 + known.tokens.len(),
            totals.2 + known.people.len(),
        );
        check(&server, &app, known).await;
    }
    assert!(totals.0 > 20 && totals.1 > 20 && totals.2 > 16, "too little load: {totals:?}");
    server.assert_whole();
}

async fn check(server: &Server, app: &App, known: Acknowledged) {
    for (access, _) in &known.tokens {
        let status = server.bearer("/protected", access).await.status;
        assert_eq!(status, 200, "an acknowledged access token is lost");
    }
    for browser in &known.people {
        let page = browser.get(&Request::of(app).url(server)).await;
        let remembered = page.location().is_some_and(|own| own.starts_with(&app.redirect_uri));
        assert!(remembered, "an acknowledged session or consent is lost: {page:?}");
    }
    for (request, code) in &known.codes {
        let first = server.redeem(app, request, code).await;
        assert_eq!(first.status, 200, "an acknowledged code is lost: {first:?}");
        assert_eq!(server.redeem(app, request, code).await.status, 400, "redeemed twice");
    }
    for (request, code) in &known.doubtful {
        let first = server.redeem(app, request, code).await.status;
        assert!([200, 400].contains(&first), "{first}");
        assert_eq!(server.redeem(app, request, code).await.status, 400, "redeemed twice");
    }
    for (_, refresh) in &known.tokens {
        let status = server.refresh(app, refresh).await.status;
        assert_eq!(status, 200, "an acknowledged refresh token is lost");
    }
    // Last, because a replay revokes what came before it.
    for (request, code) in &known.spent {
        assert_eq!(server.redeem(app, request, code).await.status, 400, "redeemed twice");
    }
}
