//! curl at the demo, as a person types it into a terminal.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cli::{Ran, run};
use crate::support::demo::Demo;
use crate::support::html;

/// A terminal: `$AS` is the demo's address, `$JAR` a file for curl's cookies.
struct Terminal {
    demo: Demo,
    folder: TempDir,
}

impl Terminal {
    fn new() -> Self {
        Self { demo: Demo::start(), folder: tempfile::tempdir().expect("a folder") }
    }

    fn run(&self, line: &str) -> Ran {
        let mut command = Command::new("bash");
        command.args(["-uec", line]).current_dir(self.folder.path());
        command.env("AS", &self.demo.issuer).env("JAR", "jar").env("PASSWORD", &self.demo.password);
        run(&mut command, "")
    }

    /// What a line printed.
    #[track_caller]
    fn types(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran.out
    }

    /// The same as JSON.
    #[track_caller]
    fn answers(&self, line: &str) -> Value {
        let out = self.types(line);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"))
    }

    /// Signs the demo account in, with the form's CSRF token.
    fn signs_in(&self) {
        let out = self.types(
            r#"token=$(curl -s -c $JAR -b $JAR "$AS/login?method=password" |
                 sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p')
               curl -s -c $JAR -b $JAR -o /dev/null -w '%{http_code}' $AS/login -d "csrf=$token" \
                 -d method=password -d username=demo_user --data-urlencode "password=$PASSWORD""#,
        );
        assert_eq!(out, "303");
    }

