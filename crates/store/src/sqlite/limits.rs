//! Rate limits: the table `rate_limit`.

use async_trait::async_trait;
use grantor_core::store::{Debit, LimitStore, StoreError};
use rusqlite::params;

use super::Sqlite;
use crate::columns::{number, single};

const SETTLE: &str = "INSERT INTO rate_limit (key, whole_at) VALUES (?1, ?2 + ?3)
    ON CONFLICT (key) DO UPDATE SET whole_at = max(whole_at, ?2) + ?3
    RETURNING whole_at";

#[async_trait]
impl LimitStore for Sqlite {
    async fn settle_limits(&self, spent: Vec<Debit>, now_ms: u64) -> Result<Vec<u64>, StoreError> {
        self.write(move |db| {
            let mut told = Vec::with_capacity(spent.len());
            for one in &spent {
                let values = params![one.key, number(now_ms)?, number(one.cost_ms)?];
                told.extend(db.one(SETTLE, values, single::<u64>)?);
            }
            Ok(told)
        })
        .await
    }
}
