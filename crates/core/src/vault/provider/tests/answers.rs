//! What a token endpoint answers, and what of it is kept.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{NOW, Setup, answer, json as as_json, small};
use crate::model::Scope;
use crate::outbound::Response;
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::FailureClass;

fn in_seconds(seconds: u32) -> Option<Timestamp> {
    Some(NOW.plus(Seconds(seconds)))
}

#[test]
fn an_answer_of_google_is_read_whole() {
    let google = Setup::built_in("google");
    let got = google.good(&json!({
        "access_token": "ya29.a0",
        "expires_in": 3599,
        "refresh_token": "1//0g",
        "refresh_token_expires_in": 604_799,
        "scope": "openid email https://www.googleapis.com/auth/calendar profile",
        "token_type": "Bearer",
        "id_token": "e30.e30.x",
    }));
    assert_eq!((got.access_token.as_str(), got.token_type.as_str()), ("ya29.a0", "Bearer"));
    assert_eq!(got.refresh_token.as_ref().map(|own| own.as_str()), Some("1//0g"));
    assert_eq!(got.id_token.as_ref().map(|own| own.as_str()), Some("e30.e30.x"));
    assert_eq!(got.expires_at, in_seconds(3599));
    assert_eq!(got.refresh_expires_at, in_seconds(604_799));
    let scope = got.scope.expect("it says");
    assert!(scope.contains("https://www.googleapis.com/auth/userinfo.email"), "{scope}");
    assert!(scope.contains("openid") && !scope.contains("email"), "{scope}");
    assert_eq!(got.raw["access_token"], "ya29.a0");
}

#[test]
fn a_lifetime_is_read_however_it_is_written() {
    let own = Setup::own(&small("response.expires_default = \"2h\""));
    let at = |value: Value| own.good(&json!({"access_token": "a", "expires_in": value})).expires_at;
    for (value, seconds) in [
        (json!(3600), 3_600),
        (json!(3599.9), 3_599),
        (json!("3600"), 3_600),
        (json!(" 3600.0 "), 3_600),
        (json!("1e3"), 1_000),
        (json!(1e300), u32::MAX),
    ] {
        assert_eq!(at(value.clone()), in_seconds(seconds), "{value}");
    }
    for value in [
        json!(0),
        json!(-1),
        json!("-5"),
        json!(0.4),
        json!("soon"),
        json!(""),
        json!(null),
        json!([1]),
    ] {
        assert_eq!(at(value.clone()), in_seconds(7_200), "{value}: as the description says");
    }
    assert_eq!(own.good(&json!({"access_token": "a"})).expires_at, in_seconds(7_200));
}

#[test]
fn nothing_but_the_description_makes_a_token_that_never_expires() {
    let silent = Setup::own(&small(""));
    assert_eq!(silent.good(&json!({"access_token": "a"})).expires_at, in_seconds(3_600));
    let never = Setup::own(&small("response.expires_default = \"never\""));
    assert_eq!(never.good(&json!({"access_token": "a"})).expires_at, None);
    assert_eq!(
        never.good(&json!({"access_token": "a", "expires_in": 60})).expires_at,
        in_seconds(60)
    );
    // One that can be refreshed, with a lifetime that makes no sense, is refreshed.
    let odd = never.good(&json!({"access_token": "a", "refresh_token": "r", "expires_in": 0}));
    assert_eq!(odd.expires_at, in_seconds(3_600));
    assert_eq!(never.good(&json!({"access_token": "a", "expires_in": 0})).expires_at, None);
}

#[test]
fn a_lifetime_has_the_unit_that_the_description_says() {
    let now = NOW.epoch();
    for (unit, value) in [
        ("milliseconds", json!(90_000)),
        ("epoch_seconds", json!(now + 90)),
        ("epoch_milliseconds", json!((now + 90) * 1_000)),
    ] {
        let own = Setup::own(&small(&format!("response.expires_unit = \"{unit}\"")));
        let got = own.good(&json!({"access_token": "a", "expires_in": value}));
        assert_eq!(got.expires_at, in_seconds(90), "{unit}");
    }
    let past = Setup::own(&small("response.expires_unit = \"epoch_seconds\""));
    let got = past.good(&json!({"access_token": "a", "expires_in": now - 90}));
    assert_eq!(got.expires_at, in_seconds(3_600), "a moment that has passed says nothing");
}

