//! The first step: a connect session is made, and the link that opens it.

use serde_json::{Map, json};

use super::start;
use crate::AuthorizationServer;
use crate::error::{Failure, Refusal};
use crate::id::{ConnectSessionId, ConnectionId, UserId};
use crate::model::{
    ApiKeyAction, ApiKeyRights, ConnectMode, ConnectSession, ConnectState, Connection, Scope,
};
use crate::registration::text::misleads;
use crate::secret::Kind;
use crate::store::Recorded;
use crate::time::{Seconds, Timestamp};
use crate::vault::audit::{self, Actor};
use crate::vault::subject;
use crate::vault::{Integration, IntegrationKind};

/// How long a link opens, and what came of it is waited for.
const LIFETIME: Seconds = Seconds::hours(1);
/// Characters of an expected account, at most: those of an address.
const LONGEST_HINT: usize = 320;
/// Bytes of a URL to return to, at most.
const LONGEST_URL: usize = 2_000;
/// Bytes of the scopes that are asked for, at most.
const LONGEST_SCOPE: usize = 4_000;

/// What a connect session is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Through which integration; may be left out of a reconnect.
    pub integration: Option<String>,
    /// For whom; may be left out of a reconnect.
    pub subject: Option<String>,
    /// The scopes to ask for; those of the integration unless named. Its required ones are added.
    pub scope: Option<Scope>,
    /// The account that is expected.
    pub account_hint: Option<String>,
    /// The connection that is to be granted again.
    pub reconnect: Option<ConnectionId>,
    /// Where the browser goes in the end. If the operator allows one URL alone, `bound` needs none.
    pub return_url: Option<String>,
    /// Who confirms that the person is the subject. Unless named: `bound` when there is somewhere to
    /// return to, else the first of `link` and `self_service` that is allowed here.
    pub mode: Option<ConnectMode>,
}

/// A connect session, and the link that opens it, which is shown to whoever asked and never again.
#[derive(Clone, Debug)]
pub struct Link {
    /// The session, as it is stored.
    pub session: ConnectSession,
    /// Where the person's browser is sent.
    pub connect_url: String,
}

/// Makes a connect session. `rights` are those of the API key that asks; `None` for a person or the
/// operator, whose subject the caller has decided about.
pub async fn begin(
    server: &AuthorizationServer,
    asked: Asked,
    rights: Option<&ApiKeyRights>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Link, Failure> {
    let before = match asked.reconnect {
        Some(id) => Some(within_reach(server, id, rights).await?),
        None => None,
    };
    let subject = named_subject(&asked, before.as_ref())?;
    let integration = integration(server, &asked, before.as_ref())?;
    check_rights(rights, &asked, integration, &subject)?;
    let granting = integration.ok_or(Refusal::IntegrationUnknown {})?;
    if granting.kind == IntegrationKind::ClientCredentials {
        return Err(NOBODY_GRANTS.into());
    }
    let link = start::may_link(granting, before.as_ref());
    let (mode, return_url) = mode(server, granting, &asked, &subject, link)?;
    let credential = server.new_credential(Kind::ConnectLink);
    let session = ConnectSession {
        id: ConnectSessionId(credential.id()),
        digest: credential.digest(),
        integration: granting.name.clone(),
        subject,
        scope: scope(asked.scope, granting, rights.and_then(|own| own.scope.as_ref()))?,
        account_hint: hint(asked.account_hint)?,
        reconnect: before.map(|own| own.id),
        return_url,
        mode,
        made_by: actor.name.clone(),
        state: ConnectState::Open,
        created_at: now,
        expires_at: now.plus(LIFETIME),
    };
    server
        .store
        .add_connect_session(session.clone(), recorded(server, &session, actor, now))
        .await?;
    let issuer = server.policy.issuer.trim_end_matches('/');
    Ok(Link { session, connect_url: format!("{issuer}/connect/{}", credential.reveal()) })
}

const NOBODY_GRANTS: Refusal = Refusal::BadParameter {
    name: "integration",
    want: "name one that persons grant; this one acts for itself",
};

/// One that is out of reach looks as if it was not there.
async fn within_reach(
    server: &AuthorizationServer,
    id: ConnectionId,
    rights: Option<&ApiKeyRights>,
) -> Result<Connection, Failure> {
    let found = server.store.connection(id).await?;
    let found = found.filter(|own| rights.is_none_or(|rights| rights.reaches(own)));
    Ok(found.ok_or(Refusal::ConnectionNotFound {})?)
}

fn named_subject(asked: &Asked, before: Option<&Connection>) -> Result<String, Refusal> {
    match (&asked.subject, before) {
        (Some(own), Some(before)) if *own != before.subject => {
            let want = "leave it out, or name that of the connection";
            Err(Refusal::BadParameter { name: "subject", want })
        }
        (None, None) => Err(Refusal::MissingParameter { name: "subject" }),
        (_, Some(before)) => Ok(before.subject.clone()),
        (Some(own), None) => {
            subject::check(own)?;
            Ok(own.clone())
        }
    }
}

/// The integration that is meant; `None` when there is none of that name.
fn integration<'a>(
    server: &'a AuthorizationServer,
    asked: &Asked,
    before: Option<&Connection>,
) -> Result<Option<&'a Integration>, Refusal> {
    let name = match (&asked.integration, before) {
        (Some(own), Some(before)) if *own != before.integration => {
            let want = "leave it out, or name that of the connection";
            return Err(Refusal::BadParameter { name: "integration", want });
        }
        (None, None) => return Err(Refusal::MissingParameter { name: "integration" }),
        (Some(own), _) => own,
        (None, Some(before)) => &before.integration,
    };
    Ok(server.policy.vault.integrations.get(name).map(AsRef::as_ref))
}

