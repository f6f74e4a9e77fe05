//! Where an answer may go: RFC 6749 §3.1.2, RFC 8252 §7.3, RFC 9700 §2.1 and §4.1.

use url::Url;

use super::respond::{AuthorizationResponse, ResponseMode};
use crate::error::{Broken, Code, Failure, Refusal};
use crate::model::Client;
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::store::StoreError;

/// A place that the client registered. Only this module makes one, so an error cannot be sent
/// anywhere before the place is known to be good.
#[derive(Clone, Debug)]
pub struct ReturnTo {
    uri: String,
    state: Option<String>,
    mode: ResponseMode,
    client_name: String,
}

impl ReturnTo {
    /// The redirect URI, as the request wrote it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The host, with its port if that is unusual, that a person is sent to; for a private-use scheme
    /// the scheme. For the consent page.
    pub fn host(&self) -> String {
        let url = Url::parse(&self.uri).ok();
        let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
        match host {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host.to_owned(),
            None => self.uri.split(':').next().unwrap_or_default().to_owned(),
        }
    }

    /// An answer of success.
    pub(super) fn success(
        &self,
        server: &AuthorizationServer,
        pairs: Vec<(&'static str, String)>,
    ) -> AuthorizationResponse {
        self.response(server, pairs, None)
    }

    /// An answer of error. Every failure after the place is known goes there, the server's own too.
    // RFC 6749 §4.1.2.1
    pub fn error(&self, server: &AuthorizationServer, failure: Failure) -> AuthorizationResponse {
        let (code, text, broken) = match failure {
            Failure::Refused(refusal) => (refusal.code().as_str(), refusal.to_string(), None),
            Failure::Broken(broken) => {
                let away = matches!(broken, Broken::Store(StoreError::Unavailable(_)));
                let code = if away { Code::TemporarilyUnavailable } else { Code::ServerError };
                let text = "The server could not answer. Try again in a moment.".to_owned();
                (code.as_str(), text, Some(broken))
            }
        };
        let pairs = vec![("error", code.to_owned()), ("error_description", text)];
        self.response(server, pairs, broken)
    }

    fn response(
        &self,
        server: &AuthorizationServer,
        mut pairs: Vec<(&'static str, String)>,
        broken: Option<Broken>,
    ) -> AuthorizationResponse {
        // RFC 6749 §4.1.2: state is required if it was present in the request, exactly as received.
        pairs.extend(self.state.clone().map(|state| ("state", state)));
        // RFC 9207 §2: iss is in every answer, so that a client cannot be led to mix up servers.
        pairs.push(("iss", server.policy.issuer.clone()));
        AuthorizationResponse {
            redirect_uri: self.uri.clone(),
            client_name: self.client_name.clone(),
            mode: self.mode,
            pairs,
            broken,
        }
    }
}

/// The place that a request names, or the client's only one; and whether it was named.
pub(super) fn resolve(client: &Client, params: &Params<'_>) -> Result<(ReturnTo, bool), Refusal> {
    params.refuse_doubled("redirect_uri")?;
    let given = params.get("redirect_uri");
    let uri = match (given, client.redirect_uris.as_slice()) {
        (Some(given), registered) if registered.iter().any(|own| matches(own, given)) => given,
        (Some(_), _) => return Err(Refusal::RedirectUriMismatch {}),
        // RFC 6749 §3.1.2.3: it may be left out when exactly one is registered.
        // OpenID Connect Core 1.0 §3.1.2.1: with openid it is required.
        (None, [only]) if !asks_for_openid(params) => only,
        (None, _) => return Err(Refusal::RedirectUriMissing {}),
    };
    let state = params.get("state").filter(|_| params.refuse_doubled("state").is_ok());
    let return_to = ReturnTo {
        uri: uri.to_owned(),
        state: state.map(ToOwned::to_owned),
        mode: ResponseMode::of(params),
        client_name: client.client_name.clone(),
    };
    Ok((return_to, given.is_some()))
}

fn asks_for_openid(params: &Params<'_>) -> bool {
    params.get("scope").is_some_and(|scope| scope.split(' ').any(|name| name == "openid"))
}

/// RFC 9700 §2.1: byte comparison of the raw text, before any parsing. RFC 8252 §7.3: only the port
/// of a loopback IP address may differ, because a native application cannot choose it in advance.
pub fn matches(registered: &str, given: &str) -> bool {
    if registered == given {
        return true;
    }
    match (loopback(registered), loopback(given)) {
        (Some(registered), Some(given)) => registered == given,
        _ => false,
    }
}

/// Splits `http://127.0.0.1:PORT/rest` into host and rest; `None` for every other text.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let host =
        ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host))?;
    let rest = &uri[host.len()..];
    let Some(after_colon) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest));
    };
    let end = after_colon.find(|c: char| !c.is_ascii_digit()).unwrap_or(after_colon.len());
    let (port, rest) = after_colon.split_at(end);
    let sound = port.parse::<u16>().is_ok() && (rest.is_empty() || rest.starts_with(['/', '?']));
    sound.then_some((host, rest))
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unregistrable {
    /// It has no scheme, or does not parse.
    #[error("it is not an absolute URI")]
    NotAbsolute,
    /// RFC 6749 §3.1.2.
    #[error("it has a fragment (the part after #)")]
    Fragment,
    /// A pattern is not a URI.
    #[error("it has a wildcard; register each URI as it is")]
    Wildcard,
    /// A user name in a URI misleads people about its host.
    #[error("it has a user name or password in it")]
    UserInfo,
    /// The host is not what it looks like.
    #[error("its host is not written as one: letters, digits, dots and dashes, or [IPv6]")]
    Host,
    /// RFC 8252 §8.3 and RFC 9700 §2.6.
    #[error("plain http is for loopback addresses only; use https")]
    PlainHttp,
    /// A scheme that runs or reads something in the browser.
    #[error("the scheme {0} is not allowed")]
    DangerousScheme(String),
    /// RFC 8252 §7.1: private-use schemes are reverse domain names.
    #[error("a private-use scheme must be a reverse domain name, such as com.example.app")]
    ShortScheme,
    /// Characters that a URI cannot have.
    #[error("it has spaces, control or non-ASCII characters; percent-escape them")]
    BadCharacters,
}

