//! The proxy: calls of a provider's API that are made for a service, which never sees the token.

mod path;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, json};
use url::Url;
use zeroize::Zeroizing;

use crate::AuthorizationServer;
use crate::error::{Failure, Refusal};
use crate::id::ConnectionId;
use crate::model::{ApiKey, ApiKeyAction, AuditEvent};
use crate::time::Timestamp;
use crate::vault::Integration;
use crate::vault::ask::{self, Asked, Caller, Force, Given};
use crate::vault::audit::{self, Actor};
use crate::vault::provider::Context;

/// What a service asks for.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The integration, by its name.
    pub integration: &'a str,
    /// The path, as it came; it begins with a slash.
    pub path: &'a str,
    /// The query, as it came.
    pub query: Option<&'a str>,
    /// Another host than the usual one.
    pub host: Option<&'a str>,
    /// The connection, by its id.
    pub connection: Option<&'a str>,
    /// Or by its subject,
    pub subject: Option<&'a str>,
    /// and by its account.
    pub account: Option<&'a str>,
}

/// A call that may be made, with all that it takes.
#[derive(Clone)]
pub struct Passed {
    /// Whose token it is.
    pub connection: ConnectionId,
    /// Through which integration.
    pub integration: String,
    /// What is called.
    pub url: Url,
    /// Its host, with a port that is not the usual one.
    pub host: String,
    /// What paths are put after: what begins like this can be called through the proxy again.
    pub base: String,
    /// Header fields that the provider wants besides.
    pub headers: Vec<(String, String)>,
    /// The token.
    pub token: Zeroizing<String>,
}

impl std::fmt::Debug for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passed({}, {})", self.connection, self.host)
    }
}

/// What is written down of a call that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Through which integration.
    pub integration: String,
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The path at the provider, without the query.
    pub path: String,
    /// The provider's status, if it answered.
    pub status: Option<u16>,
    /// Bytes of the request.
    pub sent: u64,
    /// Bytes of the answer.
    pub received: u64,
    /// Whether the whole answer came.
    pub complete: bool,
}

