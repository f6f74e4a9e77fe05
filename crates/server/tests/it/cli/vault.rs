//! `grantor vault`, and starts with the wrong keys.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grantor_core::id::ConnectionId;
use grantor_core::store::Store;
use grantor_core::vault::seal::Tokens;
use serde_json::{Value, json};

use crate::support::connections::{KeyFile, Traffic, data_key, opened};
use crate::support::server::GRANTOR;
use crate::support::signer::{Signer, under};
use crate::support::{App, Request, Server, client, random};

/// Enough that a rewrap can be killed in the middle.
const CONNECTIONS: usize = 4_000;

/// Everything that a change of the key-encryption key must not break.
struct Kept {
    tokens: BTreeMap<ConnectionId, Tokens>,
    app: App,
    refresh_token: String,
    machine_secret: String,
    api_key: String,
    signing_keys: Value,
}

impl Kept {
    async fn make(server: &Server, key: &KeyFile) -> Self {
        let tokens = server.connections(key, "google", CONNECTIONS).await;
        let app = server.public_app("notes");
        let request = Request::of(&app).with("scope", "openid offline_access");
        let first = server.tokens_for(&app, "ada", &server.browser(), &request).await;
        let machine_secret = random();
        server.hmac_machine("machine", &machine_secret).await;
        let create = ["apikey", "create", "--service", "reports", "--any-integration"];
        let api_key = server.cli().json(&create)["key"].as_str().expect("a key").to_owned();
        let signing_keys = server.get("/jwks.json").await.json();
        let refresh_token = first.refresh;
        Self { tokens, app, refresh_token, machine_secret, api_key, signing_keys }
    }

    /// All of it works on the running server.
    async fn assert_works(&mut self, server: &Server) {
        assert_eq!(server.get("/jwks.json").await.json(), self.signing_keys);
        let page = server.refresh(&self.app, &self.refresh_token).await;
        assert_eq!(page.status, 200, "{page:?}");
        let next = page.json()["refresh_token"].as_str().expect("rotated").to_owned();
        self.refresh_token = next;
        let claims = server.claims("machine", "machine");
        let assertion = Signer::new(&[]).tokens(&[under(&self.machine_secret, &claims)]);
        let page = server.assert_client(&assertion[0]).await;
        assert_eq!(page.status, 200, "{page:?}");
        let (id, tokens) = self.tokens.first_key_value().expect("one");
        let asked = client().post(server.url("/oauth/token")).bearer_auth(&self.api_key);
        let page = server.request(asked.json(&json!({ "connection_id": id }))).await;
        assert_eq!(page.json()["access_token"], tokens.access_token.as_str(), "{page:?}");
        let sound = server.cli().json(&["audit", "verify"]);
        assert_eq!(sound["sound"], true, "{sound}");
    }
}

