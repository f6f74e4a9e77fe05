//! Which web pages may read answers in a browser: the CORS protocol of the Fetch standard §3.2.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Lets the pages of `origins` call every route of `router`. Without credentials: no cookie opens any
/// of them, so a page gets nothing that it could not have asked for from a server.
pub(crate) fn allow<S>(router: Router<S>, origins: &[String]) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let origins: Vec<_> =
        origins.iter().filter_map(|own| HeaderValue::from_str(own).ok()).collect();
    if origins.is_empty() {
        return router;
    }
    let limits = ["retry-after", "ratelimit", "ratelimit-policy"].map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE].into_iter().chain(limits).collect::<Vec<_>>())
        .max_age(Duration::from_secs(600));
    router.layer(layer)
}
