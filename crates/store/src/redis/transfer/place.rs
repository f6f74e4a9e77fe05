//! Where the records of each table are: their keys, and values as they are written.

use std::fmt::Write as _;

use grantor_core::id::Id;

use super::super::fault::Fault;
use super::super::script::Family;
use crate::transfer::{Column, ColumnKind, Table, Value};

/// Where a record is.
pub(super) struct Place {
    /// The key, without what all keys of the family begin with.
    pub(super) key: String,
    /// Its kind, as scripts call it.
    pub(super) kind: &'static str,
    /// What it has of its own in the key, or in what has several.
    pub(super) id: String,
}

/// The family of a table.
pub(super) const fn family(table: Table) -> Family {
    match table {
        Table::ServerSecret | Table::SigningKey => Family::Keys,
        Table::Client
        | Table::RemovedClient
        | Table::InitialToken
        | Table::User
        | Table::Session
        | Table::Consent
        | Table::PendingRequest
        | Table::Code
        | Table::Device
        | Table::Family
        | Table::AccessToken
        | Table::RevokedToken => Family::Oauth,
        Table::SignInAttempt | Table::ExternalSignIn | Table::OutboxMail => Family::SignIn,
        Table::UsedOnce => Family::Once,
        Table::Connection
        | Table::Credential
        | Table::RefreshAttempt
        | Table::Pause
        | Table::ConnectSession
        | Table::ApiKey
        | Table::AuditEvent
        | Table::Notice => Family::Vault,
    }
}

/// How the keys of each table that has a key for each record begin, before a colon.
const KINDS: [(&str, Table); 25] = [
    ("signing_key", Table::SigningKey),
    ("client", Table::Client),
    ("removed", Table::RemovedClient),
    ("initial", Table::InitialToken),
    ("user", Table::User),
    ("session", Table::Session),
    ("consent", Table::Consent),
    ("request", Table::PendingRequest),
    ("attempt", Table::SignInAttempt),
    ("external", Table::ExternalSignIn),
    ("mail", Table::OutboxMail),
    ("code", Table::Code),
    ("device", Table::Device),
    ("family", Table::Family),
    ("access", Table::AccessToken),
    ("revoked", Table::RevokedToken),
    ("client_assertion", Table::UsedOnce),
    ("grant_assertion", Table::UsedOnce),
    ("connection", Table::Connection),
    ("credential", Table::Credential),
    ("refresh", Table::RefreshAttempt),
    ("pause", Table::Pause),
    ("connect_session", Table::ConnectSession),
    ("api_key", Table::ApiKey),
    ("notice", Table::Notice),
];

/// What stands before the digest of something that was used once: see `records::once`.
const ONCE: [(u8, &str); 2] = [(1, "client_assertion"), (2, "grant_assertion")];

impl Place {
    /// The place of the record with this key.
    pub(super) fn of(table: Table, key: &[Value]) -> Result<Self, Fault> {
        let several = |name: &str, kind| {
            let [id] = key else { return Err(no_key(table)) };
            Ok(Self { key: name.to_owned(), kind, id: plain(table, id)? })
        };
        if table == Table::ServerSecret {
            return several("secrets", "secret");
        }
        if table == Table::AuditEvent {
            return several("audit", "entry");
        }
        if table == Table::UsedOnce {
            return once(key);
        }
        let kind = KINDS.iter().find(|(_, own)| *own == table).map(|(kind, _)| *kind);
        let kind = kind.ok_or_else(|| no_key(table))?;
        let parts = key.iter().map(|part| plain(table, part));
        let id = parts.collect::<Result<Vec<_>, _>>()?.join(":");
        Ok(Self { key: format!("{kind}:{id}"), kind, id })
    }

    /// The table and the key of the record that is at a key of Redis; `None` for what is no record.
    pub(super) fn read(redis_key: &str) -> Option<(Table, Vec<Value>)> {
        let (kind, id) = redis_key.split_once(':')?;
        let (_, table) = *KINDS.iter().find(|(own, _)| *own == kind)?;
        if table == Table::UsedOnce {
            let (byte, _) = ONCE.iter().find(|(_, own)| *own == kind)?;
            let digits = (0..id.len() / 2)
                .map(|at| u8::from_str_radix(id.get(2 * at..2 * at + 2)?, 16).ok());
            let digest = digits.collect::<Option<Vec<u8>>>()?;
            return Some((table, vec![Value::Blob([&[*byte], &digest[..]].concat())]));
        }
        // Only the last part of a key may have a colon in it.
        let parts: Vec<&str> = id.splitn(table.key_columns(), ':').collect();
        let value = |(part, column): (&&str, &Column)| read(part.as_bytes(), column).ok();
        let key: Option<Vec<_>> = parts.iter().zip(table.key()).map(value).collect();
        Some((table, key.filter(|key| key.len() == table.key_columns())?))
    }
}

fn once(key: &[Value]) -> Result<Place, Fault> {
    let [Value::Blob(bytes)] = key else { return Err(no_key(Table::UsedOnce)) };
    let [kind, digest @ ..] = &bytes[..] else { return Err(no_key(Table::UsedOnce)) };
    let kind = ONCE.iter().find(|(byte, _)| byte == kind).map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| no_key(Table::UsedOnce))?;
    let mut id = String::with_capacity(64);
    for byte in digest {
        write!(id, "{byte:02x}").map_err(|_| no_key(Table::UsedOnce))?;
    }
    Ok(Place { key: format!("{kind}:{id}"), kind, id })
}

fn no_key(table: Table) -> Fault {
    Fault::Record(format!("not the key of a record of {}", table.name()))
}

/// A part of a key.
fn plain(table: Table, value: &Value) -> Result<String, Fault> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Blob(bytes) => Ok(uuid(bytes)?.to_string()),
        Value::Null => Err(no_key(table)),
    }
}

/// A value as it is stored: ids and numbers as text.
pub(super) fn written(value: &Value, column: &Column) -> Result<Vec<u8>, Fault> {
    Ok(match value {
        Value::Null => Vec::new(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Text(text) => text.clone().into_bytes(),
        Value::Blob(bytes) if column.kind == ColumnKind::Id => {
            uuid(bytes)?.to_string().into_bytes()
        }
        Value::Blob(bytes) => bytes.clone(),
    })
}

/// The same, as it was.
pub(super) fn read(bytes: &[u8], column: &Column) -> Result<Value, Fault> {
    let wrong = || Fault::Record(format!("a field {} in Redis does not read", column.name));
    let text = || std::str::from_utf8(bytes).map_err(|_| wrong());
    Ok(match column.kind {
        ColumnKind::Integer | ColumnKind::Flag => {
            Value::Integer(text()?.parse().map_err(|_| wrong())?)
        }
        ColumnKind::Text => Value::Text(text()?.to_owned()),
        ColumnKind::Blob => Value::Blob(bytes.to_vec()),
        ColumnKind::Id => {
            let id: Id = text()?.parse().map_err(|_| wrong())?;
            Value::Blob(id.as_bytes().to_vec())
        }
    })
}

fn uuid(bytes: &[u8]) -> Result<Id, Fault> {
    let bytes = bytes.try_into();
    bytes.map(Id::from_bytes).map_err(|_| Fault::Record("an id has 16 bytes".to_owned()))
}
