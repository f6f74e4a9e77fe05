//! Settings before they are typed: a tree of values beside the schema that says what they must be.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::Problem;
use super::store::Store;
use super::values::{Allowed, Period};
use crate::forwarded::Cidr;
use crate::mail;

/// Puts `over` on top of `base`, key by key.
pub(super) fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets the value at a path, making the sections on the way.
pub(super) fn insert(tree: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            tree.insert((*key).to_owned(), value);
        }
        [section, rest @ ..] => {
            let entry = tree.entry(*section).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            if let Value::Object(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

/// The text of an environment variable as the type that the schema wants at `path`.
pub(super) fn typed(schema: &Value, path: &[&str], text: &str) -> Result<Value, String> {
    let mut schema = schema;
    for segment in path {
        schema = member(present(schema), segment)
            .ok_or_else(|| "there is no such setting; see `grantor config schema`".to_owned())?;
    }
    let schema = present(schema);
    if is(schema, "object") {
        return Err("is a section: name a key in it after another `__`".to_owned());
    }
    Ok(value_of(schema, text))
}

fn value_of(schema: &Value, text: &str) -> Value {
    let string = || Value::String(text.to_owned());
    if is(schema, "integer") {
        return text.trim().parse::<i64>().map_or_else(|_| string(), Value::from);
    }
    if is(schema, "boolean") {
        return text.trim().parse::<bool>().map_or_else(|_| string(), Value::from);
    }
    if is(schema, "array") {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return items.map(|item| value_of(present(&schema["items"]), item)).collect();
    }
    string()
}

/// The schema of a value that is there, where `null` would be allowed too.
pub(super) fn present(schema: &Value) -> &Value {
    let some = |any: &'_ Value| any["type"] != "null";
    match schema["anyOf"].as_array() {
        Some(any) => any.iter().find(|one| some(one)).unwrap_or(schema),
        None => schema,
    }
}

pub(super) fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(any) => any.iter().any(|one| one == name),
        _ => false,
    }
}

fn member<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let named = schema["properties"].get(key);
    named.or_else(|| schema.get("additionalProperties").filter(|any| any.is_object()))
}

/// Reports everything about `value` that the schema does not allow and takes it out, so that the
/// rest can be looked at too. Whether the value as a whole can stay is the answer.
pub(super) fn validate(
    schema: &Value,
    value: &mut Value,
    path: &str,
    problems: &mut Vec<Problem>,
) -> bool {
    let schema = present(schema);
    let complaint = match value {
        Value::Object(table) if is(schema, "object") => {
            return validate_table(schema, table, path, problems);
        }
        Value::Array(items) if is(schema, "array") => {
            let before = items.len();
            let mut number = 0;
            items.retain_mut(|item| {
                number += 1;
                validate(&schema["items"], item, &format!("{path}[{number}]"), problems)
            });
            return before == items.len();
        }
        other => complaint(schema, other),
    };
    let fine = complaint.is_none();
    problems.extend(complaint.map(|text| Problem { path: path.to_owned(), text }));
    fine
}

