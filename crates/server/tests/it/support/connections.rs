//! Connections with sealed tokens, put into the store as if providers had granted them; and the keys
//! that seal, changed as an operator changes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grantor_core::id::{ConnectionId, Id, RefreshId};
use grantor_core::jose::seal::{KeyEncryptionKey, KeyRing, Place};
use grantor_core::model::{Account, Connection, ConnectionStatus, RefreshAttempt, Scope};
use grantor_core::ports::testing::SeededEntropy;
use grantor_core::store::{Begun, Ended, Granted, Held, Recorded, RefreshEnd, Selector, Store};
use grantor_core::time::{Seconds, Timestamp};
use grantor_core::vault::seal::{self, Tokens};
use tokio::task::{JoinHandle, JoinSet};
use zeroize::Zeroizing;

use super::{Server, random};

/// A key-encryption key in a file, as an operator makes it.
pub(crate) struct KeyFile {
    /// The file.
    pub(crate) path: PathBuf,
    bytes: [u8; 32],
}

impl KeyFile {
    /// A new one, in `folder`.
    pub(crate) fn make(folder: &Path, name: &str) -> Self {
        let key = rustls::crypto::aws_lc_rs::default_provider();
        let mut bytes = [0; 32];
        key.secure_random.fill(&mut bytes).expect("random bytes");
        let key = Self { path: folder.join(name), bytes };
        fs::write(&key.path, &key.forms()[1]).expect("written");
        key
    }

    /// The one that a server made at its first start.
    pub(crate) fn of(server: &Server) -> Self {
        let path = server.data().join("key-encryption.key");
        let text = fs::read_to_string(&path).expect("a key");
        let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16);
        Self { bytes: std::array::from_fn(|i| byte(i).expect("hexadecimal")), path }
    }

    /// Its name in what it seals.
    pub(crate) fn id(&self) -> String {
        self.key().id()
    }

    /// A ring that seals with it, and opens with the others too.
    pub(crate) fn ring(&self, others: &[&Self]) -> KeyRing {
        KeyRing::new(self.key(), others.iter().map(|own| own.key()).collect())
    }

    /// What must stand in no file but its own: its bytes, as they are and in hexadecimal.
    pub(crate) fn forms(&self) -> [Vec<u8>; 2] {
        let hex: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [self.bytes.to_vec(), hex.into_bytes()]
    }

    fn key(&self) -> KeyEncryptionKey {
        KeyEncryptionKey::new(&self.bytes).expect("32 bytes")
    }
}

impl Server {
    /// Changes the settings of the keys, for the next start and for the command line.
    pub(crate) fn set_keys(&self, active: &KeyFile, retired: &[&KeyFile]) {
        let text = fs::read_to_string(self.config()).expect("settings");
        let mut settings: toml::Table = toml::from_str(&text).expect("TOML");
        let shown = |own: &KeyFile| toml::Value::from(own.path.display().to_string());
        let retired: Vec<_> = retired.iter().map(|own| shown(own)).collect();
        let keys = toml::Table::from_iter([
            ("key_encryption_key_file".to_owned(), shown(active)),
            ("retired_key_encryption_key_files".to_owned(), retired.into()),
        ]);
        settings.insert("keys".to_owned(), keys.into());
        fs::write(self.config(), toml::to_string(&settings).expect("TOML")).expect("written");
    }

