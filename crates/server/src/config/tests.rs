//! Settings from every source, and what is said about wrong ones.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::{Allowed, Config, Loader, Period, Problems, TokenMode, reference, schema};

fn from_text(text: &str) -> Result<Config, Problems> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("the file is written");
    Loader::new().file(file.path()).load()
}

fn complaints(text: &str) -> Vec<String> {
    let problems = from_text(text).expect_err("these settings are wrong");
    problems.0.iter().map(ToString::to_string).collect()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn nothing_has_to_be_set() {
    let config = Loader::new().load().expect("the defaults are valid");
    assert_eq!(config.issuer(), "http://localhost:5050");
    assert!(config.mail.smtp.is_none() && config.listen.trusted_proxies.is_empty());
    assert!(!config.sign_in.sign_up && !config.sample_api.enabled);
}

#[test]
fn later_sources_override_earlier_ones() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(file, "[listen]\nport = 1\nheaders = 50\n[lifetimes]\ncode = \"30s\"").expect("written");
    let env = variables(&[
        ("GRANTOR__LISTEN__PORT", "2"),
        ("GRANTOR__SIGN_IN__ADMIN_TOKEN__ALLOWED", "a@example.com, @Example.org"),
        ("GRANTOR__SAMPLE_API__ENABLED", "true"),
        ("GRANTOR__SCOPES__INVOICES", "Read invoices"),
        ("GRANTOR__MAIL__SMTP__HOST", "mail.example.com"),
        ("GRANTOR__MAIL__SMTP__FROM", "Example <no-reply@example.com>"),
        ("GRANTOR_DATA", "ignored here"),
    ]);
    let loader = Loader::new().set("sample_api.enabled", false).file(file.path());
    let config = loader.environment(env).set("listen.port", 3).load().expect("valid");
    assert_eq!((config.listen.port, config.listen.headers), (3, 50));
    assert_eq!(config.lifetimes.code, Period::of(30));
    assert!(config.sample_api.enabled);
    assert_eq!(config.sign_in.admin_token.allowed[1], Allowed::Domain("example.org".into()));
    assert_eq!(config.scopes["invoices"], "Read invoices");
    assert_eq!(config.mail.smtp.expect("from the environment").effective_port(), 587);
}

#[test]
fn all_problems_are_reported_at_once_with_their_paths() {
    let found = complaints(
        r#"
        issuer = "http://login.example.com/x"
        colour = "red"
        [listen]
        port = "abc"
        trusted_proxies = ["10.0.0.0/8", "10.0.0.0/99"]
        metrics = "5059"
        [lifetimes]
        code = "1w"
        session_idle = "90d"
        [sign_in]
        methods = ["passkey"]
        [mail.smtp]
        from = "not an address"
        [log]
        format = "xml"
        "#,
    );
    let paths: BTreeSet<&str> = found.iter().filter_map(|f| f.split(':').next()).collect();
    let expected = [
        "colour",
        "issuer",
        "lifetimes.code",
        "lifetimes.session_idle",
        "listen.metrics",
        "listen.port",
        "listen.trusted_proxies[2]",
        "log.format",
        "mail.smtp.from",
        "mail.smtp.host",
        "sign_in.methods[1]",
    ];
    assert_eq!(paths, BTreeSet::from(expected), "{found:#?}");
    assert!(found.iter().any(|f| f == "log.format: must be one of text, json, not \"xml\""));
}

#[test]
fn wrong_variables_are_named() {
    let env = variables(&[("GRANTOR__LISTEN__PROT", "1"), ("GRANTOR__LISTEN", "1")]);
    let found = Loader::new().environment(env).load().expect_err("both are wrong").to_string();
    assert!(found.contains("GRANTOR__LISTEN__PROT: there is no such setting"), "{found}");
    assert!(found.contains("GRANTOR__LISTEN: is a section"), "{found}");
    let env = variables(&[("GRANTOR__LISTEN__PORT", "70000"), ("GRANTOR__LOG__LEVEL", "loud")]);
    let found = Loader::new().environment(env).load().expect_err("both are wrong").to_string();
    assert!(found.contains("listen.port: must be between 0 and 65535, not 70000"), "{found}");
    assert!(found.contains("log.level: must be one of"), "{found}");
}