fn validate_table(
    schema: &Value,
    table: &mut Map<String, Value>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> bool {
    table.retain(|key, value| {
        let path = join(path, key);
        let Some(inner) = member(schema, key) else {
            let known = schema["properties"].as_object().into_iter().flat_map(Map::keys);
            let known: Vec<&str> = known.map(String::as_str).collect();
            let text = format!("there is no such setting; here are: {}", known.join(", "));
            problems.push(Problem { path, text });
            return false;
        };
        validate(inner, value, &path, problems)
    });
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<&str> = required.filter(|key| !table.contains_key(*key)).collect();
    for key in &missing {
        let path = join(path, key);
        if !problems.iter().any(|known| known.path == path) {
            problems.push(Problem { path, text: "has to be set".to_owned() });
        }
    }
    missing.is_empty()
}

fn complaint(schema: &Value, value: &Value) -> Option<String> {
    let choices = choices(schema);
    if !choices.is_empty() {
        let known = value.as_str().is_some_and(|text| choices.contains(&text));
        return (!known).then(|| format!("must be one of {}, not {value}", choices.join(", ")));
    }
    let secret = schema["writeOnly"] == true || is_secret_list(schema);
    let not = if secret { String::new() } else { format!(", not {value}") };
    if is(schema, "integer") {
        return integer_complaint(schema, value).map(|text| format!("{text}{not}"));
    }
    if is(schema, "boolean") {
        return (!value.is_boolean()).then(|| format!("must be true or false{not}"));
    }
    if is(schema, "object") {
        return Some(format!("is a section with keys of its own{not}"));
    }
    if is(schema, "array") {
        return Some(format!("must be a list in brackets{not}"));
    }
    let Some(text) = value.as_str() else {
        return Some(format!("must be text in quotes{not}"));
    };
    format_complaint(schema["format"].as_str().unwrap_or_default(), text)
}

/// What an enum can be: schemars writes variants with docs as `const`, those without as `enum`.
pub(super) fn choices(schema: &Value) -> Vec<&str> {
    let documented = schema["oneOf"].as_array().into_iter().flatten();
    let plain = schema["enum"].as_array().into_iter().flatten();
    documented.map(|one| &one["const"]).chain(plain).filter_map(Value::as_str).collect()
}

fn integer_complaint(schema: &Value, value: &Value) -> Option<String> {
    let Some(number) = value.as_i64() else {
        return Some("must be a whole number".to_owned());
    };
    let least = schema["minimum"].as_i64().unwrap_or(0);
    let most = schema["maximum"].as_i64().unwrap_or(i64::from(u32::MAX));
    let fits = (least..=most).contains(&number);
    (!fits).then(|| format!("must be between {least} and {most}"))
}

fn format_complaint(format: &str, text: &str) -> Option<String> {
    match format {
        "period" => text.parse::<Period>().err(),
        "store" => text.parse::<Store>().err(),
        "allowed" => text.parse::<Allowed>().err(),
        "cidr" => text.parse::<Cidr>().err(),
        "socket" => text.parse::<SocketAddr>().err().map(|_| {
            format!("\"{text}\" is not an IP address and a port, such as \"127.0.0.1:5059\"")
        }),
        "mailbox" => mail::read_address(text).err().map(|_| {
            format!(
                "\"{text}\" is not a mail address: write \"no-reply@example.com\" or \"Example \
                 <no-reply@example.com>\""
            )
        }),
        _ => None,
    }
}

/// Reads `password_file` into `password`, and so on for every secret that has such a twin; into a
/// list of secrets, the files of its twin.
pub(super) fn read_secret_files(
    schema: &Value,
    tree: &mut Value,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(table) = tree.as_object_mut() else {
        return;
    };
    for key in members(schema, table) {
        let Some(inner) = member(schema, &key).map(present) else {
            continue;
        };
        let key = key.as_str();
        if inner["writeOnly"] == true {
            let outcome = read_secret(table, key);
            let path = join(path, &format!("{key}_file"));
            problems.extend(outcome.err().map(|text| Problem { path, text }));
        } else if is_secret_list(inner) {
            let files = format!("{}_files", key.trim_end_matches('s'));
            let outcome = read_secrets(table, key, &files);
            let path = join(path, &files);
            problems.extend(outcome.err().map(|text| Problem { path, text }));
        } else if let Some(value) = table.get_mut(key) {
            read_secret_files(inner, value, &join(path, key), problems);
        }
    }
}

/// The keys that the schema names, and in a table of free names those that are there.
fn members(schema: &Value, table: &Map<String, Value>) -> Vec<String> {
    match schema["properties"].as_object() {
        Some(named) => named.keys().cloned().collect(),
        None => table.keys().cloned().collect(),
    }
}

fn read_secret(table: &mut Map<String, Value>, key: &str) -> Result<(), String> {
    let Some(file) = table.get(&format!("{key}_file")).and_then(Value::as_str) else {
        return Ok(());
    };
    if table.get(key).is_some_and(Value::is_string) {
        return Err(format!("is set beside `{key}`: remove one of the two"));
    }
    table.insert(key.to_owned(), Value::String(secret_in(file)?));
    Ok(())
}

/// What is in the files comes after what is in the list itself.
fn read_secrets(table: &mut Map<String, Value>, key: &str, files: &str) -> Result<(), String> {
    let files = table.get(files).and_then(Value::as_array).into_iter().flatten();
    let read = files.filter_map(Value::as_str).map(|file| secret_in(file).map(Value::String));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    if let (false, Some(list)) = (
        read.is_empty(),
        table.entry(key).or_insert_with(|| Value::Array(Vec::new())).as_array_mut(),
    ) {
        list.extend(read);
    }
    Ok(())
}

fn secret_in(file: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() { Err(format!("{file} is empty")) } else { Ok(text) }
}

fn is_secret_list(schema: &Value) -> bool {
    is(schema, "array") && present(&schema["items"])["writeOnly"] == true
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
