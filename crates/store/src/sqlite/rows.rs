//! Statements and columns: the one place where rows become values.

use grantor_core::id::Id;
use grantor_core::model::{Authentication, ClaimsRequest, MethodName, Scope};
use grantor_core::secret::Digest;
use grantor_core::time::Timestamp;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;

/// A connection with its prepared statements.
pub(super) struct Db<'c>(pub(super) &'c Connection);

impl Db<'_> {
    /// Runs a statement that gives no rows, and says how many it changed.
    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&mut Columns<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(|row| read(&mut Columns { row, next: 0 })).transpose()
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&mut Columns<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&mut Columns { row, next: 0 })?);
        }
        Ok(found)
    }
}

/// The columns of a row, read from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The next column as it is.
    pub(super) fn raw(&mut self) -> Result<ValueRef<'r>, Fault> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column as a number, a flag, bytes or text; `Option` where it may be NULL.
    pub(super) fn value<T: FromSql>(&mut self) -> Result<T, Fault> {
        Ok(T::column_result(self.raw()?)?)
    }

    pub(super) fn id(&mut self) -> Result<Id, Fault> {
        Ok(Id::from_bytes(self.value()?))
    }

    pub(super) fn optional_id(&mut self) -> Result<Option<Id>, Fault> {
        Ok(self.value::<Option<_>>()?.map(Id::from_bytes))
    }

    pub(super) fn digest(&mut self) -> Result<Digest, Fault> {
        Ok(Digest::from_bytes(self.value()?))
    }

    pub(super) fn optional_digest(&mut self) -> Result<Option<Digest>, Fault> {
        Ok(self.value::<Option<_>>()?.map(Digest::from_bytes))
    }

    /// A number that is never negative.
    pub(super) fn count(&mut self) -> Result<u64, Fault> {
        let value: i64 = self.value()?;
        u64::try_from(value).map_err(|_| Fault::Record(format!("a negative number: {value}")))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Fault> {
        Ok(Timestamp::from_epoch(self.value()?))
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        Ok(self.value::<Option<_>>()?.map(Timestamp::from_epoch))
    }

    pub(super) fn text(&mut self) -> Result<&'r str, Fault> {
        Ok(self.raw()?.as_str()?)
    }

    pub(super) fn scope(&mut self) -> Result<Scope, Fault> {
        let text = self.text()?;
        Scope::parse(text).map_err(|_| Fault::Record(format!("not a scope: {text:?}")))
    }

    /// A column of JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| Fault::Record(format!("{error} in {text}")))
    }

    /// A column of JSON that is NULL where there is nothing to say.
    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Fault> {
        match self.raw()? {
            ValueRef::Null => Ok(None),
            value => serde_json::from_str(value.as_str()?)
                .map(Some)
                .map_err(|error| Fault::Record(format!("a column of JSON: {error}"))),
        }
    }

    /// Claims that were asked for, or a list; most requests have none, which is NULL.
    pub(super) fn json_or_none<T: DeserializeOwned + Default>(&mut self) -> Result<T, Fault> {
        Ok(self.optional_json()?.unwrap_or_default())
    }

    /// What `read` makes of the next `columns`; `None` if the first one is NULL, as all are where
    /// an outer join has found nothing.
    pub(super) fn optional<T>(
        &mut self,
        columns: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        if matches!(self.row.get_ref(self.next)?, ValueRef::Null) {
            self.next += columns;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// The columns `auth_time`, `method`, `amr` and `acr`.
    pub(super) fn authentication(&mut self) -> Result<Authentication, Fault> {
        let auth_time = self.time()?;
        let method = self.text()?;
        let method = MethodName::parse(method)
            .ok_or_else(|| Fault::Record(format!("not a sign-in method: {method:?}")))?;
        let amr = self.text()?.split(' ').filter(|value| !value.is_empty());
        let amr = amr.map(str::to_owned).collect();
        Ok(Authentication { auth_time, method, amr, acr: self.value()? })
    }
}

/// The first column, for statements that have only one.
pub(super) fn single<T: FromSql>(columns: &mut Columns<'_>) -> Result<T, Fault> {
    columns.value()
}

/// What is bound for an id: its bytes.
pub(super) fn bytes(id: &Id) -> &[u8] {
    id.as_bytes()
}

/// What is bound for a number that [`Columns::count`] reads.
pub(super) fn number(count: u64) -> Result<i64, Fault> {
    i64::try_from(count).map_err(|_| Fault::Record(format!("too large a number: {count}")))
}

/// How many columns [`Columns::authentication`] reads.
pub(super) const AUTHENTICATION: usize = 4;

/// What is bound for claims.
pub(super) fn claims_column(claims: &ClaimsRequest) -> Result<Option<String>, Fault> {
    if claims.is_empty() { Ok(None) } else { json_column(claims).map(Some) }
}

/// What is bound for resources.
pub(super) fn list_column(list: &[String]) -> Result<Option<String>, Fault> {
    if list.is_empty() { Ok(None) } else { json_column(&list).map(Some) }
}

/// What is bound for a nested part.
pub(super) fn json_column(part: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(part).map_err(|error| Fault::Record(error.to_string()))
}
