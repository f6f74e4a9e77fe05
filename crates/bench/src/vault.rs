//! A vault that has been in use: connections with sealed tokens, put into the store before the
//! server starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::rand;
use grantor_core::id::{ConnectionId, Id};
use grantor_core::jose::seal::{KeyEncryptionKey, KeyRing};
use grantor_core::model::{Account, Connection, ConnectionStatus, Scope};
use grantor_core::ports::Entropy;
use grantor_core::store::{Granted, Held, Recorded, Store};
use grantor_core::time::{Seconds, Timestamp};
use grantor_core::vault::seal::{Tokens, seal_with};
use tokio::task::JoinSet;

use crate::deploy::{Deployment, INTEGRATION, PROVIDER_CLIENT};
use crate::report::number;
use crate::target::Target;

/// Bytes of a token, about as many as Google's have.
const TOKEN_BYTES: usize = 220;
const REFRESH_BYTES: usize = 100;

/// How often the server writes down that a connection is used. When that was last is spread over as
/// long a time, as in a server whose connections are all in use.
const NOTED: Seconds = Seconds::hours(1);

/// Writes that are under way at once.
const AT_ONCE: usize = 256;

/// A server whose vault has connections, and a key that reaches them.
pub(crate) struct Vault {
    /// Its folder.
    pub(crate) deployment: Deployment,
    /// It runs.
    pub(crate) server: Target,
    /// What a service shows.
    pub(crate) api_key: String,
    /// How many connections there are.
    pub(crate) connections: usize,
    /// How long it took to write them.
    pub(crate) filling: Duration,
    /// How large the file is, in gigabytes.
    pub(crate) gigabytes: f64,
}

impl Vault {
    /// Starts a server with so many connections.
    pub(crate) async fn set(mut deployment: Deployment, connections: usize) -> Result<Self> {
        let api_key = deployment.api_key()?;
        let started = Instant::now();
        let store = deployment.place.open(&deployment.database()).await?;
        fill(&deployment, store, connections).await.context("cannot fill the vault")?;
        let filling = started.elapsed();
        let gigabytes = number(std::fs::metadata(deployment.database())?.len()) / 1e9;
        let server = deployment.serve_ready().await?;
        Ok(Self { deployment, server, api_key, connections, filling, gigabytes })
    }
}

/// The subject of a connection by its number; all are of one length.
pub(crate) fn subject(number: usize) -> String {
    format!("user-{number:08}")
}

struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the system gives randomness");
    }
}

/// Sealed as the server seals them, and stored as it stores them.
pub(crate) async fn fill(
    deployment: &Deployment,
    store: Arc<dyn Store>,
    connections: usize,
) -> Result<()> {
    let ring = KeyRing::new(key(&deployment.key_file())?, Vec::new());
    #[expect(clippy::disallowed_methods, reason = "tokens are valid by the time of day")]
    let passed = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let held = held(&ring, number, passed)?;
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let now = held.connection.created_at;
            store.store_grant(held, None, None, Recorded::default(), now).await
        });
        while tasks.len() >= AT_ONCE || number + 1 == connections && !tasks.is_empty() {
            let granted = tasks.join_next().await.context("one is under way")???;
            ensure!(granted == Granted::Done, "a connection was there before");
        }
    }
    Ok(())
}

fn held(ring: &KeyRing, number: usize, passed: Duration) -> Result<Held> {
    let connection = connection(number, passed)?;
    let token = |bytes| format!("ya29.{}", text(bytes)).into();
    let tokens = Tokens {
        access_token: token(TOKEN_BYTES),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(token(REFRESH_BYTES)),
        previous_refresh_token: None,
        id_token: None,
    };
    let credential = seal_with(ring, &System, &connection, &tokens, None)?;
    Ok(Held { connection, credential })
}

fn connection(number: usize, passed: Duration) -> Result<Connection> {
    let mut unique = [0; 10];
    System.fill(&mut unique);
    // Made one after the other over the last month, as they are in a server.
    let millis = u64::try_from(passed.as_millis())? - 2_592_000_000 + number as u64;
    let now = Timestamp::from_epoch(i64::try_from(passed.as_secs())?);
    let scope = Scope::parse("openid https://www.googleapis.com/auth/calendar.readonly")?;
    Ok(Connection {
        id: ConnectionId(Id::from_parts(millis, unique)),
        integration: INTEGRATION.to_owned(),
        client_id: PROVIDER_CLIENT.to_owned(),
        subject: subject(number),
        account: Account {
            sub: format!("1018151210185{number:08}"),
            email: Some(format!("{}@example.com", subject(number))),
            ..Account::default()
        },
        scope: scope.clone(),
        requested: scope,
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: now.minus(NOTED),
        // Longer than anything is measured: no token is refreshed meanwhile.
        expires_at: Some(now.plus(Seconds::days(1))),
        refreshable: true,
        refresh_expires_at: None,
        refresh_used_at: now,
        rotates: Some(false),
        variables: BTreeMap::new(),
        trouble: None,
        due_at: None,
        created_at: now,
        connected_at: now,
        last_used_at: Some(now.minus(Seconds(number as u32 % NOTED.0))),
    })
}

/// Random characters.
fn text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    System.fill(&mut random);
    random.iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The key-encryption key that the server made.
fn key(file: &Path) -> Result<KeyEncryptionKey> {
    let text = std::fs::read_to_string(file).context("the key file cannot be read")?;
    let mut bytes = [0; 32];
    for (i, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(2 * i..2 * i + 2).context("the key file is too short")?;
        *byte = u8::from_str_radix(digits, 16)?;
    }
    Ok(KeyEncryptionKey::new(&bytes)?)
}
