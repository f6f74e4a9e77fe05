//! What this application agrees on with browsers: cookies, where a request came from, headers.
//! RFC 6265bis §4.1.3, Fetch Metadata, Content Security Policy.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{Settings, is_loopback, is_loopback_host};
use crate::problem::Problem;

/// The two cookies, both opaque and unreadable for scripts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// The session id.
    Session,
    /// Ties sign-ins under way to the browser that started them.
    Browser,
}

impl Cookie {
    /// The value that the browser sent, if it looks like one of ours.
    pub(crate) fn read<'h>(self, headers: &'h HeaderMap, settings: &Settings) -> Option<&'h str> {
        let name = self.name(settings);
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
        values.find(|value| value.len() == 43)
    }

    /// A `Set-Cookie` value; an empty `value` removes the cookie.
    pub(crate) fn set(self, value: &str, settings: &Settings) -> HeaderValue {
        let max_age = match (value.is_empty(), self) {
            (true, _) => 0,
            (false, Self::Session) => settings.config.session_lifetime.as_secs(),
            (false, Self::Browser) => 3600,
        };
        let secure = if settings.https() { "; Secure" } else { "" };
        let name = self.name(settings);
        let line =
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
        HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""))
    }

    // RFC 6265bis §4.1.3.2: `__Host-` keeps sibling hosts from planting the cookie.
    fn name(self, settings: &Settings) -> &'static str {
        match (self, settings.https()) {
            (Self::Session, true) => "__Host-fieldnotes_session",
            (Self::Session, false) => "fieldnotes_session",
            (Self::Browser, true) => "__Host-fieldnotes_browser",
            (Self::Browser, false) => "fieldnotes_browser",
        }
    }
}

/// Refuses a state-changing request that another site's page caused. Browsers always say where a
/// POST comes from; programs such as curl and Postman say nothing and hold no foreign cookies.
pub(crate) fn check_same_site(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    let said = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let own = match said(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => site == b"same-origin" || site == b"none",
        None => match said(header::ORIGIN) {
            Some(origin) => origin == settings.base.origin().ascii_serialization().as_bytes(),
            None => true,
        },
    };
    own.then_some(()).ok_or(Problem::CrossSite)
}

/// On one machine `127.0.0.1` and `localhost` are two sites to a browser: cookies set on the one are
/// missing on the other. Says whether to move to the base URL before anything starts.
pub(crate) fn on_wrong_name(headers: &HeaderMap, settings: &Settings) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    let expected = settings.base.host_str().unwrap_or_default();
    is_loopback(&settings.base) && is_loopback_host(name) && name != expected
}

/// The headers that every answer carries.
pub(crate) fn protect(headers: &mut HeaderMap, form_targets: &[String]) {
    // Browsers apply form-action to the redirects after a form too, and sign-out leads to the provider.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; \
         base-uri 'none'; frame-ancestors 'none'",
        form_targets.join(" ")
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not no-referrer: that would turn the Origin of our own forms into null.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn settings(base: &str) -> Settings {
        Settings::check(Config::new("http://localhost:5050", "c", base, "/nowhere")).expect("good")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("plain"))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_pages_and_programs_may_post() {
        let settings = settings("http://localhost:5051");
        for (pairs, allowed) in [
            (vec![], true),
            (vec![("origin", "http://localhost:5051")], true),
            (vec![("origin", "http://localhost:5050")], false),
            (vec![("origin", "null")], false),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "http://localhost:5051")], true),
            (vec![("sec-fetch-site", "same-site"), ("origin", "http://localhost:5051")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
        ] {
            let result = check_same_site(&headers(&pairs), &settings);
            assert_eq!(result.is_ok(), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn loopback_names_lead_to_the_one_in_the_base_url() {
        let settings = settings("http://localhost:5051");
        let wrong = |host| on_wrong_name(&headers(&[("host", host)]), &settings);
        assert!(wrong("127.0.0.1:5051") && wrong("[::1]:5051") && wrong("[::1]"));
        assert!(!wrong("localhost:5051") && !wrong("localhost") && !wrong("example.com"));
    }

    #[test]
    fn cookies_are_strict_on_https() {
        let value = "v".repeat(43);
        let line = Cookie::Session.set(&value, &settings("https://app.example.com"));
        let line = line.to_str().expect("plain");
        assert!(line.starts_with("__Host-fieldnotes_session=v"), "{line}");
        assert!(
            line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600; Secure"),
            "{line}"
        );
        let sent = headers(&[("cookie", &format!("a=b; fieldnotes_session={value}"))]);
        assert_eq!(Cookie::Session.read(&sent, &settings("http://localhost:1")), Some(&*value));
        assert_eq!(Cookie::Session.read(&sent, &settings("https://app.example.com")), None);
    }
}
