//! Which header fields are passed on, and which stay here: RFC 9110 §7.6.1.

use axum::http::header::{
    ACCEPT_ENCODING, ALT_SVC, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, COOKIE, EXPECT, FORWARDED, HOST, LOCATION, ORIGIN, REFERER, REFRESH,
    SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// What the caller tells the proxy.
pub(super) const CONNECTION_ID: &str = "grantor-connection";
pub(super) const SUBJECT: &str = "grantor-subject";
pub(super) const ACCOUNT: &str = "grantor-account";
pub(super) const HOST_WANTED: &str = "grantor-host";
/// Whose token it was, in each answer of a provider.
pub(super) const CONNECTION_NAME: HeaderName = HeaderName::from_static(CONNECTION_ID);
/// Where the provider sends to, when that is not within the proxy.
const LOCATION_OUTSIDE: HeaderName = HeaderName::from_static("grantor-location");

/// Of one connection only.
const HOP_BY_HOP: [HeaderName; 5] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// Of the caller, and none of the provider's business; the framing is made anew.
const OF_CALLER: [HeaderName; 10] = [
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    ORIGIN,
    REFERER,
    VIA,
];

/// Of the provider's host: credentials, challenges for its token, and what would hold for this
/// server's own address in a browser.
const OF_PROVIDER: [HeaderName; 11] = [
    ALT_SVC,
    CACHE_CONTROL,
    CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY,
    LOCATION,
    REFRESH,
    SET_COOKIE,
    STRICT_TRANSPORT_SECURITY,
    VIA,
    WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
];

/// By the beginning of the name.
const OF_CALLER_BEGINNINGS: [&str; 6] =
    ["proxy-", "x-forwarded-", "x-real-ip", "keep-alive", "sec-", "grantor-"];
const OF_PROVIDER_BEGINNINGS: [&str; 8] = [
    "access-control-",
    "authentication-info",
    "clear-site-data",
    "grantor-",
    "keep-alive",
    "proxy-",
    "set-cookie",
    "public-key-pins",
];

/// What the provider is sent of the caller's fields.
pub(super) fn to_provider(own: &HeaderMap) -> HeaderMap {
    let mut passed = kept(own, &OF_CALLER, &OF_CALLER_BEGINNINGS);
    // What is packed could not be searched for the token on its way back.
    passed.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    passed
}

/// What the caller is sent of the provider's fields. None of them has `token` in it.
pub(super) fn to_caller(own: &HeaderMap, token: &str, way: &Way<'_>) -> HeaderMap {
    let mut passed = kept(own, &OF_PROVIDER, &OF_PROVIDER_BEGINNINGS);
    if let Some((name, value)) = own.get(LOCATION).and_then(|value| way.location(value)) {
        passed.insert(name, value);
    }
    let tells = |value: &HeaderValue| {
        value.as_bytes().windows(token.len().max(1)).any(|part| part == token.as_bytes())
    };
    let telling: Vec<_> =
        passed.iter().filter(|(_, value)| tells(value)).map(|(name, _)| name.clone()).collect();
    for name in telling {
        passed.remove(name);
    }
    // The answer is for this caller, and no page of this server.
    passed.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    passed.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    passed.insert(CONTENT_SECURITY_POLICY, policy);
    passed
}

/// The way that a call has gone, to say where a `Location` leads.
pub(super) struct Way<'a> {
    /// What was called.
    pub(super) url: &'a Url,
    /// What paths are put after.
    pub(super) base: &'a str,
    /// The URL of the proxy for this integration.
    pub(super) proxy: &'a str,
}

impl Way<'_> {
    /// A program that follows a redirect may send its API key along. So what leads to where the
    /// proxy leads anyway is put into the proxy's words, and everything else into a field of its
    /// own, which nothing follows by itself.
    fn location(&self, value: &HeaderValue) -> Option<(HeaderName, HeaderValue)> {
        let target = self.url.join(value.to_str().ok()?).ok()?;
        let rest = target.as_str().strip_prefix(self.base);
        let inside = rest.filter(|rest| rest.starts_with(['/', '?', '#']));
        let (name, text) = match inside {
            Some(rest) => (LOCATION, format!("{}{rest}", self.proxy)),
            None => (LOCATION_OUTSIDE, target.to_string()),
        };
        Some((name, HeaderValue::from_str(&text).ok()?))
    }
}