    /// Puts `count` connections into the store, sealed under `key`; the tokens by connection.
    pub(crate) async fn connections(
        &self,
        key: &KeyFile,
        integration: &str,
        count: usize,
    ) -> BTreeMap<ConnectionId, Tokens> {
        let (store, ring) = (self.open_store().await, key.ring(&[]));
        let (mut made, mut tasks) = (BTreeMap::new(), JoinSet::new());
        let entropy = SeededEntropy::new(u32::from_str_radix(&key.id()[..8], 16).expect("hex"));
        for n in 0..count {
            let connection = connection(integration, n);
            let tokens = tokens();
            let credential = seal::seal_with(&ring, &entropy, &connection, &tokens, None);
            let held = Held { credential: credential.expect("sealed"), connection };
            made.insert(held.connection.id, tokens);
            let store = store.clone();
            tasks.spawn(async move {
                let now = held.connection.created_at;
                let recorded = Recorded::default();
                let stored = store.store_grant(held, None, None, recorded, now).await;
                assert_eq!(stored.expect("stored"), Granted::Done);
            });
            while tasks.len() >= 200 {
                tasks.join_next().await.expect("one").expect("no panic");
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic");
        }
        for tokens in made.values().take(50) {
            self.seen.add(&tokens.access_token);
            self.seen.add(tokens.refresh_token.as_ref().expect("one"));
        }
        made
    }
}

/// The data key of a connection, in clear.
pub(crate) async fn data_key(
    store: &dyn Store,
    ring: &KeyRing,
    connection: ConnectionId,
) -> Vec<u8> {
    let selector = Selector { connections: Some(vec![connection]), ..Selector::default() };
    let held = store.held(&selector, 1).await.expect("read").pop().expect("there");
    let row = [connection.0.as_bytes(), held.connection.integration.as_bytes()].concat();
    let place = Place { table: "credential", column: "data_key", row: &row };
    ring.open(&held.credential.data_key, &place).expect("opens").to_vec()
}

/// The tokens of a connection as `ring` opens them.
pub(crate) async fn opened(
    store: &dyn Store,
    ring: &KeyRing,
    connection: ConnectionId,
) -> Option<Tokens> {
    let selector = Selector { connections: Some(vec![connection]), ..Selector::default() };
    let held = store.held(&selector, 1).await.expect("read").pop().expect("there");
    seal::open_with(ring, &held).ok()
}

/// What servers do meanwhile: tokens are read all the time, and now and then one is refreshed.
pub(crate) struct Traffic {
    over: Arc<AtomicBool>,
    task: JoinHandle<(BTreeMap<ConnectionId, Tokens>, u32, u32)>,
}

impl Traffic {
    /// On these connections, with these keys.
    pub(crate) async fn start(
        server: &Server,
        ring: KeyRing,
        mut tokens: BTreeMap<ConnectionId, Tokens>,
    ) -> Self {
        let over = Arc::<AtomicBool>::default();
        let (store, ended) = (server.open_store().await, over.clone());
        let task = tokio::spawn(async move {
            let ids: Vec<_> = tokens.keys().copied().collect();
            let (mut read, mut renewed) = (0, 0);
            for (n, id) in ids.iter().rev().cycle().enumerate() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let found = opened(&*store, &ring, *id).await.expect("it opens");
                assert!(found == tokens[id], "{id}");
                read += 1;
                if n % 20 == 0 {
                    tokens.insert(*id, refresh(&*store, &ring, *id).await);
                    renewed += 1;
                }
            }
            (tokens, read, renewed)
        });
        Self { over, task }
    }

    /// Every read was good, and there were some of both; the tokens as they are now.
    pub(crate) async fn stop(self) -> BTreeMap<ConnectionId, Tokens> {
        self.over.store(true, Ordering::Relaxed);
        let (tokens, read, renewed) = self.task.await.expect("all were good");
        assert!(read > 100 && renewed > 5, "{read} {renewed}");
        tokens
    }
}

/// As a server does, with a while between reading and storing, for the provider to answer.
async fn refresh(store: &dyn Store, ring: &KeyRing, connection: ConnectionId) -> Tokens {
    let selector = Selector { connections: Some(vec![connection]), ..Selector::default() };
    let mut held = store.held(&selector, 1).await.expect("read").pop().expect("there");
    let now = held.connection.created_at;
    let attempt = RefreshAttempt {
        id: RefreshId(later_id(7)),
        connection,
        generation: held.connection.generation,
        version: held.connection.version,
        again: false,
        started_at: now,
        until: now.plus(Seconds(60)),
    };
    let begun = store.begin_refresh(attempt.clone(), now).await.expect("begun");
    assert!(matches!(begun, Begun::Yes(_)), "{begun:?}");
    tokio::time::sleep(Duration::from_millis(5)).await;
    // Another seed each time: a nonce must not come twice.
    let seed = random().bytes().fold(0_u32, |seed, byte| seed.wrapping_mul(67) ^ u32::from(byte));
    let (next, entropy) = (tokens(), SeededEntropy::new(seed));
    held.connection.version += 1;
    let before = Some(&held.credential);
    let sealed = seal::seal_with(ring, &entropy, &held.connection, &next, before);
    held.credential = sealed.expect("sealed");
    let end = RefreshEnd::Renewed(Box::new(held));
    let ended = store.end_refresh(&attempt, end, Recorded::default(), now).await;
    assert_eq!(ended.expect("ended"), Ended::Done);
    next
}

fn later_id(n: u64) -> Id {
    let mut unique = [0; 10];
    unique.copy_from_slice(&random().as_bytes()[..10]);
    Id::from_parts(1_800_000_000_000 + n, unique)
}

fn connection(integration: &str, n: usize) -> Connection {
    let now = Timestamp::from_epoch(1_800_000_000);
    let scope = Scope::parse("https://mail.example/read").expect("a scope");
    Connection {
        id: ConnectionId(later_id(n as u64)),
        integration: integration.to_owned(),
        client_id: "client".to_owned(),
        subject: format!("user-{n}"),
        account: Account { sub: format!("sub-{n}"), ..Account::default() },
        scope: scope.clone(),
        requested: scope,
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: now,
        expires_at: None,
        refreshable: true,
        refresh_expires_at: None,
        refresh_used_at: now,
        rotates: None,
        variables: BTreeMap::new(),
        trouble: None,
        due_at: None,
        created_at: now,
        connected_at: now,
        last_used_at: None,
    }
}

fn tokens() -> Tokens {
    let token = |kind: &str| Zeroizing::new(format!("{kind}.{}", random()));
    Tokens {
        access_token: token("ya29"),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(token("1//0")),
        previous_refresh_token: None,
        id_token: None,
    }
}