/// Whether `uri` may be registered as a redirect URI, on whichever path it comes.
pub fn registrable(uri: &str) -> Result<(), Unregistrable> {
    if !uri.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'))
    {
        return Err(Unregistrable::BadCharacters);
    }
    // RFC 6749 §3.1.2: the endpoint URI must not include a fragment component.
    if uri.contains('#') {
        return Err(Unregistrable::Fragment);
    }
    if uri.contains('*') {
        return Err(Unregistrable::Wildcard);
    }
    let url = Url::parse(uri).map_err(|_| Unregistrable::NotAbsolute)?;
    // `https:host/path` parses too, but a browser takes it for a path of the page it is on.
    let rest = &uri[url.scheme().len()..];
    let has_host = rest.starts_with("://") && !rest.starts_with(":///");
    if matches!(url.scheme(), "http" | "https") && !has_host {
        return Err(Unregistrable::NotAbsolute);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unregistrable::UserInfo);
    }
    if matches!(url.scheme(), "http" | "https") && !has_plain_host(uri, &url) {
        return Err(Unregistrable::Host);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(Unregistrable::PlainHttp),
        scheme @ ("javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "ftp" | "ws"
        | "wss" | "mailto" | "tel" | "view-source" | "filesystem") => {
            Err(Unregistrable::DangerousScheme(scheme.to_owned()))
        }
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(Unregistrable::ShortScheme),
    }
}

/// Whether the host stands in `uri` as a parser reads it, and is made of what hosts are made of:
/// `http://127.1/` and `https:///a` mean other hosts than they show, and a host goes into the content
/// security policy of the consent page.
pub(crate) fn has_plain_host(uri: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let literal = host.starts_with('[') && host.ends_with(']');
    let shown = format!("{}://{host}", url.scheme());
    let rest = uri.to_ascii_lowercase();
    let rest = rest.strip_prefix(&shown);
    let ends = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']));
    !host.is_empty() && (named || literal) && ends
}

/// Whether `url` is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_is_by_byte_but_for_a_loopback_port() {
        let same = [
            ("https://app.example/cb", "https://app.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
            ("http://[::1]:1/cb?a=1", "http://[::1]:65535/cb?a=1"),
        ];
        for (registered, given) in same {
            assert!(matches(registered, given), "{given}");
        }
        let other = [
            ("https://app.example/cb", "https://app.example/cb/"),
            ("https://app.example/cb", "https://APP.example/cb"),
            ("https://app.example/cb", "https://app.example:443/cb"),
            ("https://app.example/cb", "https://app.example/x/../cb"),
            ("https://app.example/cb", "https://app.example/cb?x=1"),
            ("https://app.example/cb", "https://app.example/%63b"),
            ("https://app.example/cb", "https://app.example@evil.example/cb"),
            ("http://localhost/cb", "http://localhost:8080/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
        ];
        for (registered, given) in other {
            assert!(!matches(registered, given), "{given}");
        }
    }

    #[test]
    fn what_cannot_be_a_redirect_uri_is_not_registered() {
        for good in [
            "https://app.example/cb?tenant=1",
            "http://localhost:5051/callback",
            "http://127.0.0.1/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(registrable(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "app.example/cb",
            "https://app.example/cb#x",
            "https://*.example/cb",
            "http://app.example/cb",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/cb",
            "https://a:b@app.example/",
            "http://127.1/cb",
            "https:///app.example/cb",
            "https://x;sandbox/cb",
            "https://a,b/cb",
            "https://app.example/ cb",
            "https://app.example/ä",
            "https://app.example\\@evil.example/",
            "https:app.example/cb",
            "https:///app.example/cb",
            "//app.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost@evil.example/cb",
            "https://app.example/%0a*",
            "https://app.example/cb?next=*",
            "https://app.example/\ncb",
            "view-source:https://app.example/",
            "vbscript:x",
            "blob:https://app.example/x",
            "intent://app.example/cb",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(registrable(bad).is_err(), "{bad}");
        }
    }
}
