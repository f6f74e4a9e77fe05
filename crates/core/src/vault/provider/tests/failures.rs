//! What each failed answer means, and what of it is shown.

use serde_json::{Value, json};

use super::{Setup, answer, json as as_json, small};
use crate::outbound::{CallError, Response};
use crate::time::Seconds;
use crate::vault::answer::{FailureClass, ProviderFailure};

fn class(status: u16, body: &Value) -> FailureClass {
    Setup::built_in("google").bad(&as_json(status, body)).class
}

#[test]
fn a_grant_that_is_over() {
    let google = Setup::built_in("google");
    let body = json!({"error": "invalid_grant", "error_subtype": "invalid_rapt",
        "error_description": "reauth related error (invalid_rapt)"});
    let failure = google.bad(&as_json(400, &body));
    assert_eq!(failure.class, FailureClass::GrantDead);
    assert_eq!(failure.error.as_deref(), Some("invalid_grant"));
    assert_eq!(failure.error_subtype.as_deref(), Some("invalid_rapt"));
    assert_eq!(failure.detail, "status 400: invalid_grant: reauth related error (invalid_rapt)");
    // Whatever the status is.
    for status in [200, 400, 401, 403] {
        assert_eq!(class(status, &json!({"error": "invalid_grant"})), FailureClass::GrantDead);
    }
    assert_eq!(class(400, &json!({"error": "admin_policy_enforced"})), FailureClass::GrantDead);
}

#[test]
fn our_client_is_refused() {
    for (status, error) in [
        (401, "invalid_client"),
        (400, "invalid_client"),
        (401, "deleted_client"),
        (400, "unauthorized_client"),
        (401, "something_else"),
        (200, "invalid_client"),
    ] {
        assert_eq!(class(status, &json!({"error": error})), FailureClass::ClientBroken, "{error}");
    }
    assert_eq!(class(401, &json!({})), FailureClass::ClientBroken);
    let google = Setup::built_in("google");
    assert_eq!(google.bad(&answer(401, "text/plain", "no")).class, FailureClass::ClientBroken);
    let api = json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Who?"}});
    let failure = google.bad(&as_json(401, &api));
    assert_eq!(failure.class, FailureClass::ClientBroken);
    assert_eq!(failure.error.as_deref(), Some("UNAUTHENTICATED"));
    assert!(failure.detail.contains("Who?"), "{}", failure.detail);
}

#[test]
fn the_request_is_refused() {
    for error in ["invalid_scope", "invalid_request", "unsupported_grant_type", "never_heard_of"] {
        assert_eq!(class(400, &json!({"error": error})), FailureClass::BadRequest, "{error}");
        assert_eq!(class(200, &json!({"error": error})), FailureClass::BadRequest, "{error}");
    }
    let google = Setup::built_in("google");
    assert_eq!(google.bad(&answer(302, "text/plain", "")).class, FailureClass::BadRequest);
    assert_eq!(google.bad(&answer(404, "text/plain", "no")).class, FailureClass::BadRequest);
}

#[test]
fn we_are_too_fast() {
    let google = Setup::built_in("google");
    let slow = Response {
        retry_after: Some(Seconds(17)),
        ..answer(429, "text/html", "<html>Too many requests</html>")
    };
    let failure = google.bad(&slow);
    assert_eq!((failure.class, failure.retry_after), (FailureClass::Throttled, Some(Seconds(17))));
    let told = google.bad(&as_json(429, &json!({"error": "x", "retry_after": 2.3})));
    assert_eq!(told.retry_after, Some(Seconds(3)));
    assert_eq!(class(429, &json!({"error": "invalid_grant"})), FailureClass::Throttled);
    assert_eq!(class(400, &json!({"error": "slow_down"})), FailureClass::Throttled);
    let own = Setup::own(&small("response.errors.throttled = [\"ratelimited\"]"));
    let failure = own.bad(&as_json(200, &json!({"error": "ratelimited", "retry_after": "30"})));
    assert_eq!((failure.class, failure.retry_after), (FailureClass::Throttled, Some(Seconds(30))));
}

#[test]
fn the_provider_has_trouble() {
    let google = Setup::built_in("google");
    for status in [500, 502, 503, 504, 408] {
        assert_eq!(
            google.bad(&answer(status, "text/html", "<h1>Oh</h1>")).class,
            FailureClass::Transient
        );
        assert_eq!(class(status, &json!({"error": "internal_failure"})), FailureClass::Transient);
        assert_eq!(class(status, &json!({"error": "invalid_grant"})), FailureClass::Transient);
    }
    // A page for people comes from a gateway, whatever its status.
    for status in [400, 401, 403, 404] {
        let page = answer(status, "text/html; charset=utf-8", "<!doctype html><title>Blocked");
        assert_eq!(google.bad(&page).class, FailureClass::Transient, "{status}");
        let page = answer(status, "application/json", "\n <html></html>");
        assert_eq!(google.bad(&page).class, FailureClass::Transient, "{status}");
    }
    assert_eq!(class(400, &json!({"error": "temporarily_unavailable"})), FailureClass::Transient);
    // Unless the provider is known to say so in this way.
    let own = Setup::own(&small("response.errors.grant_dead = [\"gone\"]"));
    let failure = own.bad(&as_json(500, &json!({"error": "gone"})));
    assert_eq!(failure.class, FailureClass::GrantDead);
}