    /// Allows what the consent page at a path asks.
    fn allows(&self, path: &str) -> String {
        self.types(&format!(
            r#"page='{path}'
               token=$(curl -s -b $JAR "$AS$page" |
                 sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p')
               curl -s -b $JAR -o /dev/null -w '%{{redirect_url}}' $AS/consent \
                 -d "csrf=$token" -d "request=${{page#*request=}}" -d decision=allow"#,
        ))
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

/// Where a verbose curl was sent.
fn location(ran: &Ran) -> &str {
    let line = ran.err.lines().find_map(|line| line.strip_prefix("< location: "));
    line.unwrap_or_else(|| panic!("no location: {ran:?}")).trim()
}

#[test]
fn an_application_registers_and_gets_a_code_a_token_and_the_data() {
    let terminal = Terminal::new();
    let made = terminal.answers(
        r#"curl -s -X POST $AS/register -d "client_id=client_id_123" -d "client_secret=secret_abc" \
             -d "redirect_uri=$AS/callback" -d "grant_types=authorization_code""#,
    );
    assert_eq!(
        (text(&made, "client_id"), text(&made, "client_secret")),
        ("client_id_123", "secret_abc")
    );

    let ask = r#"curl -c $JAR -b $JAR -X POST $AS/authorize -d "client_id=client_id_123" \
                   -d "redirect_uri=$AS/callback" -d "response_type=code" -d "scope=read" -v"#;
    let ran = terminal.run(ask);
    assert!(location(&ran).contains("/login?request="), "nobody is signed in: {ran:?}");
    terminal.signs_in();
    let ran = terminal.run(ask);
    let back = terminal.allows(location(&ran));
    assert!(back.starts_with(&format!("{}/callback?code=", terminal.demo.issuer)), "{back}");
    let shown = terminal.types(&format!("curl -s '{back}'"));
    assert!(shown.contains("client_id=client_id_123"), "the page shows how to redeem it:\n{shown}");
    let command = html::unescape(&shown);
    let command = command.split_once("<pre").and_then(|(_, rest)| rest.split_once('>'));
    let (command, _) = command.expect("a command").1.split_once("</pre>").expect("its end");
    let redeem = command.replace("YOUR_CLIENT_SECRET", "secret_abc");
    let tokens = terminal.answers(&redeem);
    let token = text(&tokens, "access_token");
    let get = format!("curl -s $AS/protected -H 'Authorization: Bearer {token}'");
    assert_eq!(terminal.answers(&get), json!({ "data": "This is protected data" }));
    assert_eq!(text(&terminal.answers(&redeem), "error"), "invalid_grant");
    assert_eq!(text(&terminal.answers(&get), "error"), "invalid_token");

    // Agreed once; from now on the same line answers with a code, which is redeemed by hand.
    let ran = terminal.run(ask);
    let code = location(&ran).split(['=', '&']).nth(1).expect("a code");
    let tokens = terminal.answers(&format!(
        "curl -s -X POST $AS/token -d grant_type=authorization_code -d code={code} \
           -d client_id=client_id_123 -d client_secret=secret_abc -d redirect_uri=$AS/callback",
    ));
    assert_eq!(text(&tokens, "scope"), "read");
}

#[test]
fn a_machine_gets_a_token_and_refreshes_it_until_the_count_ends() {
    let terminal = Terminal::new();
    let made = terminal.answers("curl -s -X POST $AS/create-client");
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let token = |grant: &str| {
        format!(
            "curl -s -X POST $AS/token -d grant_type={grant} \
               -d client_id={id} -d client_secret={secret}"
        )
    };
    let first = terminal.answers(&token("client_credentials"));
    assert_eq!((text(&first, "scope"), first["expires_in"].as_u64()), ("read", Some(3600)));
    let secure = |token: &str| {
        terminal.answers(&format!("curl -s $AS/api-secure-data -H 'Authorization: Bearer {token}'"))
    };
    assert_eq!(secure(text(&first, "access_token")), json!({ "data": "This is protected data" }));
    let mut last = first.clone();
    for _ in 0..5 {
        let refresh = text(&last, "refresh_token").to_owned();
        last = terminal.answers(&format!("{} -d refresh_token={refresh}", token("refresh_token")));
        assert_eq!(secure(text(&last, "access_token"))["data"], "This is protected data");
        assert_eq!(text(&secure(text(&first, "access_token")), "error"), "invalid_token");
    }
    let refresh = last["refresh_token"].as_str().unwrap_or_else(|| text(&first, "refresh_token"));
    let ended = terminal.answers(&format!("{} -d refresh_token={refresh}", token("refresh_token")));
    assert_eq!(text(&ended, "error"), "invalid_grant");
}

#[test]
fn errors_have_a_message() {
    let terminal = Terminal::new();
    let made = terminal.answers("curl -s -X POST $AS/create-client");
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let client = format!("-d client_id={id} -d client_secret={secret}");
    for (line, status, error) in [
        (format!("$AS/token -d grant_type=xyz {client}"), "400", "unsupported_grant_type"),
        (
            format!(
                "$AS/token -d grant_type=client_credentials -d client_id={id} -d client_secret=x"
            ),
            "401",
            "invalid_client",
        ),
        (format!("$AS/token {client}"), "400", "invalid_request"),
        ("$AS/api-secure-data".to_owned(), "401", "missing_token"),
        ("$AS/api-secure-data -H 'Authorization: Bearer x'".to_owned(), "401", "invalid_token"),
    ] {
        let out = terminal.types(&format!("curl -s -w '\\n%{{http_code}}' {line}"));
        let (body, code) = out.rsplit_once('\n').expect("two lines");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((code, text(&body, "error")), (status, error), "{line}");
        assert!(!text(&body, "message").is_empty(), "{line}");
    }
}

#[test]
fn a_machine_that_asks_too_often_is_told_when_to_come_back() {
    let terminal = Terminal::new();
    let made = terminal.answers("curl -s -X POST $AS/create-client");
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let line = format!(
        "curl -s -i -X POST $AS/token -d grant_type=client_credentials \
           -d client_id={id} -d client_secret={secret}"
    );
    // Ten at once; on a slow machine the minute goes on meanwhile.
    let answers: Vec<String> = (0..30).map(|_| terminal.types(&line)).collect();
    let refused = answers.iter().position(|out| !out.starts_with("HTTP/1.1 200"));
    let refused = refused.expect("thirty are too many");
    assert!(refused >= 10, "the first {refused} of ten");
    let out = &answers[refused];
    assert!(out.starts_with("HTTP/1.1 429") && out.contains("\nretry-after: "), "{out}");
    assert!(
        out.contains(r#""error":"too_many_requests""#) && out.contains(r#""message""#),
        "{out}"
    );
}
