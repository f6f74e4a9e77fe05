//! Token exchange for a provider's token: RFC 8693, with an integration as its target.

use serde_json::{Value, json};

use crate::support::connect::{CALENDAR, DRIVE, Vault};
use crate::support::server::{Setup, free_port};
use crate::support::{App, Page, Tokens, client};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const GOOGLE: &str = "urn:grantor:integration:google";

/// An application that people sign in to, and that may have their tokens at Google.
fn notes(vault: &Vault) -> App {
    let options = ["--grant", "authorization_code", "--grant", GRANT, "--integration", "google"];
    vault.server.app_with("notes", &options)
}

fn metered(setup: Setup) -> Setup {
    setup.set("listen.metrics", format!("127.0.0.1:{}", free_port()))
}

async fn exchange(vault: &Vault, app: &App, token: &str, more: &[(&str, &str)]) -> Page {
    let mut pairs =
        vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    if !more.iter().any(|(name, _)| *name == "audience") {
        pairs.push(("audience", GOOGLE));
    }
    pairs.extend(more);
    let page = vault.server.token(app, &pairs).await;
    if let Some(token) = page.body.split('"').find(|part| part.starts_with("ya29.")) {
        vault.server.seen.add(token);
    }
    page
}

/// Somebody who is signed in to `app`: the access token and the `sub`.
async fn signed_in(vault: &Vault, app: &App, who: &str) -> (String, String) {
    let tokens = vault.server.tokens(app, who).await;
    let claims = vault.server.bearer("/userinfo", &tokens.access).await.json();
    (tokens.access, claims["sub"].as_str().expect("a sub").to_owned())
}

/// The answer is this error of the token endpoint, whose text has `part` in it.
fn assert_refused(page: &Page, error: &str, part: &str) {
    let json = page.json();
    assert_eq!((page.status, json["error"].as_str()), (400, Some(error)), "{page:?}");
    assert!(json["error_description"].as_str().is_some_and(|own| own.contains(part)), "{json}");
}

#[tokio::test]
async fn a_client_exchanges_a_persons_token_for_the_one_at_the_provider() {
    let vault = Vault::with(metered).await;
    let notes = notes(&vault);
    let (access, sub) = signed_in(&vault, &notes, "ada").await;
    let none = exchange(&vault, &notes, &access, &[]).await;
    assert_refused(&none, "invalid_target", "has connected no account");
    let connection = vault.connect(&sub, "ada@example.com").await;
    let page = exchange(&vault, &notes, &access, &[]).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let answer = page.json();
    let token = answer["access_token"].as_str().expect("a token");
    assert!(token.starts_with("ya29."), "{answer}");
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["expires_in"].as_i64().is_some_and(|own| (3_000..3_600).contains(&own)));
    assert!(answer["scope"].as_str().is_some_and(|own| own.contains(CALENDAR)), "{answer}");
    assert_eq!(answer.get("refresh_token"), None);
    // It opens the provider's API, and is the same as long as it is good.
    let api = format!("{}/v1/userinfo", vault.google.base);
    let claims = client().get(api).bearer_auth(token).send().await.expect("answered");
    let claims: Value = claims.json().await.expect("JSON");
    assert_eq!(claims["email"], "ada@example.com");
    let again = exchange(&vault, &notes, &access, &[("scope", CALENDAR)]).await.json();
    assert_eq!(again["access_token"], answer["access_token"]);
    let count = async |result: &str| {
        let labels = format!("{{integration=\"google\",result=\"{result}\"}}");
        vault.server.metric(&format!("vault_token_requests_total{labels}")).await
    };
    assert_eq!((count("stored").await, count("connection_not_found").await), (2, 1));

    let entry = vault.server.sql(
        "SELECT actor || ' ' || target || ' ' || (details ->> 'subject') || ' ' ||
         coalesce(details ->> 'address', '') FROM audit_event WHERE action = 'token.read' LIMIT 1",
    );
    let target = connection["connection_id"].as_str().expect("an id");
    assert_eq!(entry, format!("client:notes {target} {sub} 127.0.0.1"));
}

