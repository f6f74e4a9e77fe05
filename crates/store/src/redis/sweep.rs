//! Removes what nothing can use any more: `expiry` of each family is a sorted set of keys (without
//! what all keys of the family begin with) by the moment from which they are of no use. A code that
//! was redeemed is kept for an hour, to notice a replay, and so is a device's; a revoked family for
//! a day, for whoever looks into it; an attempt for as long as it counts towards the limit of its
//! address.

use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{column, items};
use super::script::{Family, Script, lua, scripts};

/// Records removed in one call, so that others are not held up.
const GROUP: u32 = 128;

/// Removes each key that is dead with what is indexed of it; the number of those that were still
/// there.
const SWEEP: &str = "
local expiry, now, limit, removed = key(), arg(), arg(), 0
local dead = call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, limit)
for _, member in ipairs(dead) do is_there(tag .. member) end
for _, member in ipairs(dead) do
  local kind, id = string.match(member, '^([^:]*):(.*)$')
  if is_there(tag .. member) then
    removed = removed + 1
    local drop = drops[kind]
    if drop then drop(id, tag .. member) end
  end
  remove(tag .. member)
end
return { removed, #dead }";

const OF_OAUTH: &str = "
local drops = {
  family = function(id, own)
    local was = fields(own, 'client_id', 'user_id')
    let_go(was[1], was[2], 'family', id)
  end,
  code = function(id, own)
    local was = fields(own, 'client_id', 'user_id')
    let_go(was[1], was[2], 'code', id)
  end,
  session = function(id, own) drop_session(id, call('HGET', own, 'user_id')) end,
  initial = function(id) call('ZREM', tag .. 'initials', id) end,
  device = drop_device,
}
";

const OF_SIGN_IN: &str = "
local drops = {
  attempt = function(id, own)
    call('ZREM', tag .. 'asked:' .. call('HGET', own, 'email'), id)
  end,
  mail = function(id) call('ZREM', tag .. 'mails', id) end,
}
";

const OF_KEYS: &str = "
local drops = { signing_key = function(id) call('ZREM', tag .. 'signing_keys', id) end }
";

scripts! {
    OAUTH_SWEEP = [lua::HELD, lua::DROPS, lua::SESSION, OF_OAUTH, SWEEP];
    SIGN_IN_SWEEP = [OF_SIGN_IN, SWEEP];
    VAULT_SWEEP = [lua::VAULT, "local drops = { notice = drop_notice }\n", SWEEP];
    KEYS_SWEEP = [OF_KEYS, SWEEP];
    PLAIN_SWEEP = ["local drops = {}\n", SWEEP];

    PING = ["call('HINCRBY', meta, 'pings', 1)"];
}

const fn script(family: Family) -> &'static std::sync::LazyLock<Script> {
    match family {
        Family::Oauth => &OAUTH_SWEEP,
        Family::SignIn => &SIGN_IN_SWEEP,
        Family::Vault => &VAULT_SWEEP,
        Family::Keys => &KEYS_SWEEP,
        // Of the limits, Redis removes what is over.
        Family::Once | Family::Limits => &PLAIN_SWEEP,
    }
}

impl Redis {
    /// Removes what is dead, at most `limit` records of each family; says how many.
    pub(super) async fn remove_dead(&self, now: Timestamp, limit: u32) -> Result<u32, Fault> {
        let mut removed = 0;
        for family in Family::ALL {
            let mut left = limit;
            while left > 0 {
                let group = left.min(GROUP);
                let call = self.call(script(family), family).key("expiry").arg(&now);
                let [count, looked_at] = items(call.arg(&group).write().await?)?;
                removed += column::<u32>(count)?;
                if column::<u32>(looked_at)? < group {
                    break;
                }
                left -= group;
            }
        }
        Ok(removed)
    }

    /// Writes to each family, wherever it lies.
    pub(super) async fn touch(&self) -> Result<(), Fault> {
        for family in Family::ALL {
            self.call(&PING, family).write().await?;
        }
        Ok(())
    }
}
