//! Records of the vault to test with, all different, all made at [`NOW`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use grantor_core::id::{AuditId, ConnectSessionId, ConnectionId, Id, NoticeId, RefreshId};
use grantor_core::model::{
    Account, ApiKey, ApiKeyAction, ApiKeyRights, AuditEvent, ConnectMode, ConnectSession,
    ConnectState, Connection, ConnectionStatus, Notice, Pause, PreviousSecret, Reauth,
    ReauthReason, RefreshAttempt, SealedCredential, Trouble,
};
use grantor_core::store::{Granted, Held, Recorded, Selector, Store};

use super::fixtures::{NOW, after, digest, id, scope};

/// An id that sorts after all that were made before.
pub fn later_id() -> Id {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let millis = 1_800_000_000_000 + MADE.fetch_add(1, Ordering::Relaxed);
    let mut unique = [0; 10];
    unique.copy_from_slice(&id().as_bytes()[6..]);
    Id::from_parts(millis, unique)
}

/// A connection of `subject` through `integration`, with everything filled in; its access token
/// expires after 3600 seconds and it is due after 3000.
pub fn held(integration: &str, subject: &str) -> Held {
    let connection = connection(integration, subject);
    let credential = credential(&connection);
    Held { connection, credential }
}

/// The same, without the tokens.
pub fn connection(integration: &str, subject: &str) -> Connection {
    let id = ConnectionId(later_id());
    Connection {
        id,
        integration: integration.to_owned(),
        client_id: "client".to_owned(),
        subject: subject.to_owned(),
        account: Account {
            sub: format!("sub-{id}"),
            email: Some(format!("{id}@Example.com")),
            name: Some("Zoë".to_owned()),
            organization: Some("example.com".to_owned()),
        },
        scope: scope("https://mail.example/read openid"),
        requested: scope("openid https://mail.example/read calendar"),
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: NOW,
        expires_at: Some(after(3_600)),
        refreshable: true,
        refresh_expires_at: Some(after(604_800)),
        refresh_used_at: NOW,
        rotates: None,
        variables: BTreeMap::from([(
            "instance_url".to_owned(),
            "https://eu.example/\"x\"".to_owned(),
        )]),
        trouble: None,
        due_at: Some(after(3_000)),
        created_at: NOW,
        connected_at: NOW,
        last_used_at: None,
    }
}

/// Sealed tokens; the data key is wrapped by the key-encryption key whose id is eight times 1.
pub fn credential(connection: &Connection) -> SealedCredential {
    SealedCredential {
        connection: connection.id,
        generation: connection.generation,
        version: connection.version,
        data_key: wrapped([1; 8]),
        access_token: digest().as_bytes().repeat(64),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(digest().as_bytes().to_vec()),
        previous_refresh_token: None,
        id_token: Some(vec![0, 1, 255]),
    }
}

/// A data key that the key with this id wraps.
pub fn wrapped(key_id: [u8; 8]) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(key_id);
    bytes.extend(digest().as_bytes());
    bytes
}

/// The next grant of a connection: other tokens under another data key.
pub fn granted_again(before: &Connection) -> Held {
    let connection = Connection {
        generation: before.generation + 1,
        version: before.version + 1,
        ..before.clone()
    };
    let credential = credential(&connection);
    Held { connection, credential }
}

/// What a refresh makes of a connection: other tokens under the same data key.
pub fn renewed(before: &Held) -> Held {
    let connection = Connection {
        version: before.connection.version + 1,
        issued_at: after(3_000),
        expires_at: Some(after(6_600)),
        due_at: Some(after(6_000)),
        refresh_used_at: after(3_000),
        rotates: Some(true),
        ..before.connection.clone()
    };
    let credential = SealedCredential {
        data_key: before.credential.data_key.clone(),
        previous_refresh_token: before.credential.refresh_token.clone(),
        ..credential(&connection)
    };
    Held { connection, credential }
}

/// Stores a new grant.
pub async fn grant(store: &dyn Store, integration: &str, subject: &str) -> Held {
    let held = held(integration, subject);
    let done = store.store_grant(held.clone(), None, None, Recorded::default(), NOW).await;
    assert_eq!(done.expect("store a grant"), Granted::Done);
    held
}

/// An attempt to refresh a connection as it is; its lease lasts 60 seconds.
pub fn refresh(connection: &Connection) -> RefreshAttempt {
    RefreshAttempt {
        id: RefreshId(id()),
        connection: connection.id,
        generation: connection.generation,
        version: connection.version,
        again: false,
        started_at: NOW,
        until: after(60),
    }
}

