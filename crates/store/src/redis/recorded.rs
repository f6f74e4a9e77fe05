//! What is written together with a change: entries of the audit log, each with its place in the
//! chain, and webhooks. The hashes are made here, of the last entry that is known; a script that
//! finds a later one changes nothing and tells it.

use std::sync::{Arc, Mutex, PoisonError};

use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::{Recorded, StoreError};
use redis::Value;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::fields::{Fields, bytes, column, items};
use super::script::Call;
use super::{Inner, Redis, audit, notices};

/// How often other nodes may be quicker before a change is given up.
const MOST_TRIES: u32 = 200;

/// Entries that are appended in one call, so that others are not held up.
const MOST_ENTRIES: usize = 256;

/// What a script answers that has found a later entry.
const STALE: &[u8] = b"stale";

/// The last entry of the audit log, as far as is known. Held while a change is made, so that the
/// changes of one process do not overtake each other; what is only appended meanwhile waits and is
/// then appended together.
#[derive(Default)]
pub(super) struct Chain {
    head: tokio::sync::Mutex<Head>,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Clone, Copy, Default)]
struct Head {
    sequence: u64,
    hash: [u8; 32],
}

/// Entries of a caller who waits.
struct Waiting {
    events: Vec<AuditEvent>,
    tell: oneshot::Sender<Result<(), StoreError>>,
}

impl Redis {
    /// Makes a change with what is written down of it: `call` is the rest of the call. Answers what
    /// the script does.
    pub(super) async fn record<'i>(
        &'i self,
        recorded: &Recorded,
        call: impl Fn() -> Result<Call<'i>, Fault> + Send,
    ) -> Result<Value, Fault> {
        if recorded.audit.is_empty() {
            let call = with_recorded(call()?, recorded, Head::default());
            let [outcome, ..]: [Value; 3] = items(call.write().await?)?;
            return Ok(outcome);
        }
        let mut head = self.inner.chain.head.lock().await;
        write(&mut head, recorded, call).await
    }

    /// Appends entries, together with those of others. Whoever stops waiting for it does not stop
    /// it.
    pub(super) async fn append(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.inner.chain.waiting().push(Waiting { events, tell });
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.append_waiting().await });
        told.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the store was closed meanwhile".to_owned()))
        })
    }
}

impl Inner {
    /// Waits until everything is appended that somebody waits for.
    pub(super) async fn append_all(&self) {
        self.append_waiting().await;
        while !self.chain.waiting().is_empty() {
            self.append_waiting().await;
        }
    }

    /// Appends what waits, if nobody has done so.
    async fn append_waiting(&self) {
        let mut head = self.chain.head.lock().await;
        let group = self.chain.take();
        if group.is_empty() {
            return;
        }
        let events = group.iter().flat_map(|one| one.events.iter().cloned()).collect();
        let recorded = Recorded { audit: events, notices: Vec::new() };
        let call = || Ok(audit::appending(self));
        let written = write(&mut head, &recorded, call).await.map(drop).map_err(Fault::told);
        for one in group {
            // A caller that has stopped waiting does not need it.
            let _ = one.tell.send(match &written {
                Ok(()) => Ok(()),
                Err(StoreError::Unavailable(text)) => Err(StoreError::Unavailable(text.clone())),
                Err(StoreError::Corrupt(text)) => Err(StoreError::Corrupt(text.clone())),
            });
        }
    }
}

impl Chain {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of those that wait; the rest has a task of its own each.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut entries = 0;
        let fitting = waiting.iter().take_while(|one| {
            let fits = entries == 0 || entries + one.events.len() <= MOST_ENTRIES;
            entries += one.events.len();
            fits
        });
        let count = fitting.count();
        waiting.drain(..count).collect()
    }
}

/// Makes a change, with the hashes of the last entry; again where that was not the last one.
async fn write<'i>(
    head: &mut Head,
    recorded: &Recorded,
    call: impl Fn() -> Result<Call<'i>, Fault> + Send,
) -> Result<Value, Fault> {
    for _ in 0..MOST_TRIES {
        let call = with_recorded(call()?, recorded, *head);
        let [outcome, sequence, hash] = items(call.write().await?)?;
        let hash = bytes(hash)?.try_into().unwrap_or([0; 32]);
        *head = Head { sequence: column(sequence)?, hash };
        match &outcome {
            Value::BulkString(told) if told == STALE => {}
            _ => return Ok(outcome),
        }
    }
    Err(Fault::Overtaken)
}

fn with_recorded<'i>(mut call: Call<'i>, recorded: &Recorded, head: Head) -> Call<'i> {
    let Head { mut sequence, mut hash } = head;
    call = call.arg(&sequence).arg(&hash).arg(&length(&recorded.audit));
    for event in &recorded.audit {
        sequence += 1;
        hash = AuditEntry::hash_of(&hash, sequence, &event.mac);
        call = call.fields(entry_fields(event, &hash));
    }
    call = call.arg(&length(&recorded.notices));
    for notice in &recorded.notices {
        call = notices::with_notice(call, notice);
    }
    call
}

fn entry_fields(event: &AuditEvent, hash: &[u8; 32]) -> Fields {
    Fields::default()
        .with("id", &event.id)
        .with("at", &event.at)
        .with("action", &event.action)
        .with("actor", &event.actor)
        .with("target", &event.target)
        .with("details", &event.details)
        .with("mac", &event.mac)
        .with("hash", hash)
}

/// How many, as an argument.
pub(super) fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