/// What a key cannot reach is refused before it is said whether it exists.
fn check_rights(
    rights: Option<&ApiKeyRights>,
    asked: &Asked,
    integration: Option<&Integration>,
    subject: &str,
) -> Result<(), Refusal> {
    let Some(rights) = rights else {
        return Ok(());
    };
    if !rights.may(ApiKeyAction::Connect) {
        return Err(Refusal::KeyMayNot { what: "connect accounts" });
    }
    let named = integration.map_or("", |own| own.name.as_str());
    if !rights.reaches_integration(named) {
        return Err(Refusal::KeyMayNot { what: "use this integration" });
    }
    if !rights.reaches_subject(subject) {
        return Err(Refusal::KeyMayNot { what: "act for this subject" });
    }
    if rights.connections.is_some() && asked.reconnect.is_none() {
        return Err(Refusal::KeyMayNot { what: "connect other accounts than its own" });
    }
    Ok(())
}

/// Who confirms, and where the browser returns to.
fn mode(
    server: &AuthorizationServer,
    integration: &Integration,
    asked: &Asked,
    subject: &str,
    link: bool,
) -> Result<(ConnectMode, Option<String>), Refusal> {
    let allowed = &server.policy.vault.return_urls;
    if asked.return_url.as_ref().is_some_and(|url| !may_return(url, allowed)) {
        let want =
            "it must be one of vault.return_urls up to the end of the path, without a fragment";
        return Err(Refusal::BadParameter { name: "return_url", want });
    }
    let only = allowed.first().filter(|_| allowed.len() == 1);
    let back = asked.return_url.as_ref().or(only).cloned();
    let self_service = integration.self_service && subject.parse::<UserId>().is_ok();
    let mode = match asked.mode {
        Some(own) => own,
        None if back.is_some() => ConnectMode::Bound,
        None if link => ConnectMode::Link,
        None if self_service => ConnectMode::SelfService,
        None => ConnectMode::Bound,
    };
    let refused = |want| Err(Refusal::BadParameter { name: "mode", want });
    match mode {
        ConnectMode::Bound if back.is_none() => {
            Err(Refusal::MissingParameter { name: "return_url" })
        }
        ConnectMode::Bound => Ok((mode, back)),
        ConnectMode::Link if !link => {
            refused("links are not allowed for this integration (integrations.NAME.link)")
        }
        ConnectMode::SelfService if !self_service => {
            refused("self_service is for the sub of a person, and an integration with self_service")
        }
        ConnectMode::Link | ConnectMode::SelfService => Ok((mode, asked.return_url.clone())),
    }
}