/// The provider has said that the grant is over.
pub fn dead() -> ConnectionStatus {
    reauth(ReauthReason::GrantDead)
}

/// A person has to grant a connection again.
pub fn reauth(reason: ReauthReason) -> ConnectionStatus {
    ConnectionStatus::ReauthRequired(Reauth {
        reason,
        error: Some("invalid_grant".to_owned()),
        error_subtype: Some("invalid_rapt".to_owned()),
        since: after(1),
    })
}

/// Three refreshes have failed.
pub fn trouble() -> Trouble {
    Trouble {
        attempts: 3,
        since: NOW,
        last_at: after(5),
        next_at: after(20),
        class: "transient".to_owned(),
        error: None,
        detail: "the provider says \"503\"".to_owned(),
    }
}

/// A pause of an integration.
pub fn pause(integration: &str) -> Pause {
    Pause {
        integration: integration.to_owned(),
        error: "invalid_client".to_owned(),
        detail: "The OAuth client was not found.".to_owned(),
        fingerprint: "ab12".to_owned(),
        since: NOW,
        next_at: after(600),
    }
}

/// A connect session that nobody has opened, over after 600 seconds.
pub fn connect_session() -> ConnectSession {
    ConnectSession {
        id: ConnectSessionId(id()),
        digest: digest(),
        integration: "google".to_owned(),
        subject: "user-42".to_owned(),
        scope: scope("openid calendar"),
        account_hint: Some("ann@example.com".to_owned()),
        reconnect: Some(ConnectionId(id())),
        return_url: Some("https://app.example/done?a=b".to_owned()),
        mode: ConnectMode::Bound,
        made_by: "ab12cd34".to_owned(),
        state: ConnectState::Open,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// The browser is at the provider; its state lasts 300 seconds.
pub fn started() -> ConnectState {
    ConnectState::Started {
        state: digest(),
        browser: digest(),
        until: after(300),
        sealed: wrapped([3; 8]),
    }
}

/// Somebody has to confirm.
pub fn waiting() -> ConnectState {
    ConnectState::Waiting { code: digest(), browser: digest(), sealed: wrapped([3; 8]) }
}

/// An API key with everything filled in; it expires after 600 seconds.
pub fn api_key(key_id: &str) -> ApiKey {
    ApiKey {
        id: key_id.to_owned(),
        service: "mail robot".to_owned(),
        digest: digest(),
        previous: Some(PreviousSecret { digest: digest(), until: after(60) }),
        rights: ApiKeyRights {
            actions: vec![ApiKeyAction::Token, ApiKeyAction::Proxy],
            integrations: Some(vec!["google".to_owned()]),
            subjects: Some(vec!["user \"42\"".to_owned()]),
            connections: Some(Vec::new()),
            scope: Some(scope("calendar")),
        },
        created_at: NOW,
        expires_at: Some(after(600)),
        revoked_at: None,
        last_used_at: None,
    }
}

/// An entry for the audit log.
pub fn audit_event(action: &str) -> AuditEvent {
    AuditEvent {
        id: AuditId(id()),
        at: NOW,
        action: action.to_owned(),
        actor: "api_key:ab12cd34".to_owned(),
        target: "con_1".to_owned(),
        details: "{\"b\":1,\"a\":\"Zoë\"}".to_owned(),
        mac: *digest().as_bytes(),
    }
}

/// A webhook that is due, and given up after 600 seconds.
pub fn notice(event: &str) -> Notice {
    Notice {
        id: NoticeId(id()),
        endpoint: "crm".to_owned(),
        event: event.to_owned(),
        body: "{\"event\":\"Zoë\"}".to_owned(),
        attempts: 0,
        due_at: NOW,
        expires_at: after(600),
    }
}

/// An entry and a webhook, to be written with a change.
pub fn recorded(action: &str) -> Recorded {
    Recorded { audit: vec![audit_event(action)], notices: vec![notice(action)] }
}

/// The actions in the audit log, which must verify, and of the webhooks that wait there are as many.
pub async fn written(store: &dyn Store) -> Vec<String> {
    let entries = super::audit::verified(store).await;
    let waiting = store.pending_notices().await.expect("count");
    assert_eq!(usize::try_from(waiting).expect("few"), entries.len(), "one webhook for each entry");
    entries.into_iter().map(|entry| entry.event.action).collect()
}

/// The selector of one connection.
pub fn only(id: ConnectionId) -> Selector {
    Selector { connections: Some(vec![id]), ..Selector::default() }
}
