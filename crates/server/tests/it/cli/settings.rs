//! `grantor config`, the file and the environment.

use std::process::Command;

use crate::support::Server;
use crate::support::cli::{grantor, run};
use crate::support::server::GRANTOR;

#[test]
fn check_prints_the_settings_without_secrets() {
    let server = Server::setup().set("mail.smtp.host", "smtp.example").prepare();
    let text = std::fs::read_to_string(server.config()).expect("readable");
    let text = text.replace(
        "[mail.smtp]",
        "[mail.smtp]\nfrom = \"a@example.com\"\nusername = \"u\"\npassword = \"smtp-password-1\"",
    );
    std::fs::write(server.config(), text).expect("written");
    server.seen.add("smtp-password-1");
    let shown = server.cli().ok(&["config", "check"]);
    assert!(shown.contains("smtp.example") && shown.contains("access_token = \"1h\""), "{shown}");
    let json = server.cli().ok(&["config", "check", "--json"]);
    for output in [shown, json] {
        assert!(server.seen.found_in(output.as_bytes()).is_empty(), "{output}");
    }
}

#[test]
fn every_problem_is_reported_at_once_with_its_path() {
    let server = Server::setup()
        .set("listen.port", 70_000)
        .set("lifetimes.code", "soon")
        .set("sign_in.methodz", vec!["password"])
        .set("issuer", "http://login.example.com/x")
        .prepare();
    let ran = server.cli().run(&["config", "check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for path in ["listen.port", "lifetimes.code", "sign_in.methodz", "issuer"] {
        assert!(ran.err.contains(path), "{path} is missing: {}", ran.err);
    }
    let serve = server.cli().run(&["serve"]);
    assert_eq!((serve.code, serve.err), (Some(1), ran.err), "serve says the same");
}

#[test]
fn an_integration_that_does_not_fit_its_provider_is_named_before_the_start() {
    let server = Server::setup().prepare();
    let text = std::fs::read_to_string(server.config()).expect("readable");
    let integrations = "
        [integrations.support]
        provider = \"zendesk\"
        client_id = \"a\"
        client_secret = \"b\"
        [integrations.teams]
        provider = \"microsoft\"
        client_id = \"a\"
        client_secret = \"b\"
        variables = { tenant = \"a/../b\" }
        [integrations.gogle]
        client_id = \"a\"
        [integrations.asana]
        client_id = \"a\"
        grant = \"client_credentials\"
    ";
    std::fs::write(server.config(), text + integrations).expect("written");
    let ran = server.cli().run(&["config", "check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for says in [
        "integrations.support: variables.subdomain is not set",
        "integrations.teams: variables.tenant is refused",
        "integrations.gogle: there is no provider \"gogle\"",
        "integrations.asana: asana cannot do this kind",
        "integrations.asana: client_secret is not set",
    ] {
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
    let serve = server.cli().run(&["serve"]);
    assert_eq!((serve.code, serve.err), (Some(1), ran.err), "serve says the same");
}

#[test]
fn the_environment_overrides_the_file_and_options_override_both() {
    let server = Server::setup().prepare();
    let elsewhere = server.folder().join("elsewhere");
    let mut command = Command::new(GRANTOR);
    command.args(["config", "check", "--json", "--config"]).arg(server.config());
    command.env("GRANTOR__LIFETIMES__CODE", "30s").env("GRANTOR__DATA", "/from/environment");
    command.env("GRANTOR_DATA", &elsewhere);
    let ran = run(&mut command, "");
    let json: serde_json::Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!(json["lifetimes"]["code"], "30s");
    assert_eq!(json["data"], elsewhere.display().to_string());

    let mut command = Command::new(GRANTOR);
    command.args(["config", "check"]).env("GRANTOR__LISTEN__PROT", "1");
    let ran = run(&mut command, "");
    assert_eq!(ran.code, Some(1), "a misspelt variable is a problem: {ran:?}");
    assert!(
        ran.err.contains("GRANTOR__LISTEN__PROT") || ran.err.contains("listen.prot"),
        "{}",
        ran.err
    );
}

#[test]
fn schema_and_reference_come_from_the_code() {
    let schema = grantor(&["config", "schema"]);
    let json: serde_json::Value = serde_json::from_str(&schema.out).expect("JSON");
    assert!(json["properties"]["lifetimes"].is_object(), "{json}");
    let reference = grantor(&["config", "reference"]);
    for key in ["lifetimes", "access_token", "trusted_proxies", "GRANTOR__"] {
        assert!(reference.out.contains(key), "{key}");
    }
}

#[tokio::test]
async fn with_no_file_serve_makes_what_it_needs_and_says_what_is_missing() {
    let mut server = Server::setup().in_a_file().set("sign_in.sign_up", false).prepare();
    // Only where it listens: the default port may be taken on this machine.
    let text = format!("[listen]\nport = {}\naddress = [\"127.0.0.1\"]\n", server.port);
    std::fs::write(server.config(), text).expect("written");
    server.start_again().await;
    for file in ["grantor.db", "key-encryption.key"] {
        assert!(server.data().join(file).exists(), "{file}");
    }
    let log = server.log();
    for setting in ["issuer", "listen.tls", "mail.smtp"] {
        assert!(log.contains(setting), "{setting} is not named as needed: {log}");
    }
    let probe = server.probe();
    let at = |path: &str| server.request(crate::support::client().get(format!("{probe}{path}")));
    assert_eq!(at("/mailbox").await.status, 404, "no mailbox");
    assert_eq!(at("/protected").await.status, 404, "no sample API");
    assert_eq!(server.sql("SELECT count(*) FROM user_account"), "0", "no demo account");
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "0", "no demo client");
}
