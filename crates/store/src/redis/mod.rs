//! The Redis back end: one server, the primary that Sentinel names, or a cluster.
//!
//! # Families
//!
//! Whatever some method of the port changes together lies in one slot of a cluster: its keys begin
//! with the same hash tag. There are six such families, each on one node of a cluster; a cluster
//! makes the store survive a node and does not spread the load of one family.
//!
//! | keys | records |
//! |---|---|
//! | `{grantor:oauth}:` | `client:<client_id>` `initial:<id>` `user:<id>` `session:<id>` `consent:<user>:<client_id>` `request:<id>` `code:<id>` `device:<id>` `family:<id>` `access:<id>` `revoked:<id>` `removed:<client_id>` |
//! | `{grantor:signin}:` | `attempt:<id>` `mail:<id>` `external:<id>` |
//! | `{grantor:vault}:` | `connection:<id>` `credential:<id>` `refresh:<connection>` `connect_session:<id>` `api_key:<id>` `pause:<integration>` `notice:<id>`; `audit`, a stream |
//! | `{grantor:keys}:` | `signing_key:<kid>`; `secrets`, a hash |
//! | `{grantor:once}:` | `client_assertion:<digest>` `grant_assertion:<digest>` |
//! | `{grantor:limits}:` | `limit:<key>` |
//!
//! A record is a hash with the names of `migrations/sqlite` as its fields: `HGETALL
//! {grantor:oauth}:client:web`. What a record does not have, the hash has not. Times are seconds
//! since the epoch, ids and numbers text, lists JSON, digests and what is sealed bytes. Indexes are
//! sorted sets, described where they are used; the one of what a client holds, `held:<client_id>`,
//! in `lua/held.lua`. Every family has a hash `meta` with its epoch and counters, and a sorted set
//! `expiry` of the moments from which records are of no use.
//!
//! # Scripts
//!
//! A method is one script, and so one atomic step. Keys that are known beforehand are passed as
//! `KEYS`; those that are found in an index are read before anything is written, so that a script
//! that may not reach one, because its slot is just being moved, has changed nothing. Whether
//! something has expired is decided by the `now` of the caller. Redis's own expiry only cleans up,
//! a day late, records that are in no index; the sweep removes the rest, and most of those too.
//!
//! A command whose connection breaks is never sent again, because nobody knows whether it was done;
//! one that was certainly not done, because the server is loading or it is another one's turn, is.
//!
//! # Epochs
//!
//! Redis may go back: it is started again from an old snapshot, or a replica that was behind takes
//! over. Then it knows codes and tokens as unspent that were spent. So each such thing is stored
//! with the number of the epoch in which it was issued, or last used, and can be spent only in that
//! epoch.
//!
//! An epoch is a history of one server, as `master_replid` of `INFO replication` names it: a
//! primary has a new one after each start and each promotion, also when it was primary before, and
//! never one that was there already. The script that issues or spends asks for it itself, so that
//! nothing can happen between the question and the step; when it is not the one that `meta` has,
//! the number is counted up. The number goes back with everything else, but what was issued later
//! is then not there either.
//!
//! Refused after that, as if they had expired: codes, e-mailed tokens, device codes, sign-ins on
//! the operator's page, connect sessions, initial access tokens and refresh tokens whose uses are
//! counted, and rotating refresh tokens: their current digest may be one that was spent, and a
//! thief may have it. Not refused: a refresh token that may be used any number of times, which has
//! nothing to spend, so that confidential clients go on; access tokens, sessions and everything
//! else that is not spent. Refusing revokes nothing: a family that is refused keeps its access
//! tokens.
//!
//! With [`Options::keeps_acknowledged`] the operator says that a restart or a failover loses
//! nothing that was acknowledged (`appendfsync always`; and, where there are replicas,
//! `wait_replicas`); a new history is then no new epoch, and nobody has to sign in again. As a net,
//! each process remembers how many steps were counted in the epoch, and a server that has counted
//! fewer has gone back.
//!
//! What else goes back with Redis is what it is: a revocation that was lost is not known, nor is a
//! `jti` that was seen. `docs/redis.md` says which settings lose what.

