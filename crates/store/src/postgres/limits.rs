//! Rate limits: the table `rate_limit`.

use std::collections::HashMap;

use async_trait::async_trait;
use grantor_core::store::{Debit, LimitStore, StoreError};

use super::Postgres;
use super::fault::Fault;
use super::rows::{Db, transposed};
use crate::columns::{number, values};

/// In the order of the keys, so that two nodes that settle the same ones do not wait for each other.
const SETTLE: &str = "INSERT INTO rate_limit AS own (key, whole_at)
    SELECT key, $3 + cost FROM unnest($1::bytea[], $2::bigint[]) AS spent (key, cost) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET whole_at = greatest(own.whole_at, $3) + excluded.whole_at - $3
    RETURNING key, whole_at";

#[async_trait]
impl LimitStore for Postgres {
    async fn settle_limits(&self, spent: Vec<Debit>, now_ms: u64) -> Result<Vec<u64>, StoreError> {
        self.write_one((spent, now_ms), |db, (spent, now_ms)| {
            Box::pin(async move { settle(db, spent, *now_ms).await })
        })
        .await
    }
}

async fn settle(db: Db<'_>, spent: &[Debit], now_ms: u64) -> Result<Vec<u64>, Fault> {
    let mut rows = Vec::with_capacity(spent.len());
    for one in spent {
        rows.push(values![&one.key, number(one.cost_ms)?]);
    }
    let [keys, costs] = transposed(rows);
    let values = values![keys, costs, number(now_ms)?];
    let told = db.all(SETTLE, &values, |columns| Ok((columns.value()?, columns.value()?))).await?;
    let told: HashMap<[u8; 16], u64> = told.into_iter().collect();
    let of = |one: &Debit| told.get(&one.key).copied();
    let told: Option<_> = spent.iter().map(of).collect();
    told.ok_or_else(|| Fault::Record("a rate limit that was settled is not told".to_owned()))
}
