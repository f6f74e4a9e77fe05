//! JSON objects without duplicate members: RFC 7515 §4, RFC 7519 §4.
//!
//! serde_json keeps the last of two members of a name, other parsers the first. A token that two
//! parties read differently is an attack, so it is refused, at every depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::JoseError;

/// Parses a JSON object and refuses it when a member name appears twice, however deep.
pub fn parse_object_strict(bytes: &[u8]) -> Result<Map<String, Value>, JoseError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).map_err(refused)?;
    reader.end().map_err(refused)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(JoseError::Json("expected an object".to_owned()))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn refused(error: serde_json::Error) -> JoseError {
    JoseError::Json(error.to_string())
}

/// Builds a [`Value`] and looks at every member name.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} appears twice")));
            }
            let value = entries.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reads_as_serde_json_reads_it() {
        let text = br#"{"a":[1,-2,2.5,"x",null,true,{"b":"\u00e9"}],"c":{}}"#;
        let read = parse_object_strict(text).expect("valid");
        assert_eq!(Value::Object(read), serde_json::from_slice::<Value>(text).expect("valid"));
    }

    #[test]
    fn duplicate_members_are_refused_at_every_depth_and_spelling() {
        for text in [
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":"a","\u0073ub":"b"}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
        ] {
            let error = parse_object_strict(text.as_bytes()).expect_err(text);
            assert!(error.to_string().contains("appears twice"), "{error}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in ["", "[]", "null", "\"a\"", "{} {}", "{}x", "{\"a\":1,}", "{\"a\":NaN}"] {
            assert!(parse_object_strict(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_object_strict(b"{\"a\":\"\xff\"}").is_err());
        let deep = "[".repeat(100_000);
        assert!(parse_object_strict(format!("{{\"a\":{deep}").as_bytes()).is_err());
    }
}