#[tokio::test]
async fn nobody_gets_the_token_of_another_person() {
    let vault = Vault::start().await;
    let notes = notes(&vault);
    let (_, ada) = signed_in(&vault, &notes, "ada").await;
    let (access, _) = signed_in(&vault, &notes, "bob").await;
    vault.connect(&ada, "ada@example.com").await;
    // There is no parameter that names another one.
    for more in [&[][..], &[("subject", ada.as_str())], &[("account", "ada@example.com")]] {
        let page = exchange(&vault, &notes, &access, more).await;
        assert_refused(&page, "invalid_target", "connected no account");
    }
}

#[tokio::test]
async fn only_a_client_that_was_given_the_integration_gets_its_tokens() {
    let vault = Vault::with(|setup| {
        setup
            .set("integrations.other.provider", "google")
            .set("integrations.other.client_id", "other")
            .set("integrations.other.client_secret", "another-secret-of-the-tests")
    })
    .await;
    let notes = notes(&vault);
    let (access, sub) = signed_in(&vault, &notes, "ada").await;
    vault.connect(&sub, "ada@example.com").await;
    let target = |name: &str| format!("urn:grantor:integration:{name}");
    for name in ["other", "unknown", "", "google "] {
        let page = exchange(&vault, &notes, &access, &[("audience", &target(name))]).await;
        assert_refused(&page, "invalid_target", "may not have its tokens");
    }

    // One that has the grant and not the integration, one that has neither, one that is public.
    let options = ["--grant", "authorization_code", "--grant", GRANT];
    let without = vault.server.app_with("without", &options);
    let (own, _) = signed_in(&vault, &without, "ada").await;
    let page = exchange(&vault, &without, &own, &[]).await;
    assert_refused(&page, "invalid_target", "may not have its tokens");
    let plain = vault.server.app("plain");
    let (own, _) = signed_in(&vault, &plain, "ada").await;
    let page = exchange(&vault, &plain, &own, &[]).await;
    assert_refused(&page, "unauthorized_client", "not registered for the grant");

    // A token that was given to another application is none of its business.
    let page = exchange(&vault, &notes, &own, &[]).await;
    assert_refused(&page, "invalid_request", "neither issued to this client");
    assert_eq!(exchange(&vault, &notes, &access, &[]).await.status, 200);
}