/// Decides about a call, and gets the token for it.
pub async fn prepare(
    server: &AuthorizationServer,
    key: &ApiKey,
    call: &Call<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Passed, Failure> {
    let integration = integration(server, key, call)?;
    path::check(call.path)?;
    let given = ask::token(server, &asked(call)?, caller(key, actor), now).await?;
    passed(integration, call, given)
}

/// The same call with a fresher token, after the provider did not take the one `before`; `None` when
/// there is none to be had now.
pub async fn renew(
    server: &AuthorizationServer,
    key: &ApiKey,
    call: &Call<'_>,
    before: &Passed,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<Passed>, Failure> {
    let integration = integration(server, key, call)?;
    let same = Asked {
        connection: Some(before.connection),
        force: Some(Force::Rejected(sha256(&before.token))),
        ..Asked::default()
    };
    match ask::token(server, &same, caller(key, actor), now).await {
        Ok(given) if given.access_token == before.token => Ok(None),
        Ok(given) => passed(integration, call, given).map(Some),
        // The provider's own answer says more than that its token endpoint is away.
        Err(Failure::Refused(Refusal::ProviderAway { .. } | Refusal::Throttled { .. })) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The entry of the audit log for a call that has ended.
pub fn entry(
    server: &AuthorizationServer,
    actor: &Actor,
    connection: ConnectionId,
    made: &Made,
    now: Timestamp,
) -> AuditEvent {
    let details = Map::from_iter([
        ("integration".to_owned(), json!(made.integration)),
        ("method".to_owned(), json!(made.method)),
        ("host".to_owned(), json!(made.host)),
        ("path".to_owned(), json!(made.path.chars().take(LONGEST_PATH).collect::<String>())),
        ("status".to_owned(), json!(made.status)),
        ("bytes_sent".to_owned(), json!(made.sent)),
        ("bytes_received".to_owned(), json!(made.received)),
        ("complete".to_owned(), json!(made.complete)),
    ]);
    audit::event(server, actor, "proxy.call", &connection.shown(), details, now)
}

/// Characters of a path that are written down, at most.
const LONGEST_PATH: usize = 1_000;

/// What a key cannot reach is refused before it is said whether it exists.
fn integration<'a>(
    server: &'a AuthorizationServer,
    key: &ApiKey,
    call: &Call<'_>,
) -> Result<&'a Integration, Refusal> {
    if !key.rights.may(ApiKeyAction::Proxy) {
        return Err(Refusal::KeyMayNot { what: "call providers through the proxy" });
    }
    if !key.rights.reaches_integration(call.integration) {
        return Err(Refusal::KeyMayNot { what: "use this integration" });
    }
    let found = server.policy.vault.integrations.get(call.integration);
    let found = found.ok_or(Refusal::IntegrationUnknown {})?;
    if found.proxy { Ok(found) } else { Err(Refusal::ProxyOff {}) }
}

fn caller<'a>(key: &'a ApiKey, actor: &'a Actor) -> Caller<'a> {
    Caller { rights: &key.rights, action: ApiKeyAction::Proxy, actor, mode: None }
}

fn asked(call: &Call<'_>) -> Result<Asked, Refusal> {
    let want = "send the id of a connection: con_ and a UUID";
    let bad = |_| Refusal::BadParameter { name: "Grantor-Connection", want };
    Ok(Asked {
        connection: call.connection.map(ConnectionId::read).transpose().map_err(bad)?,
        integration: Some(call.integration.to_owned()),
        subject: call.subject.map(str::to_owned),
        account: call.account.map(str::to_owned),
        ..Asked::default()
    })
}

fn passed(integration: &Integration, call: &Call<'_>, given: Given) -> Result<Passed, Failure> {
    let variables = &given.connection.variables;
    let ctx = Context { integration, variables, jti: "", now: given.at };
    let rules = integration.provider.proxy(&ctx).ok_or(Refusal::ProxyUndeclared {})?;
    let base = Url::parse(&rules.base).map_err(|_| Refusal::ProxyUndeclared {})?;
    let root = match call.host {
        None => base.clone(),
        Some(host) => other_root(&base, host, rules.allows(host))?,
    };
    Ok(Passed {
        connection: given.connection.id,
        integration: integration.name.clone(),
        url: target(&root, call)?,
        host: authority(&root),
        base: base.as_str().trim_end_matches('/').to_owned(),
        headers: rules.headers,
        token: given.access_token,
    })
}

/// Another host of the provider's API, reached as the usual one is.
fn other_root(base: &Url, host: &str, declared: bool) -> Result<Url, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    if !declared || !host.bytes().all(plain) {
        return Err(Refusal::ProxyHost {});
    }
    let root = Url::parse(&format!("{}://{host}", base.scheme()));
    let root = root.map_err(|_| Refusal::ProxyHost {})?;
    if authority(&root).eq_ignore_ascii_case(host) { Ok(root) } else { Err(Refusal::ProxyHost {}) }
}

/// The URL of a call: the path is put after the root as it is. Should anything in it lead elsewhere
/// all the same, the call is not made.
fn target(root: &Url, call: &Call<'_>) -> Result<Url, Refusal> {
    let before = root.path().trim_end_matches('/');
    let path = format!("{before}{}", call.path);
    let mut url = root.clone();
    url.set_path(&path);
    url.set_query(call.query);
    if url.path() != path || url.origin() != root.origin() {
        return Err(Refusal::ProxyPath { why: "it would become another one on the way" });
    }
    Ok(url)
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn sha256(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &'static str) -> Call<'static> {
        Call {
            integration: "example",
            path,
            query: Some("q=a%20b&x=1"),
            host: None,
            connection: None,
            subject: None,
            account: None,
        }
    }

    #[test]
    fn a_path_is_put_after_the_base_as_it_is() {
        for base in ["https://api.example", "https://api.example/v1/", "http://localhost:5052/api"]
        {
            let root = Url::parse(base).expect("a URL");
            for path in ["/", "/users/@me", "/@evil.example/", "/a%2Fb/c:d;e=f,g", "/:80/", "/..."]
            {
                let url = target(&root, &call(path)).expect(path);
                let text = format!("{}{path}?q=a%20b&x=1", base.trim_end_matches('/'));
                assert_eq!(url.as_str(), text);
            }
        }
    }

    #[test]
    fn a_path_that_would_change_is_refused_here_too() {
        let root = Url::parse("https://api.example/v1").expect("a URL");
        for path in ["/../v2", "/%2e%2e/v2", "/a\\b", "/a b", "/a?b", "/a#b"] {
            assert!(target(&root, &call(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn another_host_is_a_name_and_a_port_and_nothing_else() {
        let base = Url::parse("https://api.example/v1").expect("a URL");
        for host in ["sheets.api.example", "api.example:8443", "Sheets.API.example"] {
            let root = other_root(&base, host, true).expect(host);
            assert_eq!((root.path(), root.scheme()), ("/", "https"));
        }
        for host in [
            "",
            "evil.example/.api.example",
            "evil.example#.api.example",
            "evil.example?.api.example",
            "user@api.example",
            "a:b@api.example",
            "evil.example\\.api.example",
            "api.example:x",
            "api.example:99999",
            "[::1]",
            "0x7f.1",
        ] {
            assert!(other_root(&base, host, true).is_err(), "{host}");
        }
        assert!(other_root(&base, "sheets.api.example", false).is_err());
    }
}
