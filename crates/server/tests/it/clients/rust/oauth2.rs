//! The crate `oauth2`.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicRequestTokenError};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, EndpointNotSet, EndpointSet, HttpRequest, IntrospectionUrl,
    PkceCodeChallenge, RedirectUrl, RevocationUrl, Scope, StandardDeviceAuthorizationResponse,
    StandardRevocableToken, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};
use serde_json::json;

use super::{code, machine, over_tls, send};
use crate::clients::open_server;
use crate::support::{App, Server};

/// A client that knows where to send people and where tokens come from.
type Client<D, I, R> = BasicClient<EndpointSet, D, I, R, EndpointSet>;

fn client_of(server: &Server, app: &App) -> Client<EndpointNotSet, EndpointNotSet, EndpointNotSet> {
    let client = BasicClient::new(ClientId::new(app.id.clone()))
        .set_auth_uri(AuthUrl::new(server.url("/authorize")).expect("a URL"))
        .set_token_uri(TokenUrl::new(server.url("/token")).expect("a URL"))
        .set_redirect_uri(RedirectUrl::new(app.redirect_uri.clone()).expect("a URL"));
    match &app.secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
        None => client,
    }
}

type Whole = Client<EndpointSet, EndpointSet, EndpointSet>;

/// The same client with every endpoint that the crate knows.
fn whole_client_of(server: &Server, app: &App) -> Whole {
    let url = |path| server.url(path);
    let client = BasicClient::new(ClientId::new(app.id.clone()))
        .set_auth_uri(AuthUrl::new(url("/authorize")).expect("a URL"))
        .set_token_uri(TokenUrl::new(url("/token")).expect("a URL"))
        .set_device_authorization_url(
            DeviceAuthorizationUrl::new(url("/device_authorization")).expect("a URL"),
        )
        .set_introspection_url(IntrospectionUrl::new(url("/introspect")).expect("a URL"))
        // The crate revokes over https only.
        .set_revocation_url(RevocationUrl::new(over_tls(&url("/revoke"))).expect("a URL"));
    let Some(secret) = &app.secret else { return client.set_auth_type(AuthType::RequestBody) };
    client.set_client_secret(ClientSecret::new(secret.clone()))
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| Scope::new((*name).to_owned())).collect()
}

#[tokio::test]
async fn a_code_with_pkce_is_redeemed_and_refreshed() {
    let server = Server::start().await;
    let (notes, phone) = (server.app("notes"), server.public_app("phone"));
    for (app, auth_type) in [
        (&notes, AuthType::BasicAuth),
        (&notes, AuthType::RequestBody),
        (&phone, AuthType::RequestBody),
    ] {
        let http = |request: HttpRequest| send(&server, request);
        let client = client_of(&server, app).set_auth_type(auth_type);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let asked = client.authorize_url(CsrfToken::new_random);
        let asked = asked.add_scopes(scopes(&["openid", "offline_access", "read"]));
        let (url, state) = asked.set_pkce_challenge(challenge).url();
        let page = server.walk(&server.browser(), "ada", url.as_str()).await;
        let code = AuthorizationCode::new(code(&page, &server, state.secret()));

        let redeem = client.exchange_code(code.clone()).set_pkce_verifier(verifier);
        let tokens = redeem.request_async(&http).await.expect("tokens");
        assert_eq!(tokens.scopes(), Some(&scopes(&["openid", "offline_access", "read"])));
        assert!(tokens.expires_in().is_some_and(|own| own.as_secs() == 3600));
        let access = tokens.access_token().secret();
        assert_eq!(server.bearer("/protected", access).await.status, 200);

        let refresh = tokens.refresh_token().expect("a refresh token");
        let again = client.exchange_refresh_token(refresh).add_scope(Scope::new("read".to_owned()));
        let newer = again.request_async(&http).await.expect("newer tokens");
        assert_ne!(newer.access_token().secret(), access);
        assert_eq!(newer.scopes(), Some(&scopes(&["read"])));
        assert_eq!(server.bearer("/protected", newer.access_token().secret()).await.status, 200);

        let replayed = client.exchange_code(code).request_async(&http).await;
        refused(&replayed.expect_err("spent"), &BasicErrorResponseType::InvalidGrant);
    }
}

/// The crate understood the error.
#[track_caller]
fn refused<E: std::error::Error>(
    error: &BasicRequestTokenError<E>,
    expected: &BasicErrorResponseType,
) {
    match error {
        BasicRequestTokenError::ServerResponse(answer) => assert_eq!(answer.error(), expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn client_credentials_are_introspected_refreshed_and_revoked() {
    let server = open_server().await;
    let client = whole_client_of(&server, &server.register(&machine()).await);
    let http = |request: HttpRequest| send(&server, request);
    let asked = client.exchange_client_credentials().add_scope(Scope::new("read".to_owned()));
    let tokens = asked.request_async(&http).await.expect("tokens");
    let access = tokens.access_token();
    assert_eq!(server.bearer("/api-secure-data", access.secret()).await.status, 200);
    let found = client.introspect(access).request_async(&http).await.expect("an answer");
    assert!(found.active());
    assert_eq!(
        (found.client_id(), found.scopes()),
        (Some(client.client_id()), Some(&scopes(&["read"])))
    );

    let refresh = tokens.refresh_token().expect("a refresh token");
    let again = client.exchange_refresh_token(refresh);
    let newer = again.request_async(&http).await.expect("newer tokens");
    let revoked = client.revoke_token(StandardRevocableToken::from(refresh)).expect("an https URL");
    revoked.request_async(&http).await.expect("revoked");
    let found = client.introspect(newer.access_token()).request_async(&http).await;
    assert!(!found.expect("an answer").active());
}

#[tokio::test]
async fn a_device_is_allowed_while_it_polls() {
    let server = open_server().await;
    let app = server
        .register(&json!({
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": [],
            "token_endpoint_auth_method": "none",
            "scope": "openid read",
        }))
        .await;
    let client = whole_client_of(&server, &app);
    let http = |request: HttpRequest| send(&server, request);
    let asked = client.exchange_device_code().add_scopes(scopes(&["openid", "read"]));
    let shown: StandardDeviceAuthorizationResponse =
        asked.request_async(&http).await.expect("a code");
    assert!(shown.verification_uri().as_str().starts_with(&server.issuer));

    let url = shown.verification_uri_complete().expect("a URL").secret();
    let polling = client.exchange_device_access_token(&shown);
    let browser = server.browser();
    let (tokens, page) = tokio::join!(
        polling.request_async(&http, tokio::time::sleep, None),
        server.decide_device(&browser, "ada", url, "allow"),
    );
    assert_eq!(page.status, 200, "{page:?}");
    let tokens = tokens.expect("tokens");
    assert_eq!(server.bearer("/protected", tokens.access_token().secret()).await.status, 200);
}
