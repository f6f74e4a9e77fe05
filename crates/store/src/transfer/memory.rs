//! Small stores in memory, to look at and to change by another way than the port's.

use std::collections::BTreeMap;

use grantor_core::store::StoreError;

use super::record::{Record, Value};
use super::table::Table;
use super::{Source, Transfer};

/// Records that are read in one go.
const PAGE: usize = 5_000;

/// Everything in a store, table by table, each in the order of its keys.
pub async fn records(store: &dyn Source) -> Result<Vec<Record>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let mut all = Vec::new();
    for table in Table::ALL {
        loop {
            let page = snapshot.next(table, PAGE).await?;
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
    }
    Ok(all)
}

/// What makes one state of a store into another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Records that are new or not as they were.
    pub import: Vec<Record>,
    /// Records that are gone.
    pub remove: Vec<Record>,
}

/// What has to be changed to get from `before` to `after`.
pub fn changes(before: &[Record], after: &[Record]) -> Changes {
    let by_key = |records: &'_ [Record]| -> BTreeMap<(Table, Vec<Value>), Record> {
        let named = |own: &Record| ((own.table, own.key().to_vec()), own.clone());
        records.iter().map(named).collect()
    };
    let (before, after) = (by_key(before), by_key(after));
    let new = after.iter().filter(|(key, own)| before.get(*key) != Some(own));
    let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
    Changes {
        import: new.map(|(_, own)| own.clone()).collect(),
        remove: gone.map(|(_, own)| own.clone()).collect(),
    }
}

impl Changes {
    /// Makes them in a store, table by table.
    pub async fn apply(self, to: &dyn Transfer) -> Result<(), StoreError> {
        for part in by_table(self.remove) {
            to.remove(part).await?;
        }
        for part in by_table(self.import) {
            to.import(part).await?;
        }
        Ok(())
    }
}

fn by_table(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut parts: BTreeMap<Table, Vec<Record>> = BTreeMap::new();
    for record in records {
        parts.entry(record.table).or_default().push(record);
    }
    parts.into_values().collect()
}
