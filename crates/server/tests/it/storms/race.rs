//! Two requests for one thing: one winner.

use tokio::task::JoinSet;

use crate::support::{App, Page, Request, Server, Tokens, client};

/// Sends the same token request 32 times at once; every answer.
async fn at_once(server: &Server, app: &App, fields: &[(&str, &str)]) -> Vec<Page> {
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let request = client().post(server.url("/token"));
        let request = match &app.secret {
            Some(secret) => request.basic_auth(&app.id, Some(secret)).form(fields),
            None => request.form(&[fields, &[("client_id", app.id.as_str())]].concat()),
        };
        let (url, seen) = (server.url("/token"), server.seen.clone());
        tasks.spawn(async move {
            let response = request.send().await.expect("answered");
            Page::read(response, &url, &seen).await
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_gets_the_tokens_of_a_code_and_then_nobody() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    for _ in 0..5 {
        let request = Request::of(&app);
        let code = server.code(&browser, "ada", &request).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", app.redirect_uri.as_str()),
            ("code_verifier", request.verifier.as_str()),
        ];
        let answers = at_once(&server, &app, &fields).await;
        let won: Vec<&Page> = answers.iter().filter(|page| page.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|page| [200, 400].contains(&page.status)), "{answers:?}");
        // The others are replays: the whole family is revoked.
        let tokens = Tokens::of(won[0]);
        assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
        assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_that_use_a_counted_refresh_token_five_get_one() {
    let server = Server::start().await;
    let machine = server.machine("machine", &["--grant", "refresh_token", "--refresh", "reuse:5"]);
    let grant = [("grant_type", "client_credentials")];
    let refresh = Tokens::of(&server.token(&machine, &grant).await).refresh;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let answers = at_once(&server, &machine, &fields).await;
    assert_eq!(answers.iter().filter(|page| page.status == 200).count(), 5, "{answers:?}");
    assert!(answers.iter().all(|page| [200, 400].contains(&page.status)), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_refreshes_of_one_token_get_one_successor() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let mut tokens = server.tokens(&app, "ada").await;
    for _ in 0..5 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
        let answers = at_once(&server, &app, &fields).await;
        let mut successors: Vec<String> =
            answers.iter().map(|page| Tokens::of(page).refresh).collect();
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1, "the chain is forked");
        for page in &answers {
            assert_eq!(server.bearer("/protected", &Tokens::of(page).access).await.status, 200);
        }
        tokens = Tokens::of(&answers[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counted_uses_are_not_exceeded() {
    let server = Server::start().await;
    let app = server.app_with("five", &["--refresh", "reuse:5"]);
    let tokens = server.tokens(&app, "ada").await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    let answers = at_once(&server, &app, &fields).await;
    assert_eq!(answers.iter().filter(|page| page.status == 200).count(), 5, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_tokens_at_once_use_up_five_tries_together() {
    let server = Server::start().await;
    let browser = server.browser();
    let page = browser.open("/login").await;
    let page = browser.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let form = page.form_with("token").with("token", "wrong");
    let cookie =
        format!("grantor_browser={}", browser.cookie("grantor_browser").expect("a cookie"));
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let request = client().post(server.url("/login")).form(&form.fields);
        let request = request.header("cookie", &cookie);
        tasks.spawn(
            async move { request.send().await.expect("answered").text().await.expect("text") },
        );
    }
    let pages = tasks.join_all().await;
    let counted = pages.iter().filter(|page| page.contains("not right")).count();
    assert_eq!(counted, 5, "five were tried, the others came too late");
    let right = form.with("token", crate::support::STATIC_TOKEN);
    assert_eq!(browser.submit(&right).await.status, 400, "the right one, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_answers_of_a_consent_form_gets_a_code() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).url(&server)).await;
    let form =
        server.type_token(&browser, &page, "ada").await.form("/consent").with("decision", "allow");
    let cookies = ["grantor_browser", "grantor_session"]
        .map(|name| format!("{name}={}", browser.cookie(name).expect("a cookie")))
        .join("; ");
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let request = client().post(server.url("/consent")).form(&form.fields);
        let request = request.header("cookie", &cookies);
        let (url, seen) = (server.url("/consent"), server.seen.clone());
        tasks.spawn(async move {
            Page::read(request.send().await.expect("answered"), &url, &seen).await
        });
    }
    let pages = tasks.join_all().await;
    let codes =
        pages.iter().filter(|page| page.status == 303 && page.answer().contains_key("code"));
    assert_eq!(codes.count(), 1, "a pending request is answered once");
    assert!(pages.iter().all(|page| page.status < 500));
}
