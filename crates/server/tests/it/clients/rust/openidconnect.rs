//! The crate `openidconnect`.

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientRegistrationRequest, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClaimsVerificationError, ClientId, ClientName,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, IssuerUrl,
    LocalizedClaim, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl,
    RegistrationUrl, Scope, TokenResponse as _,
};

use super::{code, send};
use crate::clients::open_server;
use crate::support::{App, Server};

/// A client as discovery makes it.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

async fn discovered(server: &Server, app: &App) -> Client {
    let http = |request: HttpRequest| send(server, request);
    let issuer = IssuerUrl::new(server.issuer.clone()).expect("a URL");
    // Reads the keys too.
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.expect("metadata");
    let secret = app.secret.clone().map(ClientSecret::new);
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(app.id.clone()), secret);
    client.set_redirect_uri(RedirectUrl::new(app.redirect_uri.clone()).expect("a URL"))
}

#[tokio::test]
async fn discovery_is_followed_and_id_tokens_are_verified_with_every_algorithm() {
    let server = Server::start().await;
    for (name, alg) in [
        ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
        ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
        ("PS256", CoreJwsSigningAlgorithm::RsaSsaPssSha256),
        ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
    ] {
        let app = server.app_with(&name.to_lowercase(), &["--id-token-alg", name]);
        signs_in(&server, &app, alg).await;
    }
}

#[tokio::test]
async fn an_application_registers_itself_and_signs_people_in() {
    let server = open_server().await;
    let http = |request: HttpRequest| send(&server, request);
    let redirect_uri = "https://notes.example/callback".to_owned();
    let callback = RedirectUrl::new(redirect_uri.clone()).expect("a URL");
    let metadata =
        CoreClientRegistrationRequest::new(vec![callback], EmptyAdditionalClientMetadata {})
            .set_client_name(Some(LocalizedClaim::from(ClientName::new("Notes".to_owned()))))
            .set_id_token_signed_response_alg(Some(CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256));
    let url = RegistrationUrl::new(server.url("/register")).expect("a URL");
    let made = metadata.register_async(&url, &http).await.expect("registered");
    assert!(made.registration_access_token().is_some() && made.registration_client_uri().is_some());
    let app = App {
        id: made.client_id().to_string(),
        secret: made.client_secret().map(|own| own.secret().clone()),
        redirect_uri,
    };
    signs_in(&server, &app, CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256).await;
}

async fn signs_in(server: &Server, app: &App, alg: CoreJwsSigningAlgorithm) {
    let http = |request: HttpRequest| send(server, request);
    let client = discovered(server, app).await;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let asked = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
    let asked = asked.add_scopes(["email", "profile"].map(|own| Scope::new(own.to_owned())));
    let (url, state, nonce) = asked.set_pkce_challenge(challenge).url();
    let page = server.walk(&server.browser(), "ada", url.as_str()).await;
    let code = AuthorizationCode::new(code(&page, server, state.secret()));

    let redeem = client.exchange_code(code).expect("an endpoint").set_pkce_verifier(verifier);
    let tokens = redeem.request_async(&http).await.expect("tokens");
    let id_token = tokens.id_token().expect("an ID token");
    let verifier = client.id_token_verifier().set_allowed_algs([alg]);
    let claims = id_token.claims(&verifier, &nonce).expect("verified");
    let other = id_token.claims(&verifier, &Nonce::new_random());
    assert!(matches!(other, Err(ClaimsVerificationError::InvalidNonce(_))), "{other:?}");
    let (alg, key) = (
        id_token.signing_alg().expect("an algorithm"),
        id_token.signing_key(&verifier).expect("a key"),
    );
    let hash = AccessTokenHash::from_token(tokens.access_token(), alg, key).expect("a hash");
    assert_eq!(claims.access_token_hash(), Some(&hash));
    knows_the_person(server, &client, claims, tokens.access_token().clone()).await;
}

async fn knows_the_person(
    server: &Server,
    client: &Client,
    claims: &CoreIdTokenClaims,
    token: openidconnect::AccessToken,
) {
    let http = |request: HttpRequest| send(server, request);
    let asked = client.user_info(token, Some(claims.subject().clone())).expect("an endpoint");
    let person: CoreUserInfoClaims = asked.request_async(&http).await.expect("userinfo");
    assert_eq!(person.email().map(|own| own.as_str()), Some("ada@example.com"));
    assert_eq!(person.email_verified(), Some(false), "a static token proves no address");
}
