//! Which connections a selector means: one look-up in an index for each thing that it names.

use grantor_core::id::ConnectionId;
use grantor_core::model::{Connection, ConnectionStatus};
use grantor_core::store::{Held, Selector};
use rusqlite::params;

use super::connection_rows::{SELECT_CONNECTION, SELECT_HELD};
use super::fault::Fault;
use super::rows::{Db, bytes};
use crate::columns::{Columns, Unreadable};
use crate::records::connections::{
    connection, connection_columns, credential_columns, held, means,
};

/// A way to read connections: with or without their tokens, by each thing that they are found by.
/// In all statements but the first, `?1` is the integration, `?2` the subject, `?3` the id after
/// which to begin, `?4` the account, `?5` the status and `?6` the limit.
struct Reading<T> {
    by_id: &'static str,
    by_subject_and_integration: &'static str,
    by_subject: &'static str,
    by_account_and_integration: &'static str,
    by_account: &'static str,
    by_integration: &'static str,
    not_active: &'static str,
    all: &'static str,
    read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    connection: fn(&T) -> &Connection,
    /// Whether those that are being disconnected are left out.
    served: bool,
}

macro_rules! connections {
    ($index:literal, $where:literal) => {
        concat!(
            "SELECT ",
            connection_columns!("c."),
            " FROM connection c ",
            $index,
            " WHERE ",
            $where,
            " AND c.id > ?3 AND (?4 IS NULL OR c.account_sub = ?4 OR c.account_email = ?4)
              AND (?5 IS NULL OR c.status = ?5) ORDER BY c.id LIMIT ?6"
        )
    };
}

macro_rules! held {
    ($index:literal, $where:literal) => {
        concat!(
            "SELECT ",
            connection_columns!("c."),
            ", ",
            credential_columns!("k."),
            " FROM connection c ",
            $index,
            " CROSS JOIN credential k ON k.number = c.number WHERE ",
            $where,
            " AND c.id > ?3 AND (?4 IS NULL OR c.account_sub = ?4 OR c.account_email = ?4)
              AND c.status <> 'disconnecting' AND ?5 IS NULL ORDER BY c.id LIMIT ?6"
        )
    };
}

macro_rules! reading {
    ($statement:ident, $by_id:ident, $read:ident, $connection:expr, served: $served:literal) => {
        Reading {
            by_id: $by_id,
            by_subject_and_integration: $statement!(
                "INDEXED BY connection_of_subject",
                "c.subject = ?2 AND c.integration = ?1"
            ),
            by_subject: $statement!("INDEXED BY connection_of_subject", "c.subject = ?2"),
            by_account_and_integration: $statement!(
                "",
                "c.id IN (SELECT id FROM connection INDEXED BY connection_of_account
                 WHERE account_sub = ?4 AND integration = ?1
                 UNION SELECT id FROM connection INDEXED BY connection_of_address
                 WHERE account_email = ?4 AND integration = ?1)"
            ),
            by_account: $statement!(
                "",
                "c.id IN (SELECT id FROM connection INDEXED BY connection_of_account
                 WHERE account_sub = ?4
                 UNION SELECT id FROM connection INDEXED BY connection_of_address
                 WHERE account_email = ?4)"
            ),
            by_integration: $statement!(
                "INDEXED BY connection_of_integration",
                "c.integration = ?1"
            ),
            not_active: $statement!(
                "INDEXED BY connection_not_active",
                "c.status = ?5 AND c.status <> 'active' AND (?1 IS NULL OR c.integration = ?1)"
            ),
            all: $statement!("", "true"),
            read: $read,
            connection: $connection,
            served: $served,
        }
    };
}

const CONNECTIONS: Reading<Connection> =
    reading!(connections, SELECT_CONNECTION, connection, |own| own, served: false);
const HELD: Reading<Held> = reading!(held, SELECT_HELD, held, |own| &own.connection, served: true);

/// What is asked for besides the selector.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) status: Option<&'a str>,
    pub(super) after: Option<ConnectionId>,
    pub(super) limit: u32,
}

/// Connections with their tokens, none that is being disconnected.
pub(super) fn select_held(
    db: &Db<'_>,
    selector: &Selector,
    limit: u32,
) -> Result<Vec<Held>, Fault> {
    select(db, &HELD, selector, Part { status: None, after: None, limit })
}

/// Connections without their tokens.
pub(super) fn select_connections(
    db: &Db<'_>,
    selector: &Selector,
    part: Part<'_>,
) -> Result<Vec<Connection>, Fault> {
    select(db, &CONNECTIONS, selector, part)
}

