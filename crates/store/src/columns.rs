//! Values on their way into a row and out of it, for the back ends that speak SQL: the one place
//! where columns become records.

use std::borrow::Cow;
use std::fmt;

use grantor_core::id::Id;
use grantor_core::model::{Authentication, ClaimsRequest, MethodName, Scope};
use grantor_core::secret::Digest;
use grantor_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A column or a row is not what a record is made of.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

/// What is in a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'r> {
    /// NULL.
    Null,
    /// A number, or a flag where the database has none.
    Integer(i64),
    /// A flag.
    Flag(bool),
    /// Text.
    Text(Cow<'r, str>),
    /// Bytes.
    Bytes(&'r [u8]),
}

impl Cell<'_> {
    /// What kind it is; what it holds may be secret.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "a flag",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// A row as a database gives it.
pub(crate) trait Cells {
    /// The column at this place, from 0.
    fn cell(&self, place: usize) -> Result<Cell<'_>, Unreadable>;
}

/// What a column can be read as.
pub(crate) trait FromCell: Sized {
    /// `None` when it is something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Integer(number) = cell { Some(number) } else { None }
    }
}

impl FromCell for u32 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl FromCell for u64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Flag(flag) => Some(flag),
            Cell::Integer(number) => Some(number != 0),
            Cell::Null | Cell::Text(_) | Cell::Bytes(_) => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.into_owned()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> FromCell for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { bytes.try_into().ok() } else { None }
    }
}

impl FromCell for Digest {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        <[u8; _]>::from_cell(cell).map(Self::from_bytes)
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(Self::from_epoch)
    }
}

impl FromCell for Scope {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Self::parse(&text).ok() } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

/// The columns of a row, read from left to right.
pub(crate) struct Columns<'r> {
    row: &'r dyn Cells,
    next: usize,
}

impl<'r> Columns<'r> {
    /// All columns of `row`.
    pub(crate) const fn of(row: &'r dyn Cells) -> Self {
        Self { row, next: 0 }
    }

    /// The next column as it is.
    pub(crate) fn cell(&mut self) -> Result<Cell<'r>, Unreadable> {
        let cell = self.row.cell(self.next)?;
        self.next += 1;
        Ok(cell)
    }

    /// The next column as a number, a flag, bytes or text; `Option` where it may be NULL.
    pub(crate) fn value<T: FromCell>(&mut self) -> Result<T, Unreadable> {
        let cell = self.cell()?;
        let (kind, place) = (cell.kind(), self.next);
        T::from_cell(cell)
            .ok_or_else(|| Unreadable(format!("column {place} does not read: it is {kind}")))
    }

    pub(crate) fn id(&mut self) -> Result<Id, Unreadable> {
        Ok(Id::from_bytes(self.value()?))
    }

    pub(crate) fn optional_id(&mut self) -> Result<Option<Id>, Unreadable> {
        Ok(self.value::<Option<_>>()?.map(Id::from_bytes))
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, Unreadable> {
        self.value()
    }

    pub(crate) fn optional_digest(&mut self) -> Result<Option<Digest>, Unreadable> {
        self.value()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Unreadable> {
        self.value()
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, Unreadable> {
        self.value()
    }

    pub(crate) fn text(&mut self) -> Result<Cow<'r, str>, Unreadable> {
        match self.cell()? {
            Cell::Text(text) => Ok(text),
            other => Err(Unreadable(format!(
                "column {} does not read as text: it is {}",
                self.next,
                other.kind()
            ))),
        }
    }

    pub(crate) fn scope(&mut self) -> Result<Scope, Unreadable> {
        let text = self.text()?;
        Scope::parse(&text).map_err(|_| Unreadable(format!("not a scope: {text:?}")))
    }

    /// A column of JSON.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Unreadable> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| Unreadable(format!("{error} in {text}")))
    }

    /// A column of JSON that is NULL where there is nothing to say.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Unreadable> {
        self.optional(1, |columns| {
            serde_json::from_str(&columns.text()?)
                .map_err(|error| Unreadable(format!("a column of JSON: {error}")))
        })
    }

    /// Claims that were asked for, or a list; most requests have none, which is NULL.
    pub(crate) fn json_or_none<T: DeserializeOwned + Default>(&mut self) -> Result<T, Unreadable> {
        Ok(self.optional_json()?.unwrap_or_default())
    }

    /// What `read` makes of the next `columns`; `None` if the first one is NULL, as all are where
    /// an outer join has found nothing.
    pub(crate) fn optional<T>(
        &mut self,
        columns: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        if self.row.cell(self.next)? == Cell::Null {
            self.next += columns;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// What `parse` makes of the next column, a name of `what`.
    pub(crate) fn named<T>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Unreadable> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| Unreadable(format!("not a name of {what}: {text:?}")))
    }

    /// The columns `auth_time`, `method`, `amr` and `acr`.
    pub(crate) fn authentication(&mut self) -> Result<Authentication, Unreadable> {
        let auth_time = self.time()?;
        let method = self.named("a sign-in method", MethodName::parse)?;
        let amr = self.text()?;
        let amr = amr.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect();
        Ok(Authentication { auth_time, method, amr, acr: self.value()? })
    }
}

