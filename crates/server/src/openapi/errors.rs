//! `x-errors` of an operation, written out as responses.

use serde_json::{Map, Value, json};

/// Statuses with what they say, as a person would.
const REASONS: [(&str, &str); 14] = [
    ("400", "The request is wrong."),
    ("401", "Who asks is not known."),
    ("403", "It is not allowed."),
    ("404", "There is no such thing."),
    ("405", "It is not passed on."),
    ("408", "The body took too long."),
    ("409", "It does not fit what is there."),
    ("413", "The body is too large."),
    ("415", "The body is of another kind."),
    ("429", "Too many requests."),
    ("500", "The server is broken."),
    ("502", "The provider cannot be reached."),
    ("503", "The server is busy."),
    ("504", "The provider does not answer."),
];

/// Replaces the shorthand by responses.
pub(super) fn write_out(operation: &mut Map<String, Value>) {
    let Some(Value::Object(mut errors)) = operation.shift_remove("x-errors") else {
        return;
    };
    let challenge = operation.shift_remove("x-challenge");
    let limited = operation.shift_remove("x-limited").is_some();
    let details = operation.shift_remove("x-details").unwrap_or_default();
    add_common(&mut errors, operation.contains_key("requestBody"));
    let mut statuses: Vec<_> = errors.into_iter().collect();
    statuses.sort_by(|(one, _), (other, _)| one.cmp(other));
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, codes) in statuses {
        let challenge = challenge.as_ref().and_then(Value::as_str);
        let challenge = challenge.filter(|_| is_challenged(&status, &codes));
        let mut headers = headers(&status, challenge);
        if limited && status == "429" {
            headers["RateLimit-Policy"] = reference("headers", "RateLimitPolicy");
            headers["RateLimit"] = reference("headers", "RateLimit");
        }
        responses.insert(status.clone(), response(&status, &codes, &details, &headers));
    }
}

/// What any operation that asks the store can answer, and any that reads a body.
fn add_common(errors: &mut Map<String, Value>, has_body: bool) {
    let mut add = |status: &str, code: &str, text: &str| {
        errors.entry(status).or_insert_with(|| json!({ code: text }));
    };
    add("500", "internal_server_error", "An internal server error occurred.");
    add("503", "temporarily_unavailable", "The server is busy. Try again in a moment.");
    if has_body {
        add("408", "invalid_request", "The request body took too long to arrive.");
        add(
            "413",
            "invalid_request",
            "The request body is too large. Send less, or let the operator raise the limit: listen.body_bytes, and vault.proxy.request_bytes for the proxy.",
        );
    }
}

/// RFC 6750 §3.1: of what is not allowed, only a token without the scope is answered with a challenge.
fn is_challenged(status: &str, codes: &Value) -> bool {
    let mut codes = codes.as_object().into_iter().flatten();
    status == "401" || status == "403" && codes.all(|(code, _)| code == "insufficient_scope")
}

fn headers(status: &str, challenge: Option<&str>) -> Value {
    let mut headers = json!({
        "Cache-Control": reference("headers", "NoStore"),
        "x-request-id": reference("headers", "RequestId"),
    });
    match (status, challenge) {
        ("401", Some(challenge)) | ("403", Some(challenge @ "Bearer")) => {
            headers["WWW-Authenticate"] = reference("headers", challenge);
        }
        ("429" | "503", _) => headers["Retry-After"] = reference("headers", "RetryAfter"),
        (_, _) => {}
    }
    headers
}

fn response(status: &str, codes: &Value, details: &Value, headers: &Value) -> Value {
    let codes = codes.as_object().into_iter().flatten();
    let (mut names, mut examples) = (Vec::new(), Map::new());
    for (code, texts) in codes {
        names.push(code.clone());
        for (number, text) in texts_of(texts).into_iter().enumerate() {
            let name = if number == 0 { code.clone() } else { format!("{code}_{}", number + 1) };
            let mut value = json!({ "error": code, "error_description": text, "message": text });
            // They belong to the first of the texts.
            if let (Some(own), 0) = (details[code].as_object(), number) {
                value.as_object_mut().into_iter().for_each(|value| value.extend(own.clone()));
            }
            examples.insert(name, json!({ "summary": text, "value": value }));
        }
    }
    let reason = REASONS.iter().find(|(own, _)| *own == status).map_or("", |(_, reason)| reason);
    json!({
        "description": reason,
        "headers": headers,
        "content": { "application/json": {
            "schema": {
                "allOf": [reference("schemas", "Error")],
                "properties": { "error": { "enum": names } },
            },
            "examples": examples,
        } },
    })
}

fn texts_of(texts: &Value) -> Vec<&str> {
    match texts {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