#[test]
fn a_static_token_stays_at_home() {
    let local = "[sign_in.admin_token]\nmode = \"static\"\ntoken = \"admin\"\n";
    let config = from_text(local).expect("allowed on this machine");
    assert_eq!(config.sign_in.admin_token.mode, TokenMode::Static);
    assert_eq!(config.static_token().map(super::Secret::expose), Some("admin"));
    let public = format!("issuer = \"https://login.example.com\"\n{local}");
    assert!(complaints(&public)[0].contains("allow_static_token = true"));
    assert!(from_text(&format!("{public}allow_static_token = true")).is_ok());
    assert_eq!(complaints("[sign_in.admin_token]\nmode = \"static\"").len(), 1);
    assert_eq!(complaints("[sign_in.admin_token]\ntoken = \"x\"").len(), 1);
}

#[test]
fn issuers() {
    for fine in ["https://a.example", "https://a.example:8443", "http://127.0.0.1:5050"] {
        assert!(from_text(&format!("issuer = \"{fine}\"")).is_ok(), "{fine}");
    }
    for wrong in [
        "a.example",
        "http://a.example",
        "https://a.example/",
        "https://a.example?x",
        "https://a.example/x",
        "https://a.example#x",
        "https://A.example",
        "https://a.example:443",
        "https://u@a.example",
        "http://localhost.example",
    ] {
        assert!(from_text(&format!("issuer = \"{wrong}\"")).is_err(), "{wrong}");
    }
}

#[test]
fn a_code_lives_ten_minutes_at_most() {
    assert!(from_text("[lifetimes]\ncode = \"10m\"").is_ok());
    assert!(from_text("[lifetimes]\ncode = \"11m\"").is_err());
}

#[test]
fn secrets_come_from_files_and_are_never_printed() {
    let mut secret = tempfile::NamedTempFile::new().expect("a temporary file");
    writeln!(secret, "hunter2").expect("written");
    let smtp = format!(
        "[mail.smtp]\nhost = \"m.example\"\nfrom = \"a@m.example\"\nusername = \"u\"\n\
         password_file = {:?}\n",
        secret.path()
    );
    let config = from_text(&smtp).expect("valid");
    let password = config.mail.smtp.as_ref().and_then(|s| s.password.as_ref());
    assert_eq!(password.map(super::Secret::expose), Some("hunter2"));
    assert!(!config.effective().contains("hunter2") && !format!("{config:?}").contains("hunter2"));
    assert!(config.effective().contains("password = \"[redacted]\""), "{}", config.effective());
    assert!(complaints(&format!("{smtp}password = \"x\""))[0].contains("remove one of the two"));
    let gone = smtp.replace(&secret.path().display().to_string(), "/nowhere/at/all");
    assert!(complaints(&gone)[0].starts_with("mail.smtp.password_file: cannot read /nowhere"));
    assert_eq!(complaints("[keys]\nkey_encryption_key = \"geheim\"").len(), 1);
    assert!(!complaints("[keys]\nkey_encryption_key = \"geheim\"")[0].contains("geheim"));
    let key = from_text(&format!("[keys]\nkey_encryption_key = \"{}\"", "0f".repeat(32)));
    assert_eq!(key.expect("valid").key_encryption_key().as_deref(), Some(&[0x0f; 32]));
}