#[test]
fn an_empty_refresh_token_is_none() {
    let own = Setup::own(&small(""));
    for value in [json!(""), json!(null), json!(7), json!("a b"), json!("a\nb")] {
        let got = own.good(&json!({"access_token": "a", "refresh_token": value}));
        assert_eq!(got.refresh_token, None, "{value}");
    }
    let off = Setup::own(&small("refresh.supported = false"));
    assert_eq!(off.good(&json!({"access_token": "a", "refresh_token": "r"})).refresh_token, None);
}

#[test]
fn a_refresh_token_lives_as_the_answer_says_or_else_the_description() {
    let own = Setup::own(&small("refresh.lifetime = \"60d\""));
    let got = own.good(&json!({"access_token": "a", "refresh_token": "r"}));
    assert_eq!(got.refresh_expires_at, Some(NOW.plus(Seconds::days(60))));
    let body = json!({"access_token": "a", "refresh_token": "r", "refresh_token_expires_in": "60"});
    assert_eq!(own.good(&body).refresh_expires_at, in_seconds(60));
    assert_eq!(own.good(&json!({"access_token": "a"})).refresh_expires_at, None, "the old one");
}

#[test]
fn scopes_are_read_as_the_provider_separates_them() {
    let commas = Setup::own(&small("scopes.separator = \",\""));
    let got = commas.good(&json!({"access_token": "a", "scope": "read, write,,read"}));
    assert_eq!(got.scope.expect("told").as_str(), "read write");
    let other = Setup::own(&small("scopes.answer_separator = \",\""));
    let got = other.good(&json!({"access_token": "a", "scope": "read,write"}));
    assert_eq!(got.scope.expect("told").as_str(), "read write");
    let own = Setup::own(&small(""));
    let got = own.good(&json!({"access_token": "a", "scope": ["read", 7, "wr\"ite"]}));
    assert_eq!(got.scope.expect("told").as_str(), "read 7", "names that are none are dropped");
    for none in [json!(""), json!([])] {
        let got = own.good(&json!({"access_token": "a", "scope": none}));
        assert_eq!(got.scope, Some(Scope::default()), "it says that nothing is granted");
    }
    for silent in [json!({"access_token": "a"}), json!({"access_token": "a", "scope": {"a": 1}})] {
        assert_eq!(own.good(&silent).scope, None);
    }
    let unread = Setup::own(&small("scopes.echoed = false"));
    assert_eq!(unread.good(&json!({"access_token": "a", "scope": "read"})).scope, None);
}

#[test]
fn tokens_are_where_the_description_says() {
    let nested = Setup::own(&small(
        "response.root = [\"/data\", \"\"]\nresponse.access_token = \"/token/access\"",
    ));
    let got = nested.good(&json!({"data": {"token": {"access": "a"}, "expires_in": 60}}));
    assert_eq!((got.access_token.as_str(), got.expires_at), ("a", in_seconds(60)));
    assert_eq!(nested.good(&json!({"token": {"access": "b"}})).access_token.as_str(), "b");
    let none = nested.bad(&as_json(200, &json!({"access_token": "a"})));
    assert_eq!(none.class, FailureClass::UnknownOutcome);
}

