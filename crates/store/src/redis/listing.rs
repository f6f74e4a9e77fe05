//! Lists of all records of a kind, a page at a time, so that others are not held up.

use super::Redis;
use super::fault::Fault;
use super::fields::{Hash, column, items, list};
use super::script::{Family, scripts};

/// Records in a page.
const PAGE: u64 = 256;

scripts! {
    RANGE = ["
local index, kind, first, last, found = key(), arg(), arg(), arg(), {}
local ids = call('ZRANGE', index, first, last)
for i, id in ipairs(ids) do found[i] = hash(tag .. kind .. id) end
return { #ids, found }"];
}

impl Redis {
    /// The records whose ids are in the sorted set `index`, in its order; their keys are `kind` and
    /// the id. What comes and goes meanwhile may be missed or told twice.
    pub(super) async fn all<T>(
        &self,
        family: Family,
        index: &str,
        kind: &str,
        read: impl Fn(&Hash) -> Result<T, Fault> + Send,
    ) -> Result<Vec<T>, Fault> {
        let (mut found, mut first) = (Vec::new(), 0);
        loop {
            let call = self.call(&RANGE, family).key(index).text(kind);
            let page = call.arg(&first).arg(&(first + PAGE - 1)).read().await?;
            let [count, page] = items(page)?;
            for one in list(page)? {
                found.extend(Hash::read(one)?.map(|hash| read(&hash)).transpose()?);
            }
            first += PAGE;
            if column::<u64>(count)? < PAGE {
                return Ok(found);
            }
        }
    }
}