/// The first column, for statements that have only one.
pub(crate) fn single<T: FromCell>(columns: &mut Columns<'_>) -> Result<T, Unreadable> {
    columns.value()
}

/// What goes into a column.
#[derive(Clone)]
pub(crate) enum Value<'v> {
    /// NULL.
    Null,
    /// A number.
    Integer(i64),
    /// A flag.
    Flag(bool),
    /// Text.
    Text(Cow<'v, str>),
    /// Bytes.
    Bytes(&'v [u8]),
    /// The 16 bytes of an id.
    Id(Id),
    /// The 32 bytes of a digest.
    Digest(Digest),
    /// Several, for a database that takes lists.
    List(Vec<Self>),
}

/// Says nothing of what may be secret.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "a flag",
            Self::Text(_) => "text",
            Self::Bytes(_) | Self::Id(_) | Self::Digest(_) => "bytes",
            Self::List(_) => "a list",
        })
    }
}

macro_rules! value_from {
    ($($from:ty, $value:ident => $made:expr;)+) => {$(
        impl<'v> From<$from> for Value<'v> {
            fn from($value: $from) -> Self {
                $made
            }
        }
    )+};
}

value_from! {
    i64, number => Self::Integer(number);
    u32, number => Self::Integer(number.into());
    bool, flag => Self::Flag(flag);
    &'v str, text => Self::Text(Cow::Borrowed(text));
    &'v String, text => Self::Text(Cow::Borrowed(text));
    String, text => Self::Text(Cow::Owned(text));
    &'v [u8], bytes => Self::Bytes(bytes);
    &'v Vec<u8>, bytes => Self::Bytes(bytes);
    &'v [u8; 8], bytes => Self::Bytes(bytes);
    &'v [u8; 16], bytes => Self::Bytes(bytes);
    &'v [u8; 32], bytes => Self::Bytes(bytes);
    &'v [u8; 33], bytes => Self::Bytes(bytes);
    Id, id => Self::Id(id);
    &Id, id => Self::Id(*id);
    Digest, digest => Self::Digest(digest);
    &Digest, digest => Self::Digest(*digest);
    Timestamp, time => Self::Integer(time.epoch());
    Vec<Value<'v>>, list => Self::List(list);
}

impl<'v, T: Into<Self>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The names of columns, separated by commas, each after the name of its table: `""` or `"u."`.
macro_rules! listed {
    ($of:literal: $first:ident $(, $rest:ident)*) => {
        concat!($of, stringify!($first) $(, ", ", $of, stringify!($rest))*)
    };
}
pub(crate) use listed;

/// What is bound, in its order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::columns::Value::from($value)),*]
    };
}
pub(crate) use values;

/// What is bound for a number that may be too large for a column.
pub(crate) fn number(count: u64) -> Result<i64, Unreadable> {
    i64::try_from(count).map_err(|_| Unreadable(format!("too large a number: {count}")))
}

/// How many columns [`Columns::authentication`] reads.
pub(crate) const AUTHENTICATION: usize = 4;

/// What is bound for [`AUTHENTICATION`].
pub(crate) fn authentication(own: Option<&Authentication>) -> [Value<'_>; AUTHENTICATION] {
    values![
        own.map(|own| own.auth_time),
        own.map(|own| own.method.as_str()),
        own.map(|own| own.amr.join(" ")),
        own.and_then(|own| own.acr.as_deref()),
    ]
}

/// What is bound for claims.
pub(crate) fn claims_column(claims: &ClaimsRequest) -> Result<Option<String>, Unreadable> {
    if claims.is_empty() { Ok(None) } else { json_column(claims).map(Some) }
}

/// What is bound for resources.
pub(crate) fn list_column(list: &[String]) -> Result<Option<String>, Unreadable> {
    if list.is_empty() { Ok(None) } else { json_column(&list).map(Some) }
}

/// What is bound for a nested part.
pub(crate) fn json_column(part: &impl Serialize) -> Result<String, Unreadable> {
    serde_json::to_string(part).map_err(|error| Unreadable(error.to_string()))
}