#[test]
fn nobody_knows_what_has_happened() {
    let google = Setup::built_in("google");
    for body in [
        "",
        r#"{"access_token": "ya29.cut-o"#,
        "<html>Welcome to our wireless network</html>",
        "[]",
        "null",
        "OK",
        "access_token=a",
        r#"{"token_type": "Bearer"}"#,
        r#"{"access_token": ""}"#,
        r#"{"access_token": 7}"#,
        "{\"access_token\": \"a\\nb\"}",
    ] {
        let failure = google.bad(&answer(200, "application/json", body));
        assert_eq!(failure.class, FailureClass::UnknownOutcome, "{body}");
        assert!(!failure.detail.contains("ya29"), "{}", failure.detail);
    }
    let long = json!({"access_token": "a".repeat(16 * 1024 + 1)});
    assert_eq!(class(200, &long), FailureClass::UnknownOutcome);
}

#[test]
fn an_error_that_looks_like_success_is_one() {
    let own = Setup::own(&small(
        "response.success = { at = \"/ok\", equals = true }\n\
         response.errors.grant_dead = [\"token_revoked\"]",
    ));
    let class = |body: &Value| own.bad(&as_json(200, body)).class;
    assert_eq!(class(&json!({"ok": false, "error": "token_revoked"})), FailureClass::GrantDead);
    assert_eq!(class(&json!({"ok": false, "error": "oh"})), FailureClass::BadRequest);
    assert_eq!(class(&json!({"ok": "true", "access_token": "a"})), FailureClass::BadRequest);
    assert_eq!(class(&json!({"access_token": "a"})), FailureClass::BadRequest);
    assert!(own.tokens(&as_json(200, &json!({"ok": true, "access_token": "a"}))).is_ok());
    assert!(
        own.tokens(&as_json(200, &json!({"ok": true, "access_token": "a", "error": ""}))).is_ok()
    );
}

#[test]
fn codes_are_where_the_description_says_and_may_be_numbers() {
    let own = Setup::own(&small(
        "[response.errors]\ncode = [\"/fault/number\"]\nsubtype = [\"/fault/finer\"]\n\
         description = [\"/fault/text\"]\ngrant_dead = [\"190:463\", \"463\"]",
    ));
    let body = json!({"fault": {"number": 190, "finer": 463, "text": "Session has expired"}});
    let failure = own.bad(&as_json(400, &body));
    assert_eq!(failure.class, FailureClass::GrantDead);
    assert_eq!(failure.error.as_deref(), Some("190"));
    assert_eq!(failure.error_subtype.as_deref(), Some("463"));
    assert_eq!(failure.detail, "status 400: 190: Session has expired");
}

#[test]
fn a_detail_is_one_short_line_without_anything_that_may_be_a_token() {
    let google = Setup::built_in("google");
    let detail = |text: &str| {
        let body = json!({"error": "invalid_request", "error_description": text,
            "refresh_token": "short-rt", "x": {"id_token": "other-it"}});
        google.bad(&as_json(400, &body)).detail
    };
    for (said, hidden) in [
        ("Token 1//0gAbCdEfGhIjKlMnOp is bad", "1//0g"),
        ("token=ya29.a0AfB_byC3dE5fG7hI9jK", "ya29"),
        ("\"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ.c2ln\"", "eyJ"),
        ("secret s3cret/of+ours of ours", "s3cret"),
        ("received short-rt", "short-rt"),
        ("received other-it", "other-it"),
        ("AbcdefghijklmnopAbcdefghijklmnopAbcdefghijklmnopAbcdefghijklmnopx", "Abcd"),
    ] {
        let shown = detail(said);
        assert!(!shown.contains(hidden) && shown.contains("[hidden]"), "{said}: {shown}");
    }
    let shown = detail("a\u{0}b\nc\u{1b}[31md \u{202e}evil <script>alert(1)</script>  läuft");
    assert_eq!(
        shown,
        "status 400: invalid_request: a b c [31md evil <script>alert(1)</script> läuft"
    );
    assert_eq!(detail(&"word ".repeat(200)).chars().count(), 300);
    let plain = "Missing required parameter: https://www.googleapis.com/auth/calendar.readonly";
    assert!(detail(plain).ends_with(plain), "what helps is kept: {}", detail(plain));
}

#[test]
fn what_was_sent_can_be_taken_out_too() {
    let google = Setup::built_in("google");
    let body = json!({"error": "rt-1", "error_description": "rt-1 has expired"});
    let failure = google.bad(&as_json(400, &body)).without(&["rt-1"]);
    assert_eq!(failure.detail, "status 400: [hidden]: [hidden] has expired");
    assert_eq!(failure.error, None);
    let odd = json!({"error": "1//0gAbCdEfGhIjKlMnOp", "error_subtype": "a b\n<c>"});
    let failure = google.bad(&as_json(400, &odd));
    assert_eq!((failure.error, failure.error_subtype.as_deref()), (None, Some("ab<c>")));
}

#[test]
fn a_call_without_an_answer_is_harmless_only_if_it_was_not_sent() {
    let not_sent = ProviderFailure::no_answer(&CallError::NotSent("no such host".to_owned()));
    assert_eq!(not_sent.class, FailureClass::Transient);
    assert!(not_sent.detail.contains("no such host"));
    let unknown = ProviderFailure::no_answer(&CallError::Unknown("reset".to_owned()));
    assert_eq!(unknown.class, FailureClass::UnknownOutcome);
}
