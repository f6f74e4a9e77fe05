//! Webhooks: what the operator's endpoints are told, and how it is signed, as the Standard Webhooks
//! specification has it, so that a receiver can use a library that is there.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Integration, IntegrationKind, Webhook};
use crate::AuthorizationServer;
use crate::id::NoticeId;
use crate::model::{Connection, ConnectionStatus, Notice, Pause, ReauthReason};
use crate::outbound::{Method, Request};
use crate::time::{Seconds, Timestamp};

/// How long a notice is tried.
const LIFETIME: Seconds = Seconds::days(1);

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeEvent {
    /// An account was connected, or connected again.
    Connected,
    /// A person has to grant it again.
    ReauthRequired,
    /// It works again.
    Recovered,
    /// Its refresh token expires soon.
    ExpiringSoon,
    /// It was disconnected.
    Disconnected,
    /// The provider refuses our client: nothing of this integration is refreshed.
    IntegrationPaused,
}

impl NoticeEvent {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Connected,
        Self::ReauthRequired,
        Self::Recovered,
        Self::ExpiringSoon,
        Self::Disconnected,
        Self::IntegrationPaused,
    ];

    /// Its name in settings and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connection.connected",
            Self::ReauthRequired => "connection.reauth_required",
            Self::Recovered => "connection.recovered",
            Self::ExpiringSoon => "connection.expiring_soon",
            Self::Disconnected => "connection.disconnected",
            Self::IntegrationPaused => "integration.paused",
        }
    }
}

/// A notice for each endpoint that wants the event.
pub fn about(
    server: &AuthorizationServer,
    event: NoticeEvent,
    connection: &Connection,
    now: Timestamp,
) -> Vec<Notice> {
    let integration = server.policy.vault.integrations.get(&connection.integration);
    let integration = integration.map(AsRef::as_ref);
    let mut data = described(connection, integration);
    if let Some(hint) = repair(&server.policy.issuer, event, connection, integration) {
        data.insert("repair".to_owned(), hint);
    }
    for_endpoints(server, event, &data, now)
}

/// A notice for each endpoint that wants to know of the pause of an integration.
pub fn about_pause(server: &AuthorizationServer, pause: &Pause, now: Timestamp) -> Vec<Notice> {
    let integration = server.policy.vault.integrations.get(&pause.integration);
    let data = json!({
        "integration": pause.integration,
        "provider": integration.map(|own| own.provider.name.as_str()),
        "reason": "client_refused",
        "error": pause.error,
        "detail": pause.detail,
        "since": pause.since.rfc3339(),
        "repair": client_repair(&pause.integration),
    });
    let data = data.as_object().cloned().unwrap_or_default();
    for_endpoints(server, NoticeEvent::IntegrationPaused, &data, now)
}

/// What is sent to `endpoint` at `now`. The signature is over id, time and body: a message that
/// somebody has read and sends again is too old after a few minutes, or has an id that was there.
pub fn request(endpoint: &Webhook, notice: &Notice, now: Timestamp) -> Request {
    let (id, time) = (message_id(notice.id), now.epoch().to_string());
    let signed = signatures(&endpoint.keys, &id, &time, &notice.body);
    let fields = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", time),
        ("webhook-signature", signed),
    ];
    Request {
        method: Method::Post,
        url: endpoint.url.clone(),
        headers: fields.map(|(name, value)| (name.to_owned(), Zeroizing::new(value))).to_vec(),
        body: Zeroizing::new(notice.body.clone().into_bytes()),
    }
}

/// The text of a notice's id for the receiver: `msg_<uuid>`.
fn message_id(id: NoticeId) -> String {
    format!("msg_{id}")
}

fn for_endpoints(
    server: &AuthorizationServer,
    event: NoticeEvent,
    data: &Map<String, Value>,
    now: Timestamp,
) -> Vec<Notice> {
    let wants = |endpoint: &&Webhook| {
        endpoint.events.is_empty() || endpoint.events.iter().any(|own| own == event.as_str())
    };
    let one = |endpoint: &Webhook| {
        let id = NoticeId(server.new_id());
        let body = json!({
            "type": event.as_str(),
            "id": message_id(id),
            "timestamp": now.rfc3339(),
            "data": data,
        });
        Notice {
            id,
            endpoint: endpoint.name.clone(),
            event: event.as_str().to_owned(),
            body: body.to_string(),
            attempts: 0,
            due_at: now,
            expires_at: now.plus(LIFETIME),
        }
    };
    server.policy.vault.webhooks.iter().filter(wants).map(one).collect()
}

/// What a message says of a connection. Generation and version put messages that come late, or
/// twice, into their order.
fn described(connection: &Connection, integration: Option<&Integration>) -> Map<String, Value> {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("connection_id", format!("con_{}", connection.id).into());
    put("integration", connection.integration.as_str().into());
    put("provider", integration.map(|own| own.provider.name.as_str()).into());
    put("subject", connection.subject.as_str().into());
    put("account", json!(connection.account));
    put("scope", connection.scope.to_string().into());
    put("generation", connection.generation.into());
    put("version", connection.version.into());
    if let Some(at) = connection.refresh_expires_at {
        put("refresh_token_expires_at", at.rfc3339().into());
    }
    if let ConnectionStatus::ReauthRequired(reauth) = &connection.status {
        put("reason", json!(reauth.reason));
        put("error", reauth.error.as_deref().into());
        put("error_subtype", reauth.error_subtype.as_deref().into());
        put("since", reauth.since.rfc3339().into());
    }
    data
}

