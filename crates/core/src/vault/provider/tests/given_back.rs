//! Giving grants back, and clients that are refused, where a provider has its own way to say so.

use serde_json::{Value, json};

use super::{Setup, json as as_json};
use crate::vault::answer::FailureClass::{self, ClientBroken, GrantDead};

fn class(own: &Setup, status: u16, body: &Value) -> FailureClass {
    own.bad(&as_json(status, body)).class
}

#[test]
fn a_grant_that_was_over_before_is_given_back() {
    for (name, status, body, over) in [
        ("dropbox", 401, json!({"error_summary": "invalid_access_token/..."}), true),
        ("linear", 400, json!({"error": "invalid_request"}), true),
        ("linear", 401, json!({"error": "invalid_token"}), true),
        ("linear", 500, json!({"error": "server_error"}), false),
        ("notion", 400, json!({"object": "error", "code": "invalid_grant"}), true),
        ("notion", 401, json!({"object": "error", "code": "unauthorized"}), false),
        ("zendesk", 401, json!({"error": "invalid_token"}), true),
        ("zendesk", 403, json!({"error": "Forbidden"}), false),
        ("zoho", 400, json!({"error": "invalid_token"}), true),
        ("zoho", 200, json!({"error": "general_error"}), false),
        ("zoom", 400, json!({"error": "invalid_grant", "reason": "Invalid Token!"}), true),
        ("zoom", 401, json!({"error": "invalid_client"}), false),
        ("slack", 200, json!({"ok": false, "error": "internal_error"}), false),
    ] {
        let own = Setup::built_in(name);
        assert_eq!(own.provider().revoked(&as_json(status, &body)), over, "{name}: {body}");
    }
}

#[test]
fn a_wrong_client_is_told_in_the_providers_own_way() {
    let said = "invalid_client: Invalid client_id or client_secret";
    assert_eq!(class(&Setup::built_in("dropbox"), 400, &json!({"error": said})), ClientBroken);
    let dead = json!({"error": "invalid_grant", "error_description": "refresh token is invalid"});
    assert_eq!(class(&Setup::built_in("dropbox"), 400, &dead), GrantDead);
}

#[test]
fn some_take_a_grant_back_with_its_access_token_only() {
    for (name, only) in [
        ("dropbox", true),
        ("github_app", true),
        ("slack", true),
        ("zendesk", true),
        ("zoom", true),
        ("google", false),
        ("linear", false),
        ("spotify", false),
    ] {
        assert_eq!(Setup::built_in(name).provider().revokes_with_access(), only, "{name}");
    }
}
