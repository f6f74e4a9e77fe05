//! Rules of `SecretStore`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    Client, ClientSecret, ConnectSession, ConnectState, OutboxMail, PendingRequest,
    SealedSigningKey,
};
use grantor_core::store::{Added, AttemptLimits, Recorded, SealedKind, ServerSecret, Store};
use grantor_core::time::Seconds;

use super::fixtures::{NOW, after, attempt, client, key, mail, request};
use super::vault_fixtures::{connect_session, started, waiting, wrapped};
use super::{count, race, rules};

rules![
    a_secret_is_kept_replaced_and_removed,
    of_many_with_one_name_one_is_added,
    of_many_who_replace_a_secret_one_does,
    what_each_key_has_sealed_is_counted,
];

fn secret(name: &str) -> ServerSecret {
    ServerSecret { name: name.to_owned(), sealed: wrapped([4; 8]) }
}

async fn a_secret_is_kept_replaced_and_removed(store: Arc<dyn Store>) {
    let (one, two) = (secret("root"), secret("canary"));
    for secret in [&one, &two] {
        assert_eq!(store.add_server_secret(secret.clone()).await.expect("add"), Added::Done);
    }
    assert_eq!(store.add_server_secret(secret("root")).await.expect("add"), Added::Exists);
    assert_eq!(store.server_secrets().await.expect("list"), [two.clone(), one.clone()]);
    let anew = secret("root");
    let replace = async |before: &[u8], after: &ServerSecret| {
        store.replace_server_secret(before, after.clone()).await.expect("replace")
    };
    assert!(!replace(&two.sealed, &anew).await);
    assert!(!replace(&one.sealed, &secret("unknown")).await);
    assert!(replace(&one.sealed, &anew).await);
    assert!(!replace(&one.sealed, &anew).await);
    store.remove_server_secret("canary").await.expect("remove");
    store.remove_server_secret("canary").await.expect("remove what is gone");
    assert_eq!(store.server_secrets().await.expect("list"), [anew]);
}

async fn of_many_with_one_name_one_is_added(store: Arc<dyn Store>) {
    let added = race(&store, |store, _| async move {
        store.add_server_secret(secret("root")).await.expect("add")
    });
    assert_eq!(count(&added.await, |added| *added == Added::Done), 1);
}

async fn of_many_who_replace_a_secret_one_does(store: Arc<dyn Store>) {
    let first = secret("root");
    store.add_server_secret(first.clone()).await.expect("add");
    let replaced = race(&store, |store, _| {
        let before = first.sealed.clone();
        async move { store.replace_server_secret(&before, secret("root")).await.expect("replace") }
    });
    assert_eq!(count(&replaced.await, |replaced| *replaced), 1);
}

/// Something of every kind, sealed by the key whose id is eight times `key_id`.
async fn seal_all(store: &Arc<dyn Store>, key_id: u8) {
    let sealed = || wrapped([key_id; 8]);
    let signing =
        SealedSigningKey { sealed: sealed(), ..key(&format!("k{key_id}"), Algorithm::Es256) };
    let newest = (key_id > 1).then(|| format!("k{}", key_id - 1));
    store.add_signing_key(signing, newest.as_deref(), after(600)).await.expect("add");
    let client = Client {
        secret: Some(ClientSecret::Sealed(sealed())),
        ..client(&format!("client {key_id}"))
    };
    store.add_client(client).await.expect("add");
    let mail = OutboxMail { sealed: sealed(), ..mail() };
    let limits = AttemptLimits { pause: Seconds(0), per_hour: 9 };
    store.start_attempt(attempt("a@example.com"), Some(mail), limits, NOW).await.expect("start");
    let parameters = URL_SAFE_NO_PAD.encode(sealed());
    store.add_request(PendingRequest { parameters, ..request() }).await.expect("add");
    for mut state in [started(), waiting(), ConnectState::Open] {
        if let ConnectState::Started { sealed: own, .. }
        | ConnectState::Waiting { sealed: own, .. } = &mut state
        {
            *own = sealed();
        }
        let session = ConnectSession { state, ..connect_session() };
        store.add_connect_session(session, Recorded::default()).await.expect("add");
    }
    let secret = ServerSecret { name: format!("root {key_id}"), sealed: sealed() };
    store.add_server_secret(secret).await.expect("add");
}

async fn what_each_key_has_sealed_is_counted(store: Arc<dyn Store>) {
    assert_eq!(store.sealed_uses().await.expect("count"), []);
    store.add_client(client("hashed")).await.expect("add");
    for key_id in [1, 2] {
        seal_all(&store, key_id).await;
    }
    let uses = store.sealed_uses().await.expect("count");
    let all = [
        (SealedKind::SigningKey, 1),
        (SealedKind::ClientSecret, 1),
        (SealedKind::Mail, 1),
        (SealedKind::PendingRequest, 1),
        (SealedKind::ConnectSession, 2),
        (SealedKind::ServerSecret, 1),
    ];
    for (kind, expected) in all {
        for key_id in [1, 2] {
            assert!(uses.contains(&(kind, [key_id; 8], expected)), "{kind:?}: {uses:?}");
        }
    }
    assert_eq!(uses.len(), 12);
}
