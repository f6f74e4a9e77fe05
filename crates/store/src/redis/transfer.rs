//! Everything, carried to another store or from one: every record as it is.
//!
//! Redis gives no view of one moment: each record is as it is when it is read. What may have been
//! spent, because its epoch is over, is given out as it would be after a restore. `half` in the
//! family of the keys is there while what is stored is the half of a copy.

use async_trait::async_trait;
use grantor_core::store::StoreError;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, yes};
use super::script::{Call, Family, Script, lua, scripts};
use crate::transfer::{Record, Snapshot, Source, Table, Transfer, Value};

mod place;
mod reading;

use place::Place;
use reading::Reading;

/// Records that are written in one call, so that others are not held up.
const GROUP: usize = 100;

const ALL: &str = include_str!("lua/transfer.lua");
const OAUTH: &str = include_str!("lua/transfer_oauth.lua");
const SIGN_IN: &str = include_str!("lua/transfer_signin.lua");
const VAULT: &str = include_str!("lua/transfer_vault.lua");
const KEYS: &str = include_str!("lua/transfer_keys.lua");
const ONCE: &str = "
for _, kind in ipairs({ 'client_assertion', 'grant_assertion' }) do
  into[kind], out_of[kind] = moment, gone
end
";

scripts! {
    OAUTH_IMPORT = [lua::HELD, lua::DROPS, lua::SESSION, ALL, OAUTH, "import()"];
    SIGN_IN_IMPORT = [ALL, SIGN_IN, "import()"];
    VAULT_IMPORT = [lua::VAULT, ALL, VAULT, "import()"];
    KEYS_IMPORT = [ALL, KEYS, "import()"];
    ONCE_IMPORT = [ALL, ONCE, "import()"];

    OAUTH_REMOVE = [lua::HELD, lua::DROPS, lua::SESSION, ALL, OAUTH, "take_away()"];
    SIGN_IN_REMOVE = [ALL, SIGN_IN, "take_away()"];
    VAULT_REMOVE = [lua::VAULT, ALL, VAULT, "take_away()"];
    KEYS_REMOVE = [ALL, KEYS, "take_away()"];
    ONCE_REMOVE = [ALL, ONCE, "take_away()"];

    IS_THERE = ["return call('EXISTS', meta)"];

    IS_HALF = ["return call('EXISTS', key())"];
    SET_HALF = ["
local own, half = key(), flag()
if half then call('SET', own, '1') else call('DEL', own) end"];
}

fn import(family: Family) -> &'static Script {
    match family {
        Family::Oauth => &OAUTH_IMPORT,
        Family::SignIn => &SIGN_IN_IMPORT,
        Family::Vault => &VAULT_IMPORT,
        Family::Keys => &KEYS_IMPORT,
        // Nothing of the limits is carried.
        Family::Once | Family::Limits => &ONCE_IMPORT,
    }
}

fn removal(family: Family) -> &'static Script {
    match family {
        Family::Oauth => &OAUTH_REMOVE,
        Family::SignIn => &SIGN_IN_REMOVE,
        Family::Vault => &VAULT_REMOVE,
        Family::Keys => &KEYS_REMOVE,
        Family::Once | Family::Limits => &ONCE_REMOVE,
    }
}

#[async_trait]
impl Source for Redis {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(Reading::of(self)))
    }
}

#[async_trait]
impl Transfer for Redis {
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let done = self.carry(&records, import, fields).await;
        self.changed(done)
    }

    async fn remove(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let done = self.carry(&records, removal, |_| Ok(Fields::default())).await;
        self.changed(done)
    }

    async fn is_half(&self) -> Result<bool, StoreError> {
        let there = self.call(&IS_HALF, Family::Keys).key("half").read().await;
        there.map(|there| yes(&there)).map_err(Fault::told)
    }

    async fn set_half(&self, half: bool) -> Result<(), StoreError> {
        let set = self.call(&SET_HALF, Family::Keys).key("half").arg(&half).write().await;
        set.map(drop).map_err(Fault::told)
    }
}

impl Redis {
    /// Gives records to a script, a group at a time.
    async fn carry(
        &self,
        records: &[Record],
        script: fn(Family) -> &'static Script,
        fields: fn(&Record) -> Result<Fields, Fault>,
    ) -> Result<(), Fault> {
        for group in records.chunks(GROUP) {
            let Some(table) = group.first().map(|own| own.table) else { continue };
            let family = place::family(table);
            let count = u64::try_from(group.len()).unwrap_or(u64::MAX);
            let mut call = self.call(script(family), family).arg(&count);
            for record in group {
                call = with_record(call, record, fields(record)?)?;
            }
            call.arg(&is_cached(table)).write().await.map(drop)?;
        }
        Ok(())
    }
}

/// Whether nodes keep records of the table in memory.
const fn is_cached(table: Table) -> bool {
    matches!(table, Table::Client | Table::ApiKey)
}

/// Adds what a script needs to put a record there or take it away.
fn with_record<'i>(call: Call<'i>, record: &Record, fields: Fields) -> Result<Call<'i>, Fault> {
    let Place { key, kind, id } = Place::of(record.table, record.key())?;
    let count = match record.table == Table::SigningKey {
        true => Some(text(record.value("place"))?),
        false => None,
    };
    let call = call.key(key).text(&id).text(kind);
    Ok(call.text(&count.unwrap_or_default()).fields(fields))
}

/// The fields of a record: what it does not have, the hash has not.
fn fields(record: &Record) -> Result<Fields, Fault> {
    let mut fields = Fields::default();
    for (column, value) in record.table.columns().iter().zip(&record.values) {
        let is_a_field = column.name != "place"
            && !(record.table == Table::AuditEvent && column.name == "sequence");
        if is_a_field && *value != Value::Null {
            fields.0.push((column.name, place::written(value, column)?));
        }
    }
    Ok(fields)
}

fn text(value: Result<&Value, StoreError>) -> Result<String, Fault> {
    match value.map_err(|error| Fault::Record(error.to_string()))? {
        Value::Integer(number) => Ok(number.to_string()),
        Value::Text(text) => Ok(text.clone()),
        Value::Null | Value::Blob(_) => Err(Fault::Record("neither text nor number".to_owned())),
    }
}

/// Whether anything of ours is there.
pub(super) async fn is_there(redis: &super::Inner) -> Result<bool, Fault> {
    for family in Family::ALL {
        if yes(&Call::new(redis, &IS_THERE, family).read().await?) {
            return Ok(true);
        }
    }
    Ok(false)
}
