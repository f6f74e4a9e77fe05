//! Records as hashes: fields with readable names. What a record does not have, the hash has not.

use grantor_core::model::{Authentication, MethodName};
use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::column::Column;
use super::fault::Fault;

/// The fields of a record, to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(&'static str, Vec<u8>)>);

impl Fields {
    /// Adds a field.
    pub(super) fn with(mut self, name: &'static str, value: &impl Column) -> Self {
        self.0.push((name, value.write()));
        self
    }

    /// Adds a field if there is something to say.
    pub(super) fn maybe(self, name: &'static str, value: Option<&impl Column>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a field of text.
    pub(super) fn text(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.as_bytes().to_vec()));
        self
    }

    /// Adds a nested part as JSON.
    pub(super) fn json(mut self, name: &'static str, part: &impl Serialize) -> Result<Self, Fault> {
        let text = serde_json::to_vec(part).map_err(|error| Fault::Record(error.to_string()))?;
        self.0.push((name, text));
        Ok(self)
    }

    /// Adds a nested part as JSON if `is_there`.
    pub(super) fn json_if(
        self,
        is_there: bool,
        name: &'static str,
        part: &impl Serialize,
    ) -> Result<Self, Fault> {
        if is_there { self.json(name, part) } else { Ok(self) }
    }

    /// Adds how a person has signed in.
    pub(super) fn authentication(self, own: Option<&Authentication>) -> Self {
        let Some(own) = own else { return self };
        self.with("auth_time", &own.auth_time)
            .text("method", own.method.as_str())
            .text("amr", &own.amr.join(" "))
            .maybe("acr", own.acr.as_ref())
    }
}

/// A hash that was read.
#[derive(Clone, Debug)]
pub(super) struct Hash(Vec<(Vec<u8>, Vec<u8>)>);

impl Hash {
    /// Reads what `HGETALL` answers in a script: names and values in turn, nothing for no hash.
    pub(super) fn read(value: Value) -> Result<Option<Self>, Fault> {
        let items = list(value)?;
        let mut fields = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let Some(name) = items.next() {
            let value = items.next().ok_or_else(|| unexpected("an odd number of fields"))?;
            fields.push((bytes(name)?, bytes(value)?));
        }
        Ok((!fields.is_empty()).then_some(Self(fields)))
    }

    /// The fields as they are.
    pub(super) fn raw(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.0
    }

    fn find(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(own, _)| own == name.as_bytes()).map(|(_, value)| &**value)
    }

    /// A field that may be missing.
    pub(super) fn maybe<T: Column>(&self, name: &str) -> Result<Option<T>, Fault> {
        let read = |bytes| T::read(bytes).ok_or_else(|| wrong(name));
        self.find(name).map(read).transpose()
    }

    /// A field.
    pub(super) fn get<T: Column>(&self, name: &str) -> Result<T, Fault> {
        self.maybe(name)?.ok_or_else(|| wrong(name))
    }

    /// A field that is one of a few names.
    pub(super) fn named<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Fault> {
        let text = self.find(name).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.and_then(parse).ok_or_else(|| wrong(name))
    }

    /// A field that is one of a few names, and may be missing.
    pub(super) fn maybe_named<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        self.find(name).is_some().then(|| self.named(name, parse)).transpose()
    }

    /// A nested part that may be missing.
    pub(super) fn maybe_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let read = |bytes| {
            serde_json::from_slice(bytes)
                .map_err(|error| Fault::Record(format!("the field {name}: {error}")))
        };
        self.find(name).map(read).transpose()
    }

    /// A nested part.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        self.maybe_json(name)?.ok_or_else(|| wrong(name))
    }

    /// A nested part that is empty when it is missing.
    pub(super) fn json_or_none<T: DeserializeOwned + Default>(
        &self,
        name: &str,
    ) -> Result<T, Fault> {
        Ok(self.maybe_json(name)?.unwrap_or_default())
    }

    /// How a person has signed in, if that is known.
    pub(super) fn maybe_authentication(&self) -> Result<Option<Authentication>, Fault> {
        let Some(auth_time) = self.maybe("auth_time")? else {
            return Ok(None);
        };
        let amr: String = self.get("amr")?;
        Ok(Some(Authentication {
            auth_time,
            method: self.named("method", MethodName::parse)?,
            amr: amr.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect(),
            acr: self.maybe("acr")?,
        }))
    }

    /// How a person has signed in.
    pub(super) fn authentication(&self) -> Result<Authentication, Fault> {
        self.maybe_authentication()?.ok_or_else(|| wrong("auth_time"))
    }
}

/// The items of a list; none where there is none.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Map(pairs) => Ok(pairs.into_iter().flat_map(|(name, own)| [name, own]).collect()),
        Value::Nil => Ok(Vec::new()),
        _ => Err(unexpected("no list")),
    }
}

/// The items of a list of which the caller knows how many there are.
pub(super) fn items<const N: usize>(value: Value) -> Result<[Value; N], Fault> {
    list(value)?.try_into().map_err(|_| unexpected("another number of items"))
}

/// Text or bytes.
pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Fault> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.write()),
        _ => Err(unexpected("neither text nor number")),
    }
}

/// A single value.
pub(super) fn column<T: Column>(value: Value) -> Result<T, Fault> {
    T::read(&bytes(value)?).ok_or_else(|| unexpected("a value of another kind"))
}

/// A single value that may be missing.
pub(super) fn maybe_column<T: Column>(value: Value) -> Result<Option<T>, Fault> {
    match value {
        Value::Nil => Ok(None),
        value => column(value).map(Some),
    }
}

/// Whether a script said yes; it says no with nothing.
pub(super) fn yes(value: &Value) -> bool {
    !matches!(value, Value::Nil | Value::Int(0) | Value::Boolean(false))
}

/// Hashes, each read as a record; those that are not there are left out.
pub(super) fn records<T>(
    value: Value,
    read: impl Fn(&Hash) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    for one in list(value)? {
        found.extend(Hash::read(one)?.map(|hash| read(&hash)).transpose()?);
    }
    Ok(found)
}

/// A hash, read as a record if it is there.
pub(super) fn record<T>(
    value: Value,
    read: impl FnOnce(&Hash) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    Hash::read(value)?.map(|hash| read(&hash)).transpose()
}

/// An answer of another form than the script gives.
pub(super) fn unexpected(what: &str) -> Fault {
    Fault::Record(format!("Redis answers {what}"))
}

fn wrong(name: &str) -> Fault {
    Fault::Record(format!("a record in Redis has no field {name} that reads"))
}