mod address;
mod api_keys;
mod audit;
mod client_hash;
mod clients;
mod codes;
mod column;
mod connect_sessions;
mod connection_hash;
mod connections;
mod consents;
mod data_keys;
mod devices;
mod external;
mod fault;
mod fields;
mod guarantees;
mod initial_tokens;
mod limits;
mod link;
mod listing;
mod notices;
mod once;
mod outbox;
mod pauses;
mod recorded;
mod refreshes;
mod requests;
mod script;
mod secrets;
mod selections;
mod sessions;
mod sign_in;
mod signing_keys;
mod sweep;
mod token_hash;
mod tokens;
mod transfer;
mod users;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Timestamp;
use tokio::task::AbortHandle;

use self::address::Address;
use self::fault::Fault;
use self::fields::{column, items};
use self::link::Link;
use self::recorded::Chain;
use self::script::{Call, Family, Mark, Script, scripts};
use crate::cache::{Cache, Caches};

scripts! {
    FORMAT = ["
call('HSETNX', meta, 'format', arg())
return call('HGET', meta, 'format')"];

    TIME = ["return call('TIME')"];
}

/// The form of what is stored. A later one that this version cannot work with has a greater number.
const FORMAT_VERSION: u32 = 1;

/// What can be tuned. The defaults suit a server; all nodes of a cluster need the same.
#[derive(Clone, Debug)]
pub struct Options {
    /// What every key begins with, inside the braces of its hash tag: `{grantor:oauth}:client:web`.
    /// Two servers with different ones can share a Redis. Letters, digits and `-_.`.
    pub prefix: String,
    /// How long a call may take before the store is unavailable.
    pub time_limit: Duration,
    /// How long connecting to one server may take.
    pub connect_limit: Duration,
    /// How many replicas must have what was written before it is acknowledged (`WAIT`); 0 for none.
    pub wait_replicas: u32,
    /// How long to wait for them. After that the write is not acknowledged, though the primary has
    /// it.
    pub wait_limit: Duration,
    /// Whether a restart or a failover loses nothing that was acknowledged: see the module on
    /// epochs. If that is said and is not true, codes and tokens may be spent twice.
    pub keeps_acknowledged: bool,
    /// The authorities that the servers' certificates must be from, a file in PEM; `None` for those
    /// of the system.
    pub authorities: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "grantor".to_owned(),
            time_limit: Duration::from_secs(3),
            connect_limit: Duration::from_secs(1),
            wait_replicas: 0,
            wait_limit: Duration::from_secs(1),
            keeps_acknowledged: false,
            authorities: None,
        }
    }
}

/// A Redis in use: one server, the primary that Sentinel names, or a cluster. Whoever stops has to
/// [`Redis::close`] it, so that what was begun is finished.
pub struct Redis {
    inner: Arc<Inner>,
    watchers: [AbortHandle; 2],
}

/// What the tasks in the background share.
struct Inner {
    link: Link,
    options: Options,
    marks: Mutex<[Mark; Family::ALL.len()]>,
    caches: Caches,
    /// Until when what is in memory is known to be what is stored.
    fresh_until: Mutex<Option<Instant>>,
    chain: Chain,
}

