//! Limits that nodes share. Each decides at once by what it knows, and settles with the store a
//! moment later: what was counted here goes there, what all nodes have counted comes back. So nodes
//! together let pass what they all do between two settlements, and no more: it stays counted.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use grantor_core::ports::Clock;
use grantor_core::store::{Debit, Store, StoreError};

use super::Limits;
use super::buckets::Buckets;

/// Buckets that are settled at once; what others count meanwhile is not shared.
const MOST: usize = 4_096;

/// Buckets that are settled in one call of the store.
const GROUP: usize = 1_000;

/// Which limit a bucket is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of a client, or of a client and a source.
    Client,
    /// Failed client authentications.
    ClientAuth,
    /// Wrong user codes.
    UserCode,
    /// User codes, right or wrong.
    Lookup,
    /// Sign-in attempts of a source.
    SignIn,
    /// Sign-in attempts of an account.
    Account,
    /// Page views.
    Page,
    /// Registrations.
    Registration,
}

/// A bucket, wherever it is: which limit, and whose.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    kind: Kind,
    /// How many it holds: nodes with other settings count for themselves.
    count: NonZeroU32,
    key: u64,
}

impl Bucket {
    /// As nodes and the store name it; a kind never gets the number of another.
    fn name(&self) -> [u8; 16] {
        let kind: u32 = match self.kind {
            Kind::Client => 1,
            Kind::ClientAuth => 2,
            Kind::UserCode => 3,
            Kind::Lookup => 4,
            Kind::SignIn => 5,
            Kind::Account => 6,
            Kind::Page => 7,
            Kind::Registration => 8,
        };
        let mut name = [0; 16];
        name[..4].copy_from_slice(&kind.to_be_bytes());
        name[4..8].copy_from_slice(&self.count.get().to_be_bytes());
        name[8..].copy_from_slice(&self.key.to_be_bytes());
        name
    }
}

/// Buckets from which something was taken, on their way to the store.
pub(super) struct Exchange {
    sender: SyncSender<Bucket>,
    receiver: Mutex<Receiver<Bucket>>,
    /// Those that were settled the last time. They are asked for once more, because another node may
    /// have settled the same ones just after.
    last: Mutex<Vec<Bucket>>,
    /// When that was.
    since: Mutex<Instant>,
}

impl Exchange {
    pub(super) fn new() -> Self {
        let (sender, receiver) = sync_channel(MOST);
        Self {
            sender,
            receiver: Mutex::new(receiver),
            last: Mutex::default(),
            since: Mutex::new(Instant::now()),
        }
    }

    /// For the buckets of a limit.
    pub(super) fn teller(&self, kind: Kind, count: NonZeroU32) -> Teller {
        Teller { kind, count, sender: self.sender.clone() }
    }

    /// Begins a new period; when the one before began.
    fn next_period(&self) -> Instant {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *since, Instant::now())
    }

    /// Takes those that were settled the last time, and leaves others for the next.
    fn swap_last(&self, settled: Vec<Bucket>) -> Vec<Bucket> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, settled)
    }

    fn take(&self) -> Vec<Bucket> {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.try_iter().take(MOST).collect()
    }
}

/// Tells of the buckets of one limit from which something was taken. Takes no lock and no memory.
#[derive(Clone)]
pub(super) struct Teller {
    kind: Kind,
    count: NonZeroU32,
    sender: SyncSender<Bucket>,
}

impl Teller {
    /// Whether there was room to tell.
    pub(super) fn tell(&self, key: u64) -> bool {
        let Self { kind, count, ref sender } = *self;
        sender.try_send(Bucket { kind, count, key }).is_ok()
    }
}

/// What was taken from a bucket and is to be settled; nothing for one that is asked for.
struct Taken {
    bucket: Bucket,
    count: u32,
    debit: Debit,
}

impl Limits {
    /// Tells the store what was counted here, and learns what other nodes have counted. Where that
    /// fails, this node goes on alone; what is still owed here is settled the next time, and may be
    /// counted twice if the store has heard of it after all.
    pub(crate) async fn settle(
        &self,
        store: &dyn Store,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let Some(exchange) = &self.exchange else {
            return Ok(());
        };
        // As if all of it had been taken when the period began: a burst must not be smaller by the
        // time that it took to settle it.
        let began = exchange.next_period();
        let taken = self.taken(exchange);
        let mut groups = taken.chunks(GROUP);
        while let Some(group) = groups.next() {
            let before = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) + 1;
            let now_ms = clock.millis().saturating_sub(before);
            let spent = group.iter().map(|one| one.debit).collect();
            match store.settle_limits(spent, now_ms).await {
                Ok(told) => {
                    for (one, whole_at) in group.iter().zip(told) {
                        let ahead = Duration::from_millis(whole_at.saturating_sub(now_ms));
                        self.learn(&one.bucket, began, ahead);
                    }
                }
                Err(error) => {
                    let rest = groups.flatten();
                    group.iter().chain(rest).for_each(|one| self.not_settled(one));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// What was counted since the last time, and what is asked for once more.
    fn taken(&self, exchange: &Exchange) -> Vec<Taken> {
        let count = |bucket: Bucket| {
            let (count, cost_ms) = self.in_buckets(&bucket, |buckets| {
                let count = buckets.taken(bucket.key);
                (count, buckets.cost_ms(count))
            })?;
            Some(Taken { bucket, count, debit: Debit { key: bucket.name(), cost_ms } })
        };
        let counted = exchange.take().into_iter().filter_map(count).filter(|one| one.count > 0);
        let mut taken: HashMap<_, _> = counted.map(|one| (one.debit.key, one)).collect();
        let settled = taken.values().map(|one| one.bucket).collect();
        for bucket in exchange.swap_last(settled) {
            let debit = Debit { key: bucket.name(), cost_ms: 0 };
            taken.entry(debit.key).or_insert(Taken { bucket, count: 0, debit });
        }
        taken.into_values().collect()
    }

    fn learn(&self, bucket: &Bucket, began: Instant, ahead: Duration) {
        let failures = match bucket.kind {
            Kind::ClientAuth => &self.failures,
            Kind::UserCode => &self.user_codes,
            Kind::Client
            | Kind::Lookup
            | Kind::SignIn
            | Kind::Account
            | Kind::Page
            | Kind::Registration => &None,
        };
        match failures {
            Some(failures) => failures.raise(bucket.key, began, ahead),
            None => {
                self.in_buckets(bucket, |buckets| buckets.raise(bucket.key, began, ahead));
            }
        }
    }

    fn not_settled(&self, taken: &Taken) {
        let key = taken.bucket.key;
        self.in_buckets(&taken.bucket, |buckets| buckets.not_settled(key, taken.count));
    }

    /// Does `act` with the buckets of this kind; `None` when they were forgotten.
    fn in_buckets<T>(&self, bucket: &Bucket, act: impl FnOnce(&Buckets) -> T) -> Option<T> {
        let own = match bucket.kind {
            Kind::Client => {
                let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
                return clients.get(&bucket.count).map(|buckets| act(buckets));
            }
            Kind::ClientAuth => self.failures.as_ref().map(|failures| &failures.buckets),
            Kind::UserCode => self.user_codes.as_ref().map(|failures| &failures.buckets),
            Kind::Lookup => self.lookups.as_ref(),
            Kind::SignIn => self.sign_in.as_ref(),
            Kind::Account => self.accounts.as_ref(),
            Kind::Page => self.pages.as_ref(),
            Kind::Registration => self.registrations.as_ref(),
        };
        own.map(act)
    }
}