#[test]
fn keys_that_only_open_come_from_a_list_from_files_and_from_the_environment() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    writeln!(file, "{}", "02".repeat(32)).expect("written");
    let text = format!(
        "[keys]\nretired_key_encryption_keys = [\"{}\"]\nretired_key_encryption_key_files = [{:?}]",
        "01".repeat(32),
        file.path()
    );
    let config = from_text(&text).expect("valid");
    let keys = config.retired_key_encryption_keys();
    assert_eq!(keys.iter().map(|key| key[0]).collect::<Vec<_>>(), [1, 2]);
    assert!(!config.effective().contains("0101") && !config.effective().contains("0202"));
    let list = format!("{},{}", "03".repeat(32), "04".repeat(32));
    let named = variables(&[("GRANTOR__KEYS__RETIRED_KEY_ENCRYPTION_KEYS", &list)]);
    let config = Loader::new().environment(named).load().expect("valid");
    assert_eq!(config.retired_key_encryption_keys().len(), 2);
    for wrong in ["[\"geheim\"]", "\"geheim\"", "[[\"geheim\"]]"] {
        let found = complaints(&format!("[keys]\nretired_key_encryption_keys = {wrong}"));
        assert!(found[0].starts_with("keys.retired_key_encryption_keys"), "{found:?}");
        assert!(!found.join(" ").contains("geheim"), "{found:?}");
    }
    let gone = "[keys]\nretired_key_encryption_key_files = [\"/nowhere/at/all\"]";
    let path = "keys.retired_key_encryption_key_files: cannot read /nowhere/at/all";
    assert!(complaints(gone)[0].starts_with(path), "{:?}", complaints(gone));
}

#[test]
fn effective_settings_are_settings() {
    let config = Loader::new().load().expect("valid");
    let again = from_text(&config.effective()).expect("what is printed can be read");
    assert_eq!(config.effective(), again.effective());
}

#[test]
fn production_needs_are_advice() {
    let named = |config: &Config| -> Vec<_> {
        config.missing_for_production().into_iter().map(|advice| advice.setting).collect()
    };
    let bare = Loader::new().load().expect("valid");
    for setting in ["issuer", "mail.smtp", "sign_in.admin_token.allowed", "listen.tls", "data"] {
        assert!(named(&bare).contains(&setting), "{setting}");
    }
    let set_up = from_text(
        "issuer = \"https://login.example.com\"\nlisten.trusted_proxies = [\"127.0.0.1\"]\n\
         sign_in.admin_token.allowed = [\"example.com\"]\n\
         [mail.smtp]\nhost = \"m.example\"\nfrom = \"a@m.example\"\n",
    );
    let left = named(&set_up.expect("valid"));
    assert_eq!(left, ["listen.metrics", "keys.key_encryption_key_file", "data"]);
}

#[test]
fn every_setting_is_explained() {
    let text = reference();
    assert!(text.contains("GRANTOR__MAIL__SMTP__PASSWORD_FILE"), "{text}");
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        assert!(!line.ends_with("|  |"), "no text: {line}");
    }
    assert_eq!(schema()["properties"]["listen"]["additionalProperties"], false);
}

#[test]
fn a_sign_in_page_of_the_operator_has_an_address_and_a_secret() {
    let page = |url: &str, secret: &str| {
        format!(
            "[sign_in]\nmethods = [\"external\"]\n[sign_in.external]\nurl = \"{url}\"\nsecret = \"{secret}\""
        )
    };
    let secret = "0123456789abcdef0123456789abcdef";
    for url in ["https://login.example.com/start?tenant=1", "http://127.0.0.1:5060/"] {
        let config = from_text(&page(url, secret)).expect("valid");
        let external = config.sign_in.external.as_ref().expect("set");
        assert_eq!((external.url.as_str(), external.lifetime), (url, Period::of(600)));
        assert!(!config.effective().contains(secret) && !format!("{config:?}").contains(secret));
    }
    for url in [
        "http://login.example.com/",
        "login.example.com",
        "https://u:p@x.example/",
        "https://x.example/#a",
    ] {
        let found = complaints(&page(url, secret));
        assert!(
            found.iter().any(|own| own.starts_with("sign_in.external.url: must be")),
            "{found:?}"
        );
    }
    let found = complaints(&page("https://login.example.com/", "short"));
    assert!(found[0].starts_with("sign_in.external.secret: has to be set"), "{found:?}");
    let found = complaints("[sign_in]\nmethods = [\"external\"]");
    assert!(found[0].starts_with("sign_in.methods: names external"), "{found:?}");
    let found = complaints("[sign_in]\nmethods = [\"magic\"]");
    let known = "must be one of admin_token, password, external";
    assert!(found[0].contains(known), "{found:?}");
}