fn kept(own: &HeaderMap, names: &[HeaderName], beginnings: &[&str]) -> HeaderMap {
    // RFC 9110 §7.6.1: what `Connection` names is for this connection only.
    let listed = own.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<_> = listed
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let stays = |name: &HeaderName| {
        HOP_BY_HOP.contains(name)
            || names.contains(name)
            || beginnings.iter().any(|own| name.as_str().starts_with(own))
            || listed.iter().any(|own| own == name.as_str())
    };
    let mut passed = HeaderMap::with_capacity(own.len());
    for (name, value) in own.iter().filter(|(name, _)| !stays(name)) {
        passed.append(name, value.clone());
    }
    passed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fields(own: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in own {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    fn names(map: &HeaderMap) -> BTreeSet<&str> {
        map.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn credentials_and_what_is_of_one_connection_do_not_reach_the_provider() {
        let passed = to_provider(&fields(&[
            ("authorization", "Bearer grk_secret"),
            ("proxy-authorization", "Basic x"),
            ("cookie", "grt_session=x"),
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("host", "login.example"),
            ("connection", "keep-alive, X-Own"),
            ("x-own", "only here"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("upgrade", "websocket"),
            ("expect", "100-continue"),
            ("sec-fetch-site", "cross-site"),
            ("grantor-subject", "user-42"),
            ("accept-encoding", "gzip"),
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("if-none-match", "\"7\""),
            ("x-goog-user-project", "ours"),
        ]));
        let left =
            ["accept", "content-type", "if-none-match", "x-goog-user-project", "accept-encoding"];
        assert_eq!(names(&passed), left.into());
        assert_eq!(passed["accept-encoding"], "identity");
    }

    fn way(url: &Url) -> Way<'_> {
        let (base, proxy) = ("https://api.example/v1", "https://login.example/proxy/example");
        Way { url, base, proxy }
    }

    #[test]
    fn cookies_challenges_and_the_token_do_not_reach_the_caller() {
        let url = Url::parse("https://api.example/v1/a").expect("a URL");
        let answer = fields(&[
            ("set-cookie", "session=x"),
            ("www-authenticate", "Bearer error=\"invalid_token\""),
            ("access-control-allow-origin", "*"),
            ("strict-transport-security", "max-age=1"),
            ("cache-control", "public, max-age=600"),
            ("connection", "close, x-own"),
            ("x-own", "only here"),
            ("x-echo", "Bearer ya29.the-token"),
            ("x-ratelimit-remaining", "7"),
            ("etag", "\"7\""),
        ]);
        let passed = to_caller(&answer, "ya29.the-token", &way(&url));
        let left = [
            "x-ratelimit-remaining",
            "etag",
            "cache-control",
            "x-content-type-options",
            "content-security-policy",
        ];
        assert_eq!(names(&passed), left.into());
        assert_eq!(passed["cache-control"], "no-store");
    }

    #[test]
    fn a_redirect_leads_into_the_proxy_or_is_followed_by_nobody() {
        let url = Url::parse("https://api.example/v1/a/b").expect("a URL");
        let location = |text: &'static str| {
            let passed = to_caller(&fields(&[("location", text)]), "the-token", &way(&url));
            let of =
                |name: &str| passed.get(name).map(|own| own.to_str().expect("text").to_owned());
            (of("location"), of("grantor-location"))
        };
        let inside =
            |path: &str| (Some(format!("https://login.example/proxy/example{path}")), None);
        let outside = |url: &str| (None, Some(url.to_owned()));
        assert_eq!(location("c?x=1"), inside("/a/c?x=1"));
        assert_eq!(location("/v1/d"), inside("/d"));
        assert_eq!(location("https://api.example/v1/e"), inside("/e"));
        assert_eq!(location("/v2/d"), outside("https://api.example/v2/d"));
        assert_eq!(location("https://evil.example/"), outside("https://evil.example/"));
        assert_eq!(location("//evil.example/v1/"), outside("https://evil.example/v1/"));
        assert_eq!(location("https://api.example.evil.example/v1/a").0, None);
        assert_eq!(location("https://api.example/v1.evil").0, None);
        assert_eq!(location("https://other.example/?t=the-token"), (None, None));
    }
}
