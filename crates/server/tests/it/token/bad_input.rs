//! What no caller should send to `/token`, and what it is told.

use crate::support::{Server, assert_error, client};

async fn post(server: &Server, body: impl Into<reqwest::Body>) -> crate::support::Page {
    let request = client().post(server.url("/token")).body(body);
    server.request(request.header("content-type", "application/x-www-form-urlencoded")).await
}

#[tokio::test]
async fn missing_and_doubled_parameters_are_named() {
    let server = Server::start().await;
    server.public_app("phone");
    let missing = |name: &str| format!("The parameter {name} is missing.");
    let doubled =
        |name: &str| format!("The parameter {name} appears more than once. Send it once.");
    let cases = [
        ("", missing("grant_type")),
        ("grant_type=&client_id=phone", missing("grant_type")),
        ("client_id=phone&grant_type=authorization_code", missing("code")),
        ("client_id=phone&grant_type=refresh_token", missing("refresh_token")),
        ("client_id=phone&grant_type=refresh_token&refresh_token=", missing("refresh_token")),
        ("grant_type=refresh_token&grant_type=refresh_token", doubled("grant_type")),
        ("grant_type=refresh_token&client_id=a&client_id=a", doubled("client_id")),
        ("grant_type=refresh_token&unknown=1&unknown=2", doubled("unknown")),
    ];
    for (body, text) in cases {
        assert_error(&post(&server, body).await, 400, "invalid_request", &text);
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored_at_the_token_endpoint() {
    let server = Server::start().await;
    let machine = server.machine("machine", &[]);
    let pairs = [("grant_type", "client_credentials"), ("x", "1"), ("utm_source", "y")];
    assert_eq!(server.token(&machine, &pairs).await.status, 200);
}

#[tokio::test]
async fn unknown_grants_are_named_back_without_harm() {
    let server = Server::start().await;
    server.public_app("phone");
    for (asked, shown) in [
        ("password", "password"),
        ("implicit", "implicit"),
        (
            "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "urn:ietf:params:oauth:grant-type:saml2-bearer",
        ),
        ("Authorization_Code", "Authorization_Code"),
        ("%3Cscript%3E%22%0d%0a", "script"),
    ] {
        let page = post(&server, format!("client_id=phone&grant_type={asked}")).await;
        let text = format!("Grant type {shown} is not supported.");
        assert_error(&page, 400, "unsupported_grant_type", &text);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let server = Server::start().await;
    let not_utf8 =
        "A parameter is not valid UTF-8 text. Encode parameters as UTF-8 and percent-escape them.";
    let broken = "A parameter has a broken percent escape. Write a percent sign as %25.";
    for (body, text) in [
        (&b"grant_type=refresh_token&x=\xff\xfe"[..], not_utf8),
        (b"grant_type=refresh_token&x=%ff", not_utf8),
        (b"grant_type=refresh_token&%c3%28=1", not_utf8),
        (b"grant_type=refresh_token&x=%zz", broken),
        (b"grant_type=refresh_token&x=%", broken),
    ] {
        assert_error(&post(&server, body).await, 400, "invalid_request", text);
    }
    let page = post(&server, "grant_type=refresh_token&client_id=a%00b").await;
    assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
}

#[tokio::test]
async fn oversized_requests_are_refused() {
    let server = Server::start().await;
    let page = post(&server, format!("grant_type={}", "a".repeat(70_000))).await;
    assert_error(
        &page,
        413,
        "invalid_request",
        "The request body is too large. Send less, or let the operator raise the limit: listen.body_bytes, and vault.proxy.request_bytes for the proxy.",
    );
    let many: String = (0..101).map(|n| format!("p{n}=1&")).collect();
    let text = "The request has more than 100 parameters.";
    assert_error(&post(&server, many).await, 400, "invalid_request", text);
    let long = format!("grant_type=refresh_token&client_id={}", "c".repeat(60_000));
    assert_eq!(post(&server, long).await.status, 401);
}

#[tokio::test]
async fn parameters_belong_into_a_form_body() {
    let server = Server::start().await;
    let text = "Send the parameters as application/x-www-form-urlencoded in the body.";
    let json = client().post(server.url("/token")).json(&serde_json::json!({"grant_type": "x"}));
    assert_error(&server.request(json).await, 400, "invalid_request", text);
    let plain = client().post(server.url("/token")).body("grant_type=refresh_token");
    assert_error(&server.request(plain).await, 400, "invalid_request", text);

    // RFC 6749 §3.2: a charset is no other type.
    let charset = client()
        .post(server.url("/token"))
        .header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
        .body("grant_type=refresh_token");
    let text = "Client authentication failed: no client_id was sent.";
    assert_error(&server.request(charset).await, 401, "invalid_client", text);
}

#[tokio::test]
async fn parameters_in_the_url_are_not_read() {
    let server = Server::start().await;
    server.public_app("phone");
    let request = client()
        .post(server.url("/token?grant_type=refresh_token&client_id=phone&refresh_token=x"))
        .header("content-type", "application/x-www-form-urlencoded");
    let page = server.request(request).await;
    assert_error(&page, 400, "invalid_request", "The parameter grant_type is missing.");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = Server::start().await;
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let page = server.request(client().request(method.clone(), server.url("/token"))).await;
        assert_eq!(page.status, 405, "{method}");
        assert_eq!(page.header("allow"), Some("POST"), "{method}");
    }
}

/// A few thousand requests of pieces that parsers trip over: never a 5xx, always JSON.
#[tokio::test]
async fn noise_is_answered_with_a_reason() {
    let server = Server::start().await;
    server.public_app("phone");
    let pieces: [&[u8]; 14] = [
        b"grant_type=authorization_code",
        b"grant_type=refresh_token",
        b"code=grt_ac_",
        b"client_id=phone",
        b"redirect_uri=https%3A%2F%2Fphone.example%2Fcallback",
        b"refresh_token=",
        b"=",
        b"&&",
        b"%00",
        b"\xf0\x9f",
        b"scope=%20%20",
        b"code_verifier=~",
        b"resource=a&resource=b",
        b"client_secret=",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..1500 {
        let mut body = Vec::new();
        for _ in 0..5 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            body.extend_from_slice(pieces[usize::try_from(state % 14).expect("small")]);
            body.push(b'&');
        }
        let page = post(&server, body.clone()).await;
        let shown = String::from_utf8_lossy(&body);
        assert!((400..500).contains(&page.status), "{shown}: {page:?}");
        assert!(page.json()["error"].is_string() && page.json()["message"].is_string(), "{shown}");
    }
}