fn select<T>(
    db: &Db<'_>,
    reading: &Reading<T>,
    selector: &Selector,
    part: Part<'_>,
) -> Result<Vec<T>, Fault> {
    if let Some(ids) = &selector.connections {
        return by_ids(db, reading, selector, ids.clone(), part);
    }
    let mut found = Vec::new();
    for (sql, integration, subject) in look_ups(reading, selector, part) {
        let after = part.after.as_ref().map_or(&[][..], |id| bytes(&id.0));
        found.extend(db.all(
            sql,
            params![integration, subject, after, selector.account, part.status, part.limit],
            reading.read,
        )?);
    }
    let id = |own: &T| (reading.connection)(own).id;
    found.sort_by_key(id);
    found.dedup_by_key(|own| id(own));
    found.truncate(usize::try_from(part.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The ids are tried in their order, until there are enough.
fn by_ids<T>(
    db: &Db<'_>,
    reading: &Reading<T>,
    selector: &Selector,
    mut ids: Vec<ConnectionId>,
    part: Part<'_>,
) -> Result<Vec<T>, Fault> {
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| part.after.is_none_or(|after| after < *id));
    let mut found = Vec::new();
    for id in ids {
        if found.len() >= usize::try_from(part.limit).unwrap_or(usize::MAX) {
            break;
        }
        let own = db.one(reading.by_id, [bytes(&id.0)], reading.read)?;
        found.extend(own.filter(|own| {
            let connection = (reading.connection)(own);
            let leaving = matches!(connection.status, ConnectionStatus::Disconnecting { .. });
            (!leaving || !reading.served) && means(selector, part.status, connection)
        }));
    }
    Ok(found)
}

/// The statements to run, each with its integration and subject.
fn look_ups<'s, T>(
    reading: &Reading<T>,
    selector: &'s Selector,
    part: Part<'_>,
) -> Vec<(&'static str, Option<&'s str>, Option<&'s str>)> {
    let not_active = part.status.is_some_and(|status| status != "active");
    match (&selector.integrations, &selector.subjects) {
        (Some(integrations), Some(subjects)) => {
            let of = |subject: &'s String| {
                integrations.iter().map(move |integration| {
                    (reading.by_subject_and_integration, Some(&**integration), Some(&**subject))
                })
            };
            subjects.iter().flat_map(of).collect()
        }
        (None, Some(subjects)) => {
            subjects.iter().map(|subject| (reading.by_subject, None, Some(&**subject))).collect()
        }
        (Some(integrations), None) => {
            let sql = match &selector.account {
                Some(_) => reading.by_account_and_integration,
                None if not_active => reading.not_active,
                None => reading.by_integration,
            };
            integrations.iter().map(|integration| (sql, Some(&**integration), None)).collect()
        }
        (None, None) => {
            let sql = match &selector.account {
                Some(_) => reading.by_account,
                None if not_active => reading.not_active,
                None => reading.all,
            };
            vec![(sql, None, None)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{Options, Sqlite};

    fn plan(store: &Sqlite, sql: &str) -> Vec<String> {
        let read = store.read(|db| {
            let mut statement = db.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
            while let Some(row) = rows.next()? {
                steps.push(row.get(3)?);
            }
            Ok(steps)
        });
        read.expect("a plan")
    }

    #[test]
    fn every_way_to_find_connections_is_a_look_up() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let store = Sqlite::open(&folder.path().join("grantor.db"), &Options::default());
        let store = store.expect("opens");
        let account = ["connection_of_account (account_sub=?)", "of_address (account_email=?)"];
        for (connections, held, looked_up) in [
            (CONNECTIONS.by_id, HELD.by_id, &["(id=?)"][..]),
            (
                CONNECTIONS.by_subject_and_integration,
                HELD.by_subject_and_integration,
                &["(subject=? AND integration=? AND id>?)"],
            ),
            (CONNECTIONS.by_subject, HELD.by_subject, &["(subject=?)"]),
            (
                CONNECTIONS.by_account_and_integration,
                HELD.by_account_and_integration,
                &["connection_of_account (account_sub=? AND integration=?)", account[1]],
            ),
            (CONNECTIONS.by_account, HELD.by_account, &account),
            (CONNECTIONS.by_integration, HELD.by_integration, &["(integration=? AND id>?)"]),
            (CONNECTIONS.not_active, HELD.not_active, &["(status=? AND id>?)"]),
            (CONNECTIONS.all, HELD.all, &["(id>?)"]),
        ] {
            for sql in [connections, held] {
                let plan = plan(&store, sql);
                assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{plan:?}");
                for index in looked_up {
                    assert!(plan.iter().any(|step| step.ends_with(index)), "{index}: {plan:?}");
                }
            }
            let plan = plan(&store, held);
            let tokens = "SEARCH k USING INTEGER PRIMARY KEY (rowid=?)".to_owned();
            assert!(plan.contains(&tokens), "{plan:?}");
        }
    }
}
