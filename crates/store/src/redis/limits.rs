//! Rate limits: `limit:<key in hexadecimal>` has the moment from which nothing of it is spent any
//! more, in milliseconds. Redis itself removes it a minute after.

use async_trait::async_trait;
use grantor_core::store::{Debit, LimitStore, StoreError};

use super::Redis;
use super::fault::Fault;
use super::fields::{column, list};
use super::script::{Family, scripts};

/// How many are settled in one call, so that others are not held up.
const GROUP: usize = 256;

scripts! {
    SETTLE = ["
local now, count = tonumber(arg()), tonumber(arg())
local keys, costs, told = {}, {}, {}
for i = 1, count do keys[i] = key(); costs[i] = tonumber(arg()) end
local was = call('MGET', unpack(keys))
for i = 1, count do
  local whole_at = math.max(tonumber(was[i] or 0), now) + costs[i]
  told[i] = string.format('%.0f', whole_at)
  call('SET', keys[i], told[i], 'PX', string.format('%.0f', whole_at - now + 60000))
end
return told"];
}

#[async_trait]
impl LimitStore for Redis {
    async fn settle_limits(&self, spent: Vec<Debit>, now_ms: u64) -> Result<Vec<u64>, StoreError> {
        let mut told = Vec::with_capacity(spent.len());
        for group in spent.chunks(GROUP) {
            told.extend(self.settle(group, now_ms).await.map_err(Fault::told)?);
        }
        Ok(told)
    }
}

impl Redis {
    async fn settle(&self, spent: &[Debit], now_ms: u64) -> Result<Vec<u64>, Fault> {
        let count = u64::try_from(spent.len()).unwrap_or(u64::MAX);
        let mut call = self.call(&SETTLE, Family::Limits).arg(&now_ms).arg(&count);
        for one in spent {
            let digits: String = one.key.iter().map(|byte| format!("{byte:02x}")).collect();
            call = call.key(format!("limit:{digits}")).arg(&one.cost_ms);
        }
        list(call.write().await?)?.into_iter().map(column).collect()
    }
}