impl Redis {
    /// Connects. The error says what to do, and never has the password in it.
    pub async fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        Self::start(Arc::new(Inner::connect(url, options).await?)).await
    }

    /// The same; `None` when there is nothing of ours, and then nothing is written either.
    pub async fn open_existing(url: &str, options: &Options) -> Result<Option<Self>, StoreError> {
        let inner = Arc::new(Inner::connect(url, options).await?);
        match transfer::is_there(&inner).await.map_err(Fault::told)? {
            true => Self::start(inner).await.map(Some),
            false => Ok(None),
        }
    }

    async fn start(inner: Arc<Inner>) -> Result<Self, StoreError> {
        check_format(&inner).await?;
        let watchers = watch::start(&inner);
        Ok(Self { inner, watchers })
    }

    /// Finishes what was begun, and no more: later calls are unavailable.
    pub async fn close(&self) {
        self.inner.append_all().await;
        self.inner.link.close().await;
        self.stop_watching();
    }

    /// The time of day of the server that has the clients and tokens, in milliseconds since the
    /// epoch, at a moment before this answers.
    pub async fn time(&self) -> Result<u64, StoreError> {
        let told = async {
            let [seconds, micros] = items(self.call(&TIME, Family::Oauth).read().await?)?;
            Ok(column::<u64>(seconds)? * 1_000 + column::<u64>(micros)? / 1_000)
        };
        told.await.map_err(Fault::told)
    }

    fn stop_watching(&self) {
        self.watchers.iter().for_each(AbortHandle::abort);
    }

    /// A call of a script, to be given its keys and arguments.
    fn call(&self, script: &'static Script, family: Family) -> Call<'_> {
        Call::new(&self.inner, script, family)
    }

    /// Forgets what is in memory, after something was written or may have been.
    fn changed<T>(&self, outcome: Result<T, Fault>) -> Result<T, StoreError> {
        self.inner.caches.clear();
        outcome.map_err(Fault::told)
    }

    /// The record with this key, from memory or else by `read`.
    async fn cached<T>(
        &self,
        cache: impl Fn(&Caches) -> &Cache<T>,
        key: &str,
        read: impl Future<Output = Result<Option<T>, Fault>>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let cache = cache(&self.inner.caches);
        let missing = match cache.find(key) {
            Ok(record) if self.inner.is_fresh() => return Ok(Some(record)),
            Ok(_) => cache.missing(),
            Err(missing) => missing,
        };
        Ok(cache.keep(key, read.await.map_err(Fault::told)?, missing))
    }
}

impl Inner {
    async fn connect(url: &str, options: &Options) -> Result<Self, StoreError> {
        check_prefix(&options.prefix)?;
        Ok(Self {
            // Boxed, so that what awaits it stays small.
            link: Box::pin(Link::open(Address::parse(url)?, options)).await?,
            options: options.clone(),
            marks: Mutex::default(),
            caches: Caches::default(),
            fresh_until: Mutex::default(),
            chain: Chain::default(),
        })
    }

    fn tag(&self, family: Family) -> String {
        format!("{{{}:{}}}:", self.options.prefix, family.name())
    }

    fn mark(&self, family: Family) -> Mark {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)[family as usize]
    }

    fn learn(&self, family: Family, told: Mark) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks[family as usize] = marks[family as usize].max(told);
    }

    fn is_fresh(&self) -> bool {
        let until = *self.fresh_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop_watching();
    }
}

/// The prefix ends where the hash tag does.
fn check_prefix(prefix: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !prefix.is_empty() && prefix.chars().all(plain) {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!(
        "{prefix:?} cannot be what the keys in Redis begin with: letters, digits and -_. can"
    )))
}

/// Refuses what a later version has stored.
async fn check_format(inner: &Inner) -> Result<(), StoreError> {
    for family in Family::ALL {
        let call = Call::new(inner, &FORMAT, family).arg(&FORMAT_VERSION);
        let stored: u32 = call.read().await.and_then(column).map_err(Fault::told)?;
        if stored > FORMAT_VERSION {
            return Err(StoreError::Corrupt(format!(
                "what is in Redis has the form {stored}, and this version of Grantor knows the form \
                 {FORMAT_VERSION}. Start the version that has written it, or restore a backup."
            )));
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Redis {
    async fn ping(&self) -> Result<(), StoreError> {
        self.touch().await.map_err(Fault::told)
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.remove_dead(now, limit).await.map_err(Fault::told)
    }
}
