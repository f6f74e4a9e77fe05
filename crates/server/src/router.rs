//! Every URL, grouped by who calls it.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::cors;
use crate::endpoints::{
    account, authorize, callback, connect, connections, consent, create_client, device,
    device_authorization, discovery, docs, external, health, home, introspect, jwks, login, logout,
    mailbox, not_found, oauth_token, openapi, protected, protected_resource, proxy, register,
    revoke, select_account, static_files, token, userinfo,
};

/// The routes of `app`.
pub(crate) fn routes(app: Arc<App>) -> Router {
    // Client backends, and pages that are clients themselves. Their answer to other methods is set
    // here already, so that a browser's preflight reaches the layer.
    let scripted = Router::new()
        .route("/token", post(token::exchange))
        .route("/jwks.json", get(jwks::read))
        .route("/.well-known/openid-configuration", get(discovery::read))
        .route("/.well-known/oauth-authorization-server", get(discovery::read))
        .method_not_allowed_fallback(not_found::no_method);
    let router = cors::allow(scripted, &app.cors_origins)
        // Client backends.
        .route("/userinfo", get(userinfo::read).post(userinfo::read))
        .route("/introspect", post(introspect::answer))
        .route("/revoke", post(revoke::answer))
        .route("/device_authorization", post(device_authorization::begin))
        .route("/openapi.json", get(openapi::read))
        .route("/register", post(register::create))
        .route(
            "/register/{client_id}",
            get(register::manage::read)
                .put(register::manage::update)
                .delete(register::manage::remove),
        )
        .route("/create-client", post(create_client::create))
        // Browsers, sent by a client.
        .route("/authorize", get(authorize::from_query).post(authorize::from_form))
        .route("/logout", get(logout::ask).post(logout::post))
        // People.
        .route("/", get(home::page))
        .route("/login", get(login::page).post(login::post))
        .route("/device", get(device::page).post(device::post))
        .route("/select-account", get(select_account::page).post(select_account::post))
        .route("/consent", get(consent::page).post(consent::post))
        .route("/account", get(account::page))
        .route("/account/sessions/end", get(account::ask_end).post(account::end))
        .route("/account/consents/withdraw", get(account::ask_withdraw).post(account::withdraw))
        .route("/docs", get(docs::page))
        .route("/static/{*path}", get(static_files::read))
        .merge(vault())
        // Whoever runs it.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    switched_on(router, &app)
        .fallback(not_found::no_page)
        .method_not_allowed_fallback(not_found::no_method)
        .with_state(app)
}

/// The routes that are there when something is switched on.
fn switched_on(mut router: Router<Arc<App>>, app: &App) -> Router<Arc<App>> {
    if app.server.policy.sample_api {
        router = router
            .route("/.well-known/oauth-protected-resource", get(protected_resource::read))
            .route("/protected", get(protected::read))
            .route("/api-secure-data", get(protected::read));
    }
    if app.server.policy.sign_in.external.is_some() {
        router = router
            .route("/login/external", get(external::back))
            .route("/external/requests/{challenge}", get(external::read))
            .route("/external/requests/{challenge}/accept", post(external::accept))
            .route("/external/requests/{challenge}/reject", post(external::reject));
    }
    // Services, with an API key.
    if app.server.policy.vault.integrations.values().any(|own| own.proxy) {
        router = router.route(
            "/proxy/{integration}/{*path}",
            get(proxy::pass).post(proxy::pass).fallback(proxy::pass),
        );
    }
    if app.demo.is_some() {
        router = router.route("/callback", get(callback::page));
    }
    if app.demo.as_ref().is_some_and(|demo| demo.mailbox.is_some()) {
        router = router.route("/mailbox", get(mailbox::page));
    }
    router
}

/// The tokens of others: for services, and for people who connect their accounts.
fn vault() -> Router<Arc<App>> {
    Router::new()
        // Services, with an API key.
        .route("/oauth/token", post(oauth_token::token))
        .route("/oauth/refresh", post(oauth_token::refresh))
        .route("/connect/sessions", post(connect::sessions::create))
        .route("/connect/sessions/{id}", get(connect::sessions::status))
        .route("/connect/complete", post(connect::sessions::complete))
        .route("/connections/{id}", get(connections::read).delete(connections::remove))
        // People.
        .route("/connections", get(connections::list))
        .route("/connections/connect", post(connections::begin))
        .route(
            "/connections/disconnect",
            get(connections::ask_disconnect).post(connections::disconnect),
        )
        .route("/connect/{link}", get(connect::open))
        .route("/connect/{link}/go", get(connect::go))
        .route("/connect/callback", get(connect::callback))
        .route("/connect/callback/{integration}", get(connect::callback_of))
        .route("/connect/confirm", post(connect::confirm))
}