/// What to do about it, for a person and for a program; `None` where nothing needs to be done.
fn repair(
    issuer: &str,
    event: NoticeEvent,
    connection: &Connection,
    integration: Option<&Integration>,
) -> Option<Value> {
    match event {
        NoticeEvent::Connected | NoticeEvent::Recovered | NoticeEvent::Disconnected => return None,
        NoticeEvent::IntegrationPaused => return Some(client_repair(&connection.integration)),
        NoticeEvent::ReauthRequired | NoticeEvent::ExpiringSoon => {}
    }
    if integration.is_some_and(|own| own.kind == IntegrationKind::ClientCredentials) {
        return Some(client_repair(&connection.integration));
    }
    let mut hint = json!({
        "action": "reconnect",
        "message": advice(&connection.status),
        "request": {
            "method": "POST",
            "url": format!("{issuer}/connect/sessions"),
            "body": {
                "integration": connection.integration,
                "subject": connection.subject,
                "connection_id": format!("con_{}", connection.id),
            },
        },
    });
    if integration.is_some_and(|own| own.self_service) {
        hint["page"] = format!("{issuer}/connections").into();
    }
    Some(hint)
}

fn client_repair(integration: &str) -> Value {
    json!({
        "action": "check_client",
        "message": format!(
            "The provider refuses the client. Compare client_id and client_secret of \
             integrations.{integration} with what the provider's console says, and restart."
        ),
    })
}

fn advice(status: &ConnectionStatus) -> &'static str {
    let ConnectionStatus::ReauthRequired(reauth) = status else {
        return "The grant ends soon. Have the person connect the account again before that.";
    };
    match reauth.reason {
        ReauthReason::GrantDead => {
            "The provider says that the grant is over. Have the person connect the account again."
        }
        ReauthReason::SignInAgain => {
            "The provider wants the person to sign in again. Have the person connect the account \
             again; what was granted is still granted."
        }
        ReauthReason::RefreshTokenExpired => {
            "The refresh token has reached its age. Have the person connect the account again."
        }
        ReauthReason::NoRefreshToken => {
            "The provider gave no refresh token. Have the person connect the account again, and \
             check that the integration asks for offline access."
        }
        ReauthReason::RefreshOutcomeLost => {
            "The answer to a refresh was lost, and the old refresh token is spent. Have the person \
             connect the account again."
        }
        ReauthReason::ClientChanged => {
            "It was connected through another client id, and its refresh token works with that one \
             only. Have the person connect the account again."
        }
        ReauthReason::Operator => {
            "An operator asks for it. Have the person connect the account again."
        }
    }
}

/// `v1,` and the base64 of an HMAC-SHA256 over `id.time.body`, for each key.
fn signatures(keys: &[Zeroizing<Vec<u8>>], id: &str, time: &str, body: &str) -> String {
    let one = |bytes: &Zeroizing<Vec<u8>>| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let mut context = hmac::Context::with_key(&key);
        for part in [id, ".", time, ".", body] {
            context.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(context.sign()))
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";

    /// The example of the specification's own libraries.
    fn key() -> Zeroizing<Vec<u8>> {
        Zeroizing::new(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64"))
    }

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let signed = signatures(&[key()], ID, "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_key_is_replaced_both_sign() {
        let sign = |keys: &[_]| signatures(keys, ID, "1614265330", "{}");
        let next = Zeroizing::new(vec![7; 32]);
        let (both, new, old) = (sign(&[next.clone(), key()]), sign(&[next]), sign(&[key()]));
        assert_eq!(both, format!("{new} {old}"));
        assert_ne!(new, old);
    }

    #[test]
    fn a_message_has_the_same_id_however_often_it_is_sent_and_a_time_of_its_own() {
        let notice = Notice {
            id: NoticeId(Id::from_parts(1_800_000_000_000, [5; 10])),
            endpoint: "ops".to_owned(),
            event: NoticeEvent::Connected.as_str().to_owned(),
            body: "{}".to_owned(),
            attempts: 1,
            due_at: Timestamp::from_epoch(0),
            expires_at: Timestamp::from_epoch(0),
        };
        let endpoint = Webhook {
            name: "ops".to_owned(),
            url: "https://ops.example/hook".to_owned(),
            keys: vec![key()],
            events: Vec::new(),
        };
        let sent = [1_800_000_000, 1_800_000_600].map(|epoch| {
            let request = request(&endpoint, &notice, Timestamp::from_epoch(epoch));
            let field = |name: &str| {
                let found = request.headers.iter().find(|(own, _)| own == name);
                found.map(|(_, value)| value.to_string()).expect("a header field")
            };
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(field)
        });
        assert_eq!(sent[0][0], sent[1][0]);
        assert_eq!(sent[0][1], "1800000000");
        assert_ne!(sent[0][2], sent[1][2]);
    }
}
