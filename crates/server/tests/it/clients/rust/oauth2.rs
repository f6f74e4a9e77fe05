//! The crate `oauth2`.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicRequestTokenError};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _, TokenUrl,
};

use super::{code, send};
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