#[test]
fn an_integration_needs_a_client_id_and_a_secret_may_be_in_a_file() {
    let mut secret = tempfile::NamedTempFile::new().expect("a temporary file");
    writeln!(secret, "of the file").expect("written");
    let config = from_text(&format!(
        "[integrations.google]\nclient_id = \"id\"\nclient_secret_file = {:?}",
        secret.path()
    ))
    .expect("valid");
    let own = &config.integrations["google"];
    assert_eq!(own.client_secret.as_ref().map(super::Secret::expose), Some("of the file"));
    assert!(own.self_service && !own.link && !own.proxy);

    let found = complaints(
        "[integrations.Google]\nclient_id = \" \"\nscopes = [\"a\", \"b c\"]\nrequired_scopes = [\"d\"]\n\
         [integrations.other]\n[vault]\nreturn_urls = [\"http://app.example.com\"]\npatience = \"0s\"",
    );
    let paths: BTreeSet<&str> = found.iter().filter_map(|f| f.split(':').next()).collect();
    let expected = [
        "integrations.Google",
        "integrations.Google.client_id",
        "integrations.Google.required_scopes",
        "integrations.Google.scopes",
        "integrations.other.client_id",
        "vault.patience",
        "vault.return_urls",
    ];
    assert_eq!(paths, BTreeSet::from(expected), "{found:#?}");
    let text = "names d, which is not asked for: add it to scopes";
    assert!(found.iter().any(|own| own.ends_with(text)), "{found:#?}");
}

#[test]
fn a_webhook_goes_where_requests_may_go() {
    let with = |url: &str, rest: &str| {
        let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        format!("[webhooks.ops]\nurl = {url:?}\nsecret = \"{key}\"\n[outbound]\n{rest}")
    };
    for (url, rest) in [
        ("http://ops", ""),
        ("http://ops.example.com", "allow_private = true"),
        ("http://ops.example.com", "allowed_hosts = [\"other.example.com\"]"),
        ("https://10.0.0.7/hook", ""),
        ("https://[::1]/hook", ""),
        ("https://user:secret@ops.example.com", ""),
    ] {
        let found = complaints(&with(url, rest)).join("\n");
        assert!(found.contains("webhooks.ops.url: cannot be called"), "{url}: {found}");
    }
    for (url, rest) in [
        ("http://ops", "allowed_hosts = [\"OPS\"]"),
        ("http://10.0.0.7:8080/hook", "allowed_hosts = [\"10.0.0.7\"]"),
        ("https://10.0.0.7/hook", "allow_private = true"),
        ("https://ops.internal/hook", ""),
    ] {
        from_text(&with(url, rest)).expect(url);
    }
}

#[test]
fn a_webhook_needs_a_key_and_knows_its_events() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let good =
        format!("[webhooks.ops]\nurl = \"https://ops.example.com/hook\"\nsecret = \"{key}\"");
    let config = from_text(&good).expect("valid");
    assert_eq!(Config::webhook_keys(&config.webhooks["ops"]).concat().len(), 24);

    let two = from_text(&good.replace(key, &format!("{key} {key}"))).expect("valid");
    assert_eq!(Config::webhook_keys(&two.webhooks["ops"]).len(), 2);
    let found = complaints(&good.replace(key, &format!("{key} short")));
    assert!(found.join("\n").contains("webhooks.ops.secret"), "{found:?}");

    let found = complaints(
        "[webhooks.ops]\nurl = \"ftp://ops.example.com\"\nsecret = \"short\"\nevents = [\"connected\"]",
    );
    let text = found.join("\n");
    for part in ["webhooks.ops.url", "webhooks.ops.secret", "connection.connected"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
