//! Which connections a selector means: a walk through an index for each thing that it names.
//! Indexes are sorted sets of ids with the score 0: `connections`, `integration:<integration>`,
//! `subject:<subject>`, `pair:<integration>:<subject>`, and `status:<status>` for those that are
//! not active. `account:<sub>` is a hash of the connections of an account, `address:<address>` a
//! set.

use grantor_core::id::ConnectionId;
use grantor_core::model::{Connection, ConnectionStatus};
use grantor_core::store::{Held, Selector};
use redis::Value;

use super::Redis;
use super::connection_hash::{connection, credential};
use super::fault::Fault;
use super::fields::{column, items, list, maybe_column, record};
use super::recorded::length;
use super::script::{Family, lua, scripts};
use crate::records::connections::means;

/// Connections that are read in one go.
const PAGE: usize = 128;

/// The rows of a reading: the record, and its tokens where they are wanted.
const ROWS: &str = "
local function rows(ids, with_tokens)
  local found = {}
  for i, id in ipairs(ids) do
    found[i] = { hash(key_of('connection', id)),
      with_tokens and hash(key_of('credential', id)) }
  end
  return found
end
";

scripts! {
    /// The next ids of an index, and their rows.
    WALK = [lua::VAULT, ROWS, "
local index, from, limit, with_tokens = key(), maybe(), arg(), flag()
local ids = call('ZRANGEBYLEX', index, from and '(' .. from or '-', '+', 'LIMIT', 0, limit)
return { #ids, ids[#ids] or false, rows(ids, with_tokens) }"];

    BY_IDS = [lua::VAULT, ROWS, "
local with_tokens, ids = flag(), {}
for i = 1, tonumber(arg()) do ids[i] = arg() end
return rows(ids, with_tokens)"];

    OF_ACCOUNT = ["
local found = call('HVALS', key())
for _, id in ipairs(call('SMEMBERS', key())) do found[#found + 1] = id end
return found"];
}

/// What is asked for besides the selector.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) status: Option<&'a str>,
    pub(super) after: Option<ConnectionId>,
    pub(super) limit: usize,
    /// With their tokens, and none that is being disconnected.
    pub(super) served: bool,
}

/// A connection, with its tokens where they were asked for.
pub(super) type Row = (Connection, Option<Held>);

/// Where ids come from.
enum Source {
    Ids(Vec<ConnectionId>),
    Index(String),
}

impl Redis {
    /// The connections that are meant, ordered by id.
    pub(super) async fn select(
        &self,
        selector: &Selector,
        part: Part<'_>,
    ) -> Result<Vec<Row>, Fault> {
        let mut found = Vec::new();
        for source in self.sources(selector, part).await? {
            found.extend(match source {
                Source::Ids(ids) => self.by_ids(selector, ids, part).await?,
                Source::Index(index) => self.walk(selector, &index, part).await?,
            });
        }
        found.sort_by_key(|(own, _)| own.id);
        found.dedup_by_key(|(own, _)| own.id);
        found.truncate(part.limit);
        Ok(found)
    }

    async fn sources(&self, selector: &Selector, part: Part<'_>) -> Result<Vec<Source>, Fault> {
        if let Some(ids) = &selector.connections {
            return Ok(vec![Source::Ids(ids.clone())]);
        }
        let not_active = part.status.filter(|status| *status != "active");
        let of_status = not_active.map(|status| vec![Source::Index(format!("status:{status}"))]);
        Ok(match (&selector.integrations, &selector.subjects, &selector.account) {
            (Some(integrations), Some(subjects), _) => {
                let of = |subject: &String| {
                    let pairs = integrations.iter().map(|integration| pair(integration, subject));
                    pairs.map(Source::Index).collect::<Vec<_>>()
                };
                subjects.iter().flat_map(of).collect()
            }
            (None, Some(subjects), _) => {
                let of = |subject| Source::Index(format!("subject:{subject}"));
                subjects.iter().map(of).collect()
            }
            (_, None, Some(account)) => vec![Source::Ids(self.of_account(account).await?)],
            (Some(integrations), None, None) => of_status.unwrap_or_else(|| {
                let of = |integration| Source::Index(format!("integration:{integration}"));
                integrations.iter().map(of).collect()
            }),
            (None, None, None) => {
                of_status.unwrap_or_else(|| vec![Source::Index("connections".to_owned())])
            }
        })
    }

    async fn of_account(&self, account: &str) -> Result<Vec<ConnectionId>, Fault> {
        let call = self.call(&OF_ACCOUNT, Family::Vault).key(format_args!("account:{account}"));
        let address = account.to_ascii_lowercase();
        let call = call.key(format_args!("address:{address}"));
        list(call.read().await?)?.into_iter().map(column).collect()
    }

    async fn walk(
        &self,
        selector: &Selector,
        index: &str,
        part: Part<'_>,
    ) -> Result<Vec<Row>, Fault> {
        let (mut found, mut after) = (Vec::new(), part.after);
        let limit = part.limit.clamp(1, PAGE);
        while found.len() < part.limit {
            let call = self.call(&WALK, Family::Vault).key(index).maybe(after.as_ref());
            let call = call.text(&limit.to_string()).arg(&part.served);
            let [count, last, page] = items(call.read().await?)?;
            found.extend(meant(selector, part, page)?);
            if column::<u64>(count)? < u64::try_from(limit).unwrap_or(u64::MAX) {
                break;
            }
            after = maybe_column(last)?;
        }
        Ok(found)
    }

    async fn by_ids(
        &self,
        selector: &Selector,
        mut ids: Vec<ConnectionId>,
        part: Part<'_>,
    ) -> Result<Vec<Row>, Fault> {
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| part.after.is_none_or(|after| after < *id));
        let mut found = Vec::new();
        for ids in ids.chunks(part.limit.clamp(1, PAGE)) {
            if found.len() >= part.limit {
                break;
            }
            let mut call = self.call(&BY_IDS, Family::Vault).arg(&part.served).arg(&length(ids));
            for id in ids {
                call = call.arg(id);
            }
            found.extend(meant(selector, part, call.read().await?)?);
        }
        Ok(found)
    }
}

/// Those of the rows that are meant.
fn meant(selector: &Selector, part: Part<'_>, rows: Value) -> Result<Vec<Row>, Fault> {
    let mut found = Vec::new();
    for row in list(rows)? {
        let [own, tokens] = items(row)?;
        let Some(own) = record(own, connection)? else { continue };
        let leaving = matches!(own.status, ConnectionStatus::Disconnecting { .. });
        if leaving && part.served || !means(selector, part.status, &own) {
            continue;
        }
        let tokens = record(tokens, credential)?;
        let held = tokens.map(|credential| Held { connection: own.clone(), credential });
        found.push((own, held));
    }
    Ok(found)
}

/// The index of an integration and a subject. In its name, the first colon ends the integration.
fn pair(integration: &str, subject: &str) -> String {
    let integration = integration.replace('%', "%25").replace(':', "%3A");
    format!("pair:{integration}:{subject}")
}
