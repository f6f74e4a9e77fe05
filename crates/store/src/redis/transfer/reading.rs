//! Reading everything: the keys of a family are listed when its first record is asked for, and each
//! record is read in its turn.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use grantor_core::store::StoreError;
use redis::Value as Answer;

use super::super::Redis;
use super::super::fault::Fault;
use super::super::fields::{Hash, bytes, column, items, list, unexpected, yes};
use super::super::script::{Family, scripts};
use super::place::{self, Place};
use crate::transfer::{Column, Fate, Judge, Record, Snapshot, Table, Value};

/// Keys that are listed, and records that are read, in one call.
const GROUP: usize = 256;

scripts! {
    SCAN = ["return call('SCAN', arg(), 'MATCH', tag .. '*', 'COUNT', 1000)"];

    /// What is there, and whether its epoch lasts.
    HASHES = ["
local found = {}
for i = 1, tonumber(arg()) do
  local own = key()
  local epoch = call('HGET', own, 'epoch')
  found[i] = { hash(own), (not epoch or is_current(epoch)) and 1 }
end
return found"];

    MOMENTS = ["
local found = {}
for i = 1, tonumber(arg()) do found[i] = call('GET', key()) end
return found"];

    PLACES = ["
local all, found = key(), {}
for i = 1, tonumber(arg()) do found[i] = call('ZSCORE', all, arg()) end
return found"];

    SECRETS = ["return call('HGETALL', key())"];

    ENTRIES = ["return call('XRANGE', key(), '(' .. arg() .. '-0', '+', 'COUNT', arg())"];

    COUNT = ["return call('XLEN', key())"];
}

/// Everything that there is, as it is when its turn comes.
pub(super) struct Reading<'r> {
    redis: &'r Redis,
    /// The keys of the records that are to be read, of the families that were listed.
    keys: BTreeMap<Table, BTreeSet<Vec<Value>>>,
    listed: Vec<Family>,
    /// The last entry of the audit log that was read.
    entry: u64,
    judge: Judge,
}

#[async_trait]
impl Snapshot for Reading<'_> {
    async fn count(&mut self, table: Table) -> Result<u64, StoreError> {
        self.counted(table).await.map_err(Fault::told)
    }

    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError> {
        loop {
            let page = if table == Table::AuditEvent {
                self.entries(limit).await
            } else if table == Table::ServerSecret {
                self.secrets(limit).await
            } else {
                self.page(table, limit).await
            };
            let Some(page) = page.map_err(Fault::told)? else {
                return Ok(Vec::new());
            };
            let mut good = Vec::with_capacity(page.len());
            for (record, lasts) in page {
                good.extend(self.judged(record, lasts)?);
            }
            if !good.is_empty() {
                return Ok(good);
            }
        }
    }
}

/// A record, and whether its epoch lasts.
type Found = (Record, bool);

impl<'r> Reading<'r> {
    pub(super) fn of(redis: &'r Redis) -> Self {
        let (keys, listed) = (BTreeMap::new(), Vec::new());
        Self { redis, keys, listed, entry: 0, judge: Judge::default() }
    }

    /// What was issued in an epoch that is over cannot be used here either.
    fn judged(&mut self, record: Record, lasts: bool) -> Result<Option<Record>, StoreError> {
        if lasts && record.table != Table::Client {
            return Ok(Some(record));
        }
        Ok(match self.judge.fate(&record)? {
            Fate::Kept => Some(record),
            Fate::Blunted(blunted) => Some(blunted),
            Fate::Dropped => None,
        })
    }

    async fn counted(&mut self, table: Table) -> Result<u64, Fault> {
        let family = place::family(table);
        if table == Table::AuditEvent {
            return column(self.redis.call(&COUNT, family).key("audit").read().await?);
        }
        self.list(family).await?;
        let count = self.keys.get(&table).map_or(0, BTreeSet::len);
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Lists the keys of a family, if they are not.
    async fn list(&mut self, family: Family) -> Result<(), Fault> {
        if self.listed.contains(&family) {
            return Ok(());
        }
        self.listed.push(family);
        if family == Family::Keys {
            self.list_secrets().await?;
        }
        let tag = self.redis.inner.tag(family);
        let mut cursor = b"0".to_vec();
        loop {
            let page = self.redis.call(&SCAN, family).arg(&cursor).read().await?;
            let [next, keys] = items(page)?;
            for key in list(keys)? {
                let key = String::from_utf8(bytes(key)?).unwrap_or_default();
                let found = key.strip_prefix(&tag).and_then(Place::read);
                if let Some((table, key)) = found.filter(|(own, _)| place::family(*own) == family) {
                    self.keys.entry(table).or_default().insert(key);
                }
            }
            cursor = bytes(next)?;
            if cursor == b"0" {
                return Ok(());
            }
        }
    }

    async fn list_secrets(&mut self) -> Result<(), Fault> {
        let secrets = self.redis.call(&SECRETS, Family::Keys).key("secrets").read().await?;
        let secrets = Hash::read(secrets)?;
        for (name, _) in secrets.iter().flat_map(Hash::raw) {
            let name = Value::Text(String::from_utf8_lossy(name).into_owned());
            self.keys.entry(Table::ServerSecret).or_default().insert(vec![name]);
        }
        Ok(())
    }

    /// The next keys of a table; `None` after the last.
    async fn keys(&mut self, table: Table, limit: usize) -> Result<Option<Vec<Vec<Value>>>, Fault> {
        self.list(place::family(table)).await?;
        let Some(keys) = self.keys.get_mut(&table).filter(|keys| !keys.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(std::iter::from_fn(|| keys.pop_first()).take(limit.min(GROUP)).collect()))
    }

    async fn page(&mut self, table: Table, limit: usize) -> Result<Option<Vec<Found>>, Fault> {
        let Some(keys) = self.keys(table, limit).await? else {
            return Ok(None);
        };
        let moments = [Table::RevokedToken, Table::RemovedClient, Table::UsedOnce];
        match moments.contains(&table) {
            true => self.moments(table, keys).await.map(Some),
            false => self.hashes(table, keys).await.map(Some),
        }
    }

    async fn hashes(&self, table: Table, keys: Vec<Vec<Value>>) -> Result<Vec<Found>, Fault> {
        let places = self.places(table, &keys).await?;
        let mut call = self.redis.call(&HASHES, place::family(table)).text(&keys.len().to_string());
        for key in &keys {
            call = call.key(Place::of(table, key)?.key);
        }
        let mut found = Vec::with_capacity(keys.len());
        for (at, one) in list(call.read().await?)?.into_iter().enumerate() {
            let [hash, lasts] = items(one)?;
            // One that went meanwhile is not there.
            if let Some(hash) = Hash::read(hash)? {
                let place = places.get(at).and_then(Option::as_ref);
                found.push((record(table, &hash, place)?, yes(&lasts)));
            }
        }
        Ok(found)
    }

    /// What counts the signing keys.
    async fn places(&self, table: Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Value>>, Fault> {
        if table != Table::SigningKey {
            return Ok(Vec::new());
        }
        let mut call = self.redis.call(&PLACES, Family::Keys).key("signing_keys");
        call = call.text(&keys.len().to_string());
        for key in keys {
            call = call.text(&Place::of(table, key)?.id);
        }
        let place = |place| Ok(Some(Value::Integer(column(place)?)));
        list(call.read().await?)?.into_iter().map(place).collect()
    }

    async fn moments(&self, table: Table, keys: Vec<Vec<Value>>) -> Result<Vec<Found>, Fault> {
        let mut call = self.redis.call(&MOMENTS, place::family(table));
        call = call.text(&keys.len().to_string());
        for key in &keys {
            call = call.key(Place::of(table, key)?.key);
        }
        let moments = list(call.read().await?)?;
        let there = keys.into_iter().zip(moments).filter(|(_, own)| !matches!(own, Answer::Nil));
        let record = |(mut key, moment): (Vec<Value>, _)| {
            key.push(Value::Integer(column(moment)?));
            Ok((made(table, key)?, true))
        };
        there.map(record).collect()
    }

    async fn secrets(&mut self, limit: usize) -> Result<Option<Vec<Found>>, Fault> {
        let Some(names) = self.keys(Table::ServerSecret, limit).await? else {
            return Ok(None);
        };
        let secrets = self.redis.call(&SECRETS, Family::Keys).key("secrets").read().await?;
        let secrets = Hash::read(secrets)?;
        let mut found = Vec::new();
        for mut key in names {
            let [Value::Text(name)] = &key[..] else { continue };
            let sealed: Option<Vec<u8>> = match &secrets {
                Some(secrets) => secrets.maybe(name)?,
                None => None,
            };
            let Some(sealed) = sealed else { continue };
            key.push(Value::Blob(sealed));
            found.push((made(Table::ServerSecret, key)?, true));
        }
        Ok(Some(found))
    }

    async fn entries(&mut self, limit: usize) -> Result<Option<Vec<Found>>, Fault> {
        let limit = u64::try_from(limit.min(GROUP)).unwrap_or(1);
        let call = self.redis.call(&ENTRIES, Family::Vault).key("audit").arg(&self.entry);
        let page = list(call.arg(&limit).read().await?)?;
        if page.is_empty() {
            return Ok(None);
        }
        let mut found = Vec::with_capacity(page.len());
        for entry in page {
            let [id, fields] = items(entry)?;
            let id = String::from_utf8(bytes(id)?).unwrap_or_default();
            let sequence = id.split('-').next().and_then(|own| own.parse::<i64>().ok());
            let sequence = sequence.ok_or_else(|| unexpected("no id of an entry"))?;
            self.entry = u64::try_from(sequence).unwrap_or(u64::MAX);
            let hash = Hash::read(fields)?.ok_or_else(|| unexpected("an empty entry"))?;
            let sequence = Value::Integer(sequence);
            found.push((record(Table::AuditEvent, &hash, Some(&sequence))?, true));
        }
        Ok(Some(found))
    }
}

/// A record of the fields of a hash, and of what is kept beside it.
fn record(table: Table, hash: &Hash, beside: Option<&Value>) -> Result<Record, Fault> {
    let value = |own: &Column| {
        if matches!((own.name, table), ("place", _) | ("sequence", Table::AuditEvent)) {
            return Ok(beside.cloned().unwrap_or(Value::Null));
        }
        let field = hash.raw().iter().find(|(name, _)| name == own.name.as_bytes());
        field.map_or(Ok(Value::Null), |(_, bytes)| place::read(bytes, own))
    };
    let values = table.columns().iter().map(value).collect::<Result<_, Fault>>()?;
    made(table, values)
}

fn made(table: Table, values: Vec<Value>) -> Result<Record, Fault> {
    Record::new(table, values).map_err(|error| Fault::Record(error.to_string()))
}
