//! The two cookies: who is signed in, and which browser this is (RFC 6265bis §4.1.3, §5.4).

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::ports::Entropy;
use grantor_core::secret::Digest;
use grantor_core::time::Seconds;

/// How cookies are named and protected here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    secure: bool,
}

impl Cookies {
    /// Cookies of a server whose issuer is `issuer`.
    pub(crate) fn of(issuer: &str) -> Self {
        Self { secure: issuer.starts_with("https:") }
    }

    /// Whether people reach this server by https only.
    pub(crate) const fn secure(self) -> bool {
        self.secure
    }

    /// The session cookie of a request.
    pub(crate) fn session(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.session_name())
    }

    /// The browser cookie of a request.
    pub(crate) fn browser(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.browser_name()).filter(|value| value.len() == 43)
    }

    /// Sets the session cookie for as long as the session may live.
    pub(crate) fn set_session(self, value: &str, lifetime: Seconds) -> HeaderValue {
        self.set(self.session_name(), value, Some(lifetime))
    }

    /// Removes the session cookie.
    pub(crate) fn clear_session(self) -> HeaderValue {
        self.set(self.session_name(), "", Some(Seconds(0)))
    }

    /// Sets the browser cookie until the browser is closed.
    pub(crate) fn set_browser(self, value: &str) -> HeaderValue {
        self.set(self.browser_name(), value, None)
    }

    // A `__Host-` cookie cannot be set by a sibling subdomain; browsers take it on https only.
    const fn session_name(self) -> &'static str {
        if self.secure { "__Host-grantor_session" } else { "grantor_session" }
    }

    const fn browser_name(self) -> &'static str {
        if self.secure { "__Host-grantor_browser" } else { "grantor_browser" }
    }

    fn set(self, name: &str, value: &str, lifetime: Option<Seconds>) -> HeaderValue {
        let age = lifetime.map(|Seconds(age)| format!("; Max-Age={age}")).unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// A value for a browser that has no cookie yet.
pub(crate) fn new_browser(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a browser cookie.
pub(crate) fn browser_digest(value: &str) -> Digest {
    Digest::of("browser cookie", &[value.as_bytes()])
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_cookies_are_bound_to_the_host() {
        let set = Cookies::of("https://id.example").set_session("v", Seconds(60));
        let text = set.to_str().expect("ascii");
        assert_eq!(
            text,
            "__Host-grantor_session=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; grantor_session=x"));
        let cookies = Cookies::of("http://localhost:5050");
        assert_eq!(cookies.session(&headers), Some("x"));
        assert_eq!(cookies.browser(&headers), None);
    }
}
