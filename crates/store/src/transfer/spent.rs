//! What of a backup is good after it was restored.
//!
//! A backup is older than what was done last. Whatever can be used once, or is exchanged for something
//! else when it is used, may have been used since, and somebody who has seen it then could use it
//! again. So it is not restored as usable.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use grantor_core::model::RefreshPolicy;
use grantor_core::store::StoreError;

use super::record::{Record, Value};
use super::table::Table;
use super::{Snapshot, Source};

/// What a backup has, without what may have been spent since it was made.
pub struct Unspent<'s> {
    backup: &'s dyn Source,
    left_out: Mutex<BTreeMap<Table, u64>>,
}

impl<'s> Unspent<'s> {
    /// What `backup` has, so.
    pub fn of(backup: &'s dyn Source) -> Self {
        Self { backup, left_out: Mutex::default() }
    }

    /// How many records of which tables the last reading has left out or made unusable.
    pub fn left_out(&self) -> Vec<(Table, u64)> {
        self.counts().iter().map(|(table, count)| (*table, *count)).collect()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Table, u64>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Source for Unspent<'_> {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.counts().clear();
        let backup = self.backup.snapshot().await?;
        Ok(Box::new(Reading { backup, of: self, judge: Judge::default() }))
    }
}

struct Reading<'s> {
    backup: Box<dyn Snapshot + 's>,
    of: &'s Unspent<'s>,
    judge: Judge,
}

#[async_trait]
impl Snapshot for Reading<'_> {
    async fn count(&mut self, table: Table) -> Result<u64, StoreError> {
        self.backup.count(table).await
    }

    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError> {
        loop {
            let page = self.backup.next(table, limit).await?;
            if page.is_empty() {
                return Ok(page);
            }
            let mut good = Vec::with_capacity(page.len());
            for record in page {
                good.extend(self.good(record)?);
            }
            if !good.is_empty() {
                return Ok(good);
            }
        }
    }
}

impl Reading<'_> {
    fn good(&mut self, record: Record) -> Result<Option<Record>, StoreError> {
        let table = record.table;
        let outcome = match self.judge.fate(&record)? {
            Fate::Kept => return Ok(Some(record)),
            Fate::Blunted(record) => Some(record),
            Fate::Dropped => None,
        };
        *self.of.counts().entry(table).or_default() += 1;
        Ok(outcome)
    }
}

/// What becomes of a record.
pub(crate) enum Fate {
    /// It stays as it is.
    Kept,
    /// It is kept without what could be used.
    Blunted(Record),
    /// It is left out.
    Dropped,
}

/// Says what may have been spent. Clients are shown to it before what they hold.
#[derive(Default)]
pub(crate) struct Judge {
    /// Clients whose refresh tokens may be used any number of times.
    unlimited: HashSet<String>,
}

impl Judge {
    /// The one list of what a restore leaves out, and why. A new table has to be put in its place.
    pub(crate) fn fate(&mut self, record: &Record) -> Result<Fate, StoreError> {
        let is_null = |column| Ok::<_, StoreError>(*record.value(column)? == Value::Null);
        let text = |column| Ok::<_, StoreError>(text(record.value(column)?));
        Ok(match record.table {
            // Not spent, and what was changed or revoked since is what goes back with every backup.
            Table::ServerSecret
            | Table::SigningKey
            | Table::RemovedClient
            | Table::User
            | Table::Session
            | Table::Consent
            | Table::AccessToken
            | Table::RevokedToken
            | Table::Connection
            | Table::Credential
            | Table::Pause
            | Table::ApiKey
            | Table::AuditEvent => Fate::Kept,
            Table::Client => {
                self.learn(record)?;
                Fate::Kept
            }
            // Assertions that were seen stay seen.
            Table::UsedOnce => Fate::Kept,
            // Whether the provider has done it is in doubt, as after a kill -9, and the vault takes it so.
            Table::RefreshAttempt => Fate::Kept,
            // Receivers know them by their ids, and take one twice.
            Table::Notice => Fate::Kept,
            // A use may have been taken since; one without a limit has none to take.
            Table::InitialToken if is_null("uses_left")? => Fate::Kept,
            Table::InitialToken => Fate::Dropped,
            // Each may have become a code since.
            Table::PendingRequest | Table::ExternalSignIn => Fate::Dropped,
            // Its token may have been used; it stays to be counted against the address.
            Table::SignInAttempt => over(record)?,
            // It was sent since, and its token is of no use any more.
            Table::OutboxMail => Fate::Dropped,
            // One that was spent before stays, so that a replay ends what it was exchanged for.
            Table::Code if !is_null("spent_at")? => Fate::Kept,
            Table::Code => Fate::Dropped,
            Table::Device if text("state")? == "redeemed" => Fate::Kept,
            Table::Device => Fate::Dropped,
            Table::Family => self.family(record)?,
            // One that is over only tells how it ended.
            Table::ConnectSession if matches!(text("step")?, "done" | "failed") => Fate::Kept,
            Table::ConnectSession => Fate::Dropped,
        })
    }

    fn learn(&mut self, client: &Record) -> Result<(), StoreError> {
        let policy = text(client.value("refresh")?);
        let policy = serde_json::from_str(policy).map_err(|error| {
            StoreError::Corrupt(format!("the column refresh of a client: {error} in {policy}"))
        })?;
        match policy {
            RefreshPolicy::Rotate => {}
            // Tokens from before there was a limit are not counted, and stay.
            RefreshPolicy::Reuse { uses: _ } => {
                self.unlimited.insert(text(client.value("client_id")?).to_owned());
            }
        }
        Ok(())
    }

    /// A refresh token that rotates may be one that was spent since; of one whose uses are counted,
    /// some were. The family stays, and with it the access tokens, without its refresh token.
    fn family(&self, family: &Record) -> Result<Fate, StoreError> {
        let has = |column| Ok::<_, StoreError>(*family.value(column)? != Value::Null);
        let unlimited = self.unlimited.contains(text(family.value("client_id")?));
        if !has("refresh_current")? || (unlimited && !has("refresh_uses_left")?) {
            return Ok(Fate::Kept);
        }
        let mut without = family.clone();
        for column in REFRESH {
            without.set(column, Value::Null)?;
        }
        Ok(Fate::Blunted(without))
    }
}

/// What a family has of its refresh token.
const REFRESH: [&str; 7] = [
    "refresh_current",
    "refresh_previous",
    "refresh_generation",
    "refresh_rotated_at",
    "refresh_idle_expires_at",
    "refresh_expires_at",
    "refresh_uses_left",
];

fn over(attempt: &Record) -> Result<Fate, StoreError> {
    let none = Value::Integer(0);
    if *attempt.value("tries_left")? == none {
        return Ok(Fate::Kept);
    }
    let mut over = attempt.clone();
    over.set("tries_left", none)?;
    Ok(Fate::Blunted(over))
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Null | Value::Integer(_) | Value::Blob(_) => "",
    }
}