#[test]
fn the_operator_gives_integrations_that_there_are_to_clients_that_authenticate() {
    let server = crate::support::Server::setup()
        .set("integrations.google.client_id", "ours")
        .set("integrations.google.client_secret", "a-secret-of-the-tests")
        .prepare();
    let cli = server.cli();
    let add = |id: &str, more: &[&str]| {
        let base = ["client", "add", id, "--grant", "token_exchange"];
        cli.run(&[&base[..], more].concat())
    };
    let made = add("good", &["--integration", "google"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let unknown = add("typo", &["--integration", "gogle"]);
    assert!(unknown.code == Some(1) && unknown.err.contains("no integration gogle"), "{unknown:?}");
    let public = add("open", &["--public", "--integration", "google"]);
    assert_eq!(public.code, Some(1), "{public:?}");
    // It goes along when clients move.
    let file = server.folder().join("clients.json");
    let exported = cli.ok(&["client", "export"]);
    assert!(exported.contains("\"integrations\""), "{exported}");
    std::fs::write(&file, &exported).expect("written");
    cli.ok(&["client", "remove", "good"]);
    cli.ok(&["client", "import", file.to_str().expect("text")]);
    assert_eq!(cli.json(&["client", "show", "good"])["integrations"], json!(["google"]));
}

#[tokio::test]
async fn what_is_missing_comes_with_a_link_for_the_person() {
    let vault = Vault::start().await;
    let notes = notes(&vault);
    let (access, sub) = signed_in(&vault, &notes, "ada").await;
    let page = exchange(&vault, &notes, &access, &[]).await;
    assert_refused(&page, "invalid_target", "connected no account");
    let url = page.json()["connect_url"].as_str().expect("a link").to_owned();
    assert!(url.starts_with(&vault.server.url("/connect/")), "{url}");
    vault.server.seen.add(&url[vault.server.url("/connect/").len()..]);
    let session = vault.server.sql("SELECT mode || ' ' || subject FROM connect_session");
    assert_eq!(session, format!("self_service {sub}"), "nobody but the person can follow it");

    // All but the drive is granted.
    let body = json!({ "integration": "google", "subject": sub });
    let (link, _) = vault.link(&body).await;
    let back = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[DRIVE]).await;
    let done = vault.complete_for(&sub, &back.answer()["connect_code"]).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(exchange(&vault, &notes, &access, &[("scope", CALENDAR)]).await.status, 200);
    let both = format!("{CALENDAR} {DRIVE}");
    let page = exchange(&vault, &notes, &access, &[("scope", &both)]).await;
    assert_refused(&page, "invalid_scope", "not granted all the scopes");
    assert_eq!(page.json()["missing_scopes"], json!([DRIVE]));
    assert!(page.json()["connect_url"].is_string(), "{page:?}");
}

#[tokio::test]
async fn what_the_vault_cannot_do_is_said_in_words_of_oauth() {
    let vault = Vault::start().await;
    let notes = notes(&vault);
    let (access, sub) = signed_in(&vault, &notes, "ada").await;
    vault.connect(&sub, "ada@example.com").await;
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    for (more, code, text) in [
        (&[("requested_token_type", jwt)][..], "invalid_request", "cannot be exchanged or issued"),
        (&[("actor_token", "x"), ("actor_token_type", ACCESS_TOKEN)], "invalid_request", "acts"),
        (&[("actor_token_type", ACCESS_TOKEN)], "invalid_request", "acts"),
        (&[("resource", "https://api.example")], "invalid_target", "one audience"),
        (&[("audience", GOOGLE), ("audience", "x")], "invalid_target", "one audience"),
        (&[("scope", "a\"b")], "invalid_scope", "characters"),
    ] {
        let page = exchange(&vault, &notes, &access, more).await;
        assert_refused(&page, code, text);
    }
    let page = exchange(&vault, &notes, "grt_at_unknown", &[]).await;
    assert_refused(&page, "invalid_request", "subject_token");
    // A machine is no person.
    let machine = vault.server.app_with(
        "machine",
        &[
            "--grant",
            "client_credentials",
            "--grant",
            GRANT,
            "--integration",
            "google",
            "--scope",
            "read",
        ],
    );
    let own = vault.server.token(&machine, &[("grant_type", "client_credentials")]).await;
    let page = exchange(&vault, &machine, &Tokens::of(&own).access, &[]).await;
    assert_refused(&page, "invalid_request", "about no person");

    // Two accounts: one has to be named.
    vault.connect(&sub, "alan@example.com").await;
    let page = exchange(&vault, &notes, &access, &[]).await;
    assert_refused(&page, "invalid_request", "several accounts");
    let accounts = page.json()["accounts"].as_array().expect("a list").clone();
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    let named = exchange(&vault, &notes, &access, &[("account", "alan@example.com")]).await;
    assert_eq!(named.status, 200, "{named:?}");
}

#[tokio::test]
async fn a_grant_that_is_over_is_an_invalid_target_with_the_reason() {
    let vault = Vault::start().await;
    let notes = notes(&vault);
    let (access, sub) = signed_in(&vault, &notes, "ada").await;
    vault.connect(&sub, "ada@example.com").await;
    vault.google.control("POST", "revoke", &json!({ "account": "ada@example.com" })).await;
    // Expired, so that it has to be refreshed.
    vault.server.sql("UPDATE connection SET expires_at = unixepoch() - 10");
    let page = exchange(&vault, &notes, &access, &[]).await;
    assert_refused(&page, "invalid_target", "has to connect the account again");
    let answer = page.json();
    assert_eq!(answer["reason"], "grant_dead");
    assert!(answer["connect_url"].is_string() && answer["since"].is_string(), "{answer}");
}