#[test]
fn forms_are_read_when_the_description_says_so() {
    let body = "access_token=gho_1&scope=repo%2Cgist&token_type=bearer";
    let form = answer(200, "application/x-www-form-urlencoded; charset=utf-8", body);
    for format in ["form", "any"] {
        let text = format!("response.format = \"{format}\"\nscopes.answer_separator = \",\"");
        let got = Setup::own(&small(&text)).tokens(&form).expect("tokens");
        assert_eq!(got.access_token.as_str(), "gho_1");
        assert_eq!(got.scope.expect("told").as_str(), "repo gist");
    }
    let strict = Setup::own(&small(""));
    assert_eq!(strict.bad(&form).class, FailureClass::UnknownOutcome);
    let any = Setup::own(&small("response.format = \"any\""));
    let failed = answer(200, "text/plain", "error=invalid_grant&error_description=over+there");
    assert_eq!(any.bad(&failed).class, FailureClass::GrantDead);
}

#[test]
fn the_content_type_decides_nothing_that_the_body_says() {
    let own = Setup::own(&small(""));
    let body = r#"{"access_token": "a"}"#;
    for content_type in
        ["text/plain", "application/octet-stream", "application/json; charset=utf-8"]
    {
        assert!(own.tokens(&answer(200, content_type, body)).is_ok(), "{content_type}");
    }
    let bare = Response { content_type: None, ..answer(200, "", body) };
    assert!(own.tokens(&bare).is_ok());
}

#[test]
fn what_the_provider_tells_of_itself_is_kept_if_it_may_be() {
    let text = small(
        "[variables.instance_url]\nfrom = \"answer\"\nform = \"origin\"\nhosts = [\"*.own.example\"]",
    );
    let mut own = Setup::own(&text);
    let told = |own: &Setup, url: &str| {
        let got = own.good(&json!({"access_token": "a", "instance_url": url}));
        got.variables.get("instance_url").cloned()
    };
    assert_eq!(told(&own, "https://na1.own.example/").as_deref(), Some("https://na1.own.example"));
    for evil in [
        "https://own.example.evil.example",
        "https://evil.example/.own.example",
        "https://na1.own.example@evil.example",
        "https://na1.own.example:8443",
        "http://na1.own.example",
        "https://na1.own.example/path",
        "https://na1.own.example?x",
        "https://evil.example#.own.example",
        "https://evil.example\\.own.example",
        "https://evilown.example",
        "",
    ] {
        assert_eq!(told(&own, evil), None, "{evil}");
    }
    own.variables.insert("instance_url".to_owned(), "https://na2.own.example".to_owned());
    let kept = own.good(&json!({"access_token": "a"})).variables;
    assert_eq!(kept["instance_url"], "https://na2.own.example", "an answer that is silent");
    assert_eq!(told(&own, "https://evil.example").as_deref(), Some("https://na2.own.example"));
}

static FORMATS: LazyLock<[Setup; 3]> = LazyLock::new(|| {
    ["json", "form", "any"].map(|own| Setup::own(&small(&format!("response.format = \"{own}\""))))
});

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        status in 100_u16..600,
        body in prop::collection::vec(any::<u8>(), 0..300),
        format in 0_usize..3,
    ) {
        let own = &FORMATS[format];
        let answer = Response {
            status, content_type: None, retry_after: None, body: Zeroizing::new(body),
        };
        if let Err(failure) = own.tokens(&answer) {
            prop_assert!(failure.detail.chars().count() <= 300);
            prop_assert!(!failure.detail.contains(char::is_control));
        }
        let _ = own.provider().revoked(&answer);
    }

    #[test]
    fn any_members_are_read_or_refused(
        status in 100_u16..600,
        name in "(access_token|refresh_token|expires_in|scope|error|error_description|ok|retry_after)",
        text in ".{0,60}",
        number in any::<f64>(),
        which in 0..4,
    ) {
        let own = &FORMATS[0];
        let value = match which {
            0 => json!(text), 1 => json!(number), 2 => json!([text]), _ => json!({"a": text}),
        };
        let mut body = json!({"access_token": "abcdefgh-1234567890"});
        body[name.as_str()] = value;
        if let Err(failure) = own.tokens(&as_json(status, &body)) {
            prop_assert!(!failure.detail.contains("abcdefgh-1234567890"));
            prop_assert!(failure.error.is_none_or(|own| own.bytes().all(|b| b.is_ascii_graphic())));
        }
    }
}