/// The whole way: another key seals, everything moves to it while tokens are read and the command
/// is killed on the way, and the old key is gone in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_while_tokens_are_read_and_the_command_is_killed() {
    let mut server = Server::setup()
        .set("integrations.google.client_id", "client")
        .set("integrations.google.client_secret", "secret-at-the-provider")
        .start()
        .await;
    let old = KeyFile::of(&server);
    let new = KeyFile::make(server.folder(), "new.key");
    let mut kept = Kept::make(&server, &old).await;
    assert_eq!(server.stop(), Some(0));
    server.set_keys(&new, &[&old]);
    server.start_again().await;
    kept.assert_works(&server).await;
    let refused = server.cli().run(&["vault", "retire", &old.id()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains(&format!("{CONNECTIONS} connections")), "{}", refused.err);
    assert!(refused.err.contains("4 signing keys"), "{}", refused.err);

    let traffic = Traffic::start(&server, new.ring(&[&old]), kept.tokens.clone()).await;
    let store = server.open_store().await;
    let first = rewrap_in_background(&server);
    let moved = until_some_are_moved(&*store, &new).await;
    kill(first);
    let under_old = uses(&*store, &old).await;
    assert!(moved >= 1 && under_old >= 1, "killed too late");

    let done = server.cli().json(&["vault", "rewrap"]);
    let rest = done["connections"].as_u64().expect("a number");
    assert!((1..=under_old).contains(&rest), "{done}");
    kept.tokens = traffic.stop().await;
    assert_eq!((&done["failed"], uses(&*store, &new).await), (&json!([]), CONNECTIONS as u64));
    let ring = new.ring(&[]);
    for (id, tokens) in &kept.tokens {
        assert!(opened(&*store, &ring, *id).await.is_some_and(|own| own == *tokens), "{id}");
    }
    let mut keys = [old.forms(), new.forms()].concat();
    for id in kept.tokens.keys().take(50) {
        keys.push(data_key(&*store, &ring, *id).await);
    }
    assert_in_no_file(&server, &keys);

    server.cli().ok(&["vault", "retire", &old.id()]);
    fs::remove_file(&old.path).expect("removed");
    server.set_keys(&new, &[]);
    assert_eq!(server.stop(), Some(0));
    server.start_again().await;
    kept.assert_works(&server).await;
    let status = server.cli().json(&["vault", "status"]);
    assert_eq!(status["keys"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(status["keys"][0]["key"], new.id());
    server.assert_no_secret_leaked();
}

/// Two at once share the work and do none of it twice.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_rewrap_at_once_do_not_disturb_each_other() {
    let server = Server::setup().prepare();
    server.cli().ok(&["key", "list"]);
    let old = KeyFile::of(&server);
    let new = KeyFile::make(server.folder(), "new.key");
    let tokens = server.connections(&old, "google", 1_000).await;
    server.set_keys(&new, &[&old]);
    let other = rewrap_in_background(&server);
    let mine = server.cli().json(&["vault", "rewrap"]);
    let output = other.wait_with_output().expect("its output");
    assert!(output.status.success(), "{output:?}");
    let other: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let count = |own: &Value| own["connections"].as_u64().expect("a number");
    assert_eq!(count(&mine) + count(&other), 1_000, "{mine} {other}");
    let store = server.open_store().await;
    for (id, tokens) in &tokens {
        let found = opened(&*store, &new.ring(&[]), *id).await;
        assert!(found.is_some_and(|own| own == *tokens), "{id}");
    }
}

/// The root of digests is made once, whoever is first: else keys and entries of the others are void.
#[test]
fn processes_that_start_at_once_in_an_empty_folder_agree() {
    let server = Server::setup().prepare();
    let starts: Vec<Child> = (0..8)
        .map(|_| {
            let mut command = Command::new(GRANTOR);
            command.args(["apikey", "create", "--service", "reports", "--any-integration"]);
            command.arg("--config").arg(server.config()).arg("--data").arg(server.data());
            command.stdout(Stdio::null()).spawn().expect("the binary starts")
        })
        .collect();
    for mut child in starts {
        assert!(child.wait().expect("waited").success());
    }
    assert_eq!(server.cli().json(&["audit", "verify"])["entries"], 8);
    assert_eq!(server.sql("SELECT count(*) FROM server_secret"), "2");
}

/// The forgotten key is the one that lies in the data folder.
#[tokio::test]
async fn a_start_without_a_key_that_is_needed_names_it_and_says_what_to_do() {
    let mut server = Server::start().await;
    let made = KeyFile::of(&server);
    server.connections(&made, "google", 3).await;
    assert_eq!(server.stop(), Some(0));
    let other = KeyFile::make(server.folder(), "other.key");
    server.set_keys(&other, &[]);
    for command in ["serve", "doctor"] {
        let ran = server.cli().run(&[command]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let text = format!("{}{}", ran.out, ran.err).replace('\n', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let named = [
            made.id(),
            other.id(),
            "3 connections".to_owned(),
            "4 signing keys".to_owned(),
            "keys.retired_key_encryption_keys".to_owned(),
        ];
        assert!(named.iter().all(|named| text.contains(named)), "{text}");
    }
    let ran = server.cli().run(&["serve"]);
    let hint = format!("keys.retired_key_encryption_key_files = [\"{}\"]", made.path.display());
    assert!(ran.err.contains(&hint), "{}", ran.err);
    server.set_keys(&other, &[&made]);
    server.start_again().await;
}

/// Another process had not read the settings anew when the key was retired.
#[tokio::test]
async fn a_connection_under_a_key_that_was_retired_ends_the_start() {
    let mut server = Server::start().await;
    let old = KeyFile::of(&server);
    assert_eq!(server.stop(), Some(0));
    let new = KeyFile::make(server.folder(), "new.key");
    server.set_keys(&new, &[&old]);
    server.start_again().await;
    assert_eq!(server.stop(), Some(0));
    server.cli().ok(&["vault", "rewrap"]);
    server.cli().ok(&["vault", "retire", &old.id()]);
    server.connections(&old, "google", 2).await;
    server.set_keys(&new, &[]);
    let ran = server.cli().run(&["serve"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let text = format!("{}{}", ran.out, ran.err).replace('\n', " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&old.id()) && text.contains("2 connections"), "{text}");
    // With the key it goes on, and what is left is moved.
    server.set_keys(&new, &[&old]);
    server.start_again().await;
    assert_eq!(server.stop(), Some(0));
    server.cli().ok(&["vault", "rewrap"]);
    server.cli().ok(&["vault", "retire", &old.id()]);
    server.set_keys(&new, &[]);
    server.start_again().await;
}

#[tokio::test]
async fn a_damaged_canary_or_root_ends_the_start() {
    let mut server = Server::start().await;
    assert_eq!(server.stop(), Some(0));
    let id = KeyFile::of(&server).id();
    for (name, says) in
        [(format!("canary {id}"), id.as_str()), ("derivation root".into(), "digests")]
    {
        let kept =
            server.sql(&format!("SELECT hex(sealed) FROM server_secret WHERE name = '{name}'"));
        let damaged = format!(
            "{}{}",
            &kept[..kept.len() - 2],
            if kept.ends_with("00") { "01" } else { "00" }
        );
        let set = |hex: &str| {
            server.sql(&format!("UPDATE server_secret SET sealed = x'{hex}' WHERE name = '{name}'"))
        };
        set(&damaged);
        let ran = server.cli().run(&["serve"]);
        assert_eq!((ran.code, ran.err.lines().count()), (Some(1), 1), "{ran:?}");
        assert!(ran.err.contains(says) && ran.err.contains("backup"), "{}", ran.err);
        set(&kept);
    }
    server.start_again().await;
}

/// A folder that an earlier release made has neither root nor canary.
#[tokio::test]
async fn a_database_from_before_goes_on_and_its_refresh_tokens_work() {
    let mut server = Server::start().await;
    let app = server.public_app("notes");
    let request = Request::of(&app).with("scope", "openid offline_access");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    assert_eq!(server.stop(), Some(0));
    server.sql("DELETE FROM server_secret");
    // Not with another key, though nothing has a canary.
    let (made, other) = (KeyFile::of(&server), KeyFile::make(server.folder(), "other.key"));
    let settings = fs::read_to_string(server.config()).expect("settings");
    server.set_keys(&other, &[]);
    let ran = server.cli().run(&["serve"]);
    assert!(ran.code == Some(1) && ran.err.contains(&made.id()), "{ran:?}");
    fs::write(server.config(), settings).expect("written");
    server.start_again().await;
    let page = server.refresh(&app, &tokens.refresh).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(server.sql("SELECT count(*) FROM server_secret"), "2");
}

#[test]
fn keys_that_cannot_be_retired() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let status = cli.json(&["vault", "status"]);
    assert_eq!(status["keys"][0]["state"], "active", "{status}");
    let active = status["keys"][0]["key"].as_str().expect("an id");
    for (key, says) in [(active, "the one that seals"), ("0123456789abcdef", "there is no key")] {
        let ran = cli.run(&["vault", "retire", key]);
        assert_eq!((ran.code, ran.err.lines().count()), (Some(1), 1), "{ran:?}");
        assert!(ran.err.contains(says), "{}", ran.err);
    }
    assert!(cli.ok(&["vault", "status"]).contains("1 server secret"));
    let table = cli.ok(&["vault", "rewrap"]);
    assert!(table.contains(active), "{table}");
}

/// A sign-in that has begun under the old key goes on, and is waited out: it is over within the hour.
#[tokio::test]
async fn what_is_short_lived_goes_on_and_is_waited_out() {
    let mut server = Server::start().await;
    let app = server.app("notes");
    let (browser, other) = (server.browser(), server.browser());
    let request = Request::of(&app);
    let page = browser.open(&request.url(&server)).await;
    other.open(&Request::of(&app).url(&server)).await;
    let phone = server.public_app("phone");
    let offline = Request::of(&phone).with("scope", "openid offline_access");
    let spent = server.tokens_for(&phone, "eve", &server.browser(), &offline).await.refresh;
    let successor = server.refresh(&phone, &spent).await.json()["refresh_token"].clone();
    assert_eq!(server.stop(), Some(0));
    let (old, new) = (KeyFile::of(&server), KeyFile::make(server.folder(), "new.key"));
    server.set_keys(&new, &[&old]);
    let done = server.cli().json(&["vault", "rewrap"]);
    let left = json!([{ "key": old.id(), "what": "pending requests", "count": 2 }]);
    assert_eq!((&done["signing_keys"], &done["left"]), (&json!(4), &left));
    server.start_again().await;
    // An answer that got lost is given once more, the same.
    let again = server.refresh(&phone, &spent).await.json();
    assert_eq!((&again["refresh_token"], successor.is_string()), (&successor, true), "{again}");
    // The form is of before; what ties it to the browser does not depend on the key.
    let page = server.type_token(&browser, &page, "ada").await;
    let page = browser.send_form(&page.form("/consent").with("decision", "allow")).await;
    let code = page.answer()["code"].clone();
    assert_eq!(server.redeem(&app, &request, &code).await.status, 200);
    let ran = server.cli().run(&["vault", "retire", &old.id()]);
    assert!(ran.code == Some(1) && ran.err.contains("over within the hour"), "{ran:?}");
    assert_eq!(server.stop(), Some(0));
    server.sql("UPDATE pending_request SET expires_at = 0");
    server.cli().ok(&["vault", "retire", &old.id()]);
    server.set_keys(&new, &[]);
    server.start_again().await;
}

fn rewrap_in_background(server: &Server) -> Child {
    let mut command = Command::new(GRANTOR);
    command.args(["vault", "rewrap", "--json", "--config"]).arg(server.config());
    command.arg("--data").arg(server.data()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

async fn until_some_are_moved(store: &dyn Store, key: &KeyFile) -> u64 {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let moved = uses(store, key).await;
        if moved > 0 {
            return moved;
        }
        assert!(Instant::now() < until, "nothing was moved in 30 s");
        tokio::task::yield_now().await;
    }
}

async fn uses(store: &dyn Store, key: &KeyFile) -> u64 {
    let uses = store.data_key_uses().await.expect("counted");
    let own = *key.ring(&[]).current().id_bytes();
    uses.into_iter().find(|(id, _)| *id == own).map_or(0, |(_, count)| count)
}

/// Neither the database nor its log, nor what the server has printed, has a key in clear.
fn assert_in_no_file(server: &Server, keys: &[Vec<u8>]) {
    let log = server.log().into_bytes();
    let keys: HashSet<&[u8]> = keys.iter().map(|key| &key[..32]).collect();
    for bytes in [server.stored(), log] {
        assert!(!bytes.windows(32).any(|run| keys.contains(run)), "a key is in clear");
    }
}

fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("waited");
}