/// Whether `url` is one of `allowed`, with a query or without. Compared as text, before any parsing.
fn may_return(url: &str, allowed: &[String]) -> bool {
    let safe = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'#');
    let rest = |own: &String| url.strip_prefix(own.as_str());
    url.len() <= LONGEST_URL
        && url.bytes().all(safe)
        && allowed.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with('?'))
}

/// The scopes that are named, else those of the integration as far as a caller may have them who may
/// have `most`; and what the integration requires.
fn scope(
    asked: Option<Scope>,
    integration: &Integration,
    most: Option<&Scope>,
) -> Result<Scope, Refusal> {
    let provider = &integration.provider;
    let usual = || match most {
        Some(most) => provider.within(&integration.scope, most),
        None => integration.scope.clone(),
    };
    let unnamed = asked.is_none();
    let scope = asked.unwrap_or_else(usual).union(&integration.required);
    let nothing_left = unnamed && scope.is_empty();
    let wanted = if nothing_left { &integration.scope } else { &scope };
    let beyond = most.map(|most| provider.missing(wanted, most)).unwrap_or_default();
    if let Some(name) = beyond.iter().next() {
        return Err(Refusal::LinkBeyondCaller { scope: name.to_owned() });
    }
    if scope.as_str().len() > LONGEST_SCOPE {
        return Err(Refusal::BadParameter { name: "scopes", want: "send up to 4000 bytes" });
    }
    Ok(scope)
}

fn hint(own: Option<String>) -> Result<Option<String>, Refusal> {
    if own.as_deref().is_some_and(|own| !is_plain(own, LONGEST_HINT)) {
        let want = "send an address, or another name of up to 320 printable characters";
        return Err(Refusal::BadParameter { name: "account_hint", want });
    }
    Ok(own)
}

fn is_plain(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.contains(misleads)
}

fn recorded(
    server: &AuthorizationServer,
    session: &ConnectSession,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let details = Map::from_iter([
        ("connect_session".to_owned(), json!(session.id)),
        ("subject".to_owned(), json!(session.subject)),
        ("scope".to_owned(), json!(session.scope)),
        ("mode".to_owned(), json!(session.mode.as_str())),
        ("reconnect".to_owned(), json!(session.reconnect.map(ConnectionId::shown))),
    ]);
    let entry = audit::event(server, actor, "connect.begun", &session.integration, details, now);
    Recorded { audit: vec![entry], notices: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_returns_where_the_operator_allows_and_nowhere_else() {
        let allowed = ["https://app.example/connected".to_owned()];
        for good in ["https://app.example/connected", "https://app.example/connected?user=1&x=%20"]
        {
            assert!(may_return(good, &allowed), "{good}");
        }
        for bad in [
            "",
            "https://app.example/",
            "https://app.example/connected/",
            "https://app.example/connected.evil.example",
            "https://app.example/connected/../logout",
            "https://app.example/connected#x",
            "https://app.example/connected?x=#y",
            "https://app.example/connected?x=\"",
            "https://app.example/connected?x=\r\nx: y",
            "https://app.example/connected?x=ä",
            "HTTPS://app.example/connected",
            "https://app.example.evil.example/connected",
            "https://app.example@evil.example/connected",
            "javascript:alert(1)",
        ] {
            assert!(!may_return(bad, &allowed), "{bad}");
        }
        assert!(!may_return(&format!("{}?{}", allowed[0], "x".repeat(2_000)), &allowed));
        assert!(!may_return("https://app.example/connected", &[]));
    }
}
