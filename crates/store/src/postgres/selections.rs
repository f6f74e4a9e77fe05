//! Which connections a selector means: a statement with a condition for each thing that it names, so
//! that Postgres finds them by an index.

use grantor_core::id::ConnectionId;
use grantor_core::model::Connection;
use grantor_core::store::{Held, Selector, StoreError};

use super::Postgres;
use crate::columns::{Columns, Unreadable, Value};
use crate::records::connections::{
    connection, connection_columns, credential_columns, held as read_held,
};

const SELECT: &str = concat!("SELECT ", connection_columns!("c."), " FROM connection c");

const SELECT_HELD: &str = concat!(
    "SELECT ",
    connection_columns!("c."),
    ", ",
    credential_columns!("k."),
    " FROM connection c JOIN credential k ON k.connection_id = c.id"
);

/// As many are read over a connection that others share.
const FEW: u32 = 64;

/// Connections with their tokens, none that is being disconnected.
pub(super) async fn held(
    store: &Postgres,
    selector: &Selector,
    limit: u32,
) -> Result<Vec<Held>, StoreError> {
    let mut asked = Asked::of(selector);
    asked.narrow("c.status <> 'disconnecting'");
    asked.select(store, SELECT_HELD, limit, read_held).await
}

/// Connections without their tokens.
pub(super) async fn connections(
    store: &Postgres,
    selector: &Selector,
    status: Option<&str>,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<Connection>, StoreError> {
    let mut asked = Asked::of(selector);
    if let Some(status) = status {
        asked.narrow_to("c.status =", status.into());
        if status != "active" {
            // Said again, for the index that has only these.
            asked.narrow("c.status <> 'active'");
        }
    }
    if let Some(after) = after {
        asked.narrow_to("c.id >", after.0.into());
    }
    asked.select(store, SELECT, limit, connection).await
}

/// Conditions, and what is bound for them.
#[derive(Default)]
struct Asked<'s> {
    conditions: Vec<String>,
    values: Vec<Value<'s>>,
}

impl<'s> Asked<'s> {
    fn of(selector: &'s Selector) -> Self {
        let mut asked = Self::default();
        if let Some(ids) = &selector.connections {
            asked.among("c.id", ids.iter().map(|id| id.0.into()));
        }
        if let Some(subjects) = &selector.subjects {
            asked.among("c.subject", subjects.iter().map(Value::from));
        }
        if let Some(integrations) = &selector.integrations {
            asked.among("c.integration", integrations.iter().map(Value::from));
        }
        if let Some(account) = &selector.account {
            let sub = asked.bind(account.into());
            let address = asked.bind(account.to_ascii_lowercase().into());
            asked.narrow(&format!("(c.account_sub = {sub} OR c.account_address = {address})"));
        }
        asked
    }

    fn narrow(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    fn narrow_to(&mut self, condition: &str, value: Value<'s>) {
        let place = self.bind(value);
        self.narrow(&format!("{condition} {place}"));
    }

    fn among(&mut self, column: &str, values: impl Iterator<Item = Value<'s>>) {
        let place = self.bind(Value::List(values.collect()));
        self.narrow(&format!("{column} = ANY ({place})"));
    }

    fn bind(&mut self, value: Value<'s>) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    async fn select<T: Send>(
        mut self,
        store: &Postgres,
        select: &str,
        limit: u32,
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, StoreError> {
        let place = self.bind(limit.into());
        let conditions = match self.conditions.join(" AND ") {
            none if none.is_empty() => String::new(),
            some => format!(" WHERE {some}"),
        };
        let sql = format!("{select}{conditions} ORDER BY c.id LIMIT {place}");
        if limit <= FEW {
            return store.look_all(&sql, &self.values, read).await;
        }
        store
            .read((sql, self.values, read), |db, (sql, values, read)| {
                Box::pin(db.all(sql, values, *read))
            })
            .await
    }
}
