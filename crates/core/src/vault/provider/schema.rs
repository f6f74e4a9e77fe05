//! The schema of a description, made from its types, and what is wrong with a file by it.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::description::{Description, Expiry};
use super::template::{Template, UrlTemplate};
use super::text::{Period, Place, Pointer};

/// The JSON Schema of a description: for editors, and for the reference of its keys.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|own| own.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Description>().to_value()
}

/// Everything about `value` that the schema does not allow: the path of the key, and what to do.
pub(crate) fn faults(schema: &Value, value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let schema = present(schema);
    match value {
        Value::Object(table) if is(schema, "object") => table_faults(schema, table, path, found),
        Value::Array(items) if is(schema, "array") => {
            for (at, item) in items.iter().enumerate() {
                faults(&schema["items"], item, &format!("{path}[{at}]"), found);
            }
        }
        other => {
            let fault = fault(schema, other);
            found.extend(fault.map(|text| (path.to_owned(), text)));
        }
    }
}

fn table_faults(
    schema: &Value,
    table: &Map<String, Value>,
    path: &str,
    found: &mut Vec<(String, String)>,
) {
    let members = &schema["properties"];
    let any = schema.get("additionalProperties").filter(|own| own.is_object());
    for (key, value) in table {
        let path = join(path, key);
        match members.get(key).or(any) {
            Some(inner) => faults(inner, value, &path, found),
            None => found.push((path, unknown(key, members))),
        }
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for key in required.filter(|key| !table.contains_key(*key)) {
        found.push((join(path, key), "is missing".to_owned()));
    }
}

fn unknown(key: &str, members: &Value) -> String {
    let known: Vec<&str> =
        members.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let near = known.iter().min_by_key(|own| distance(key, own));
    match near.filter(|own| distance(key, own) <= 2) {
        Some(near) => format!("there is no such key; did you mean {near:?}?"),
        None => format!("there is no such key; here are: {}", known.join(", ")),
    }
}

/// What is wrong with one value.
fn fault(schema: &Value, value: &Value) -> Option<String> {
    if let Some(choices) = choices(schema) {
        let fits = value.as_str().is_some_and(|own| choices.contains(&own));
        return (!fits).then(|| format!("{value} is none of: {}", choices.join(", ")));
    }
    let Some(text) = value.as_str().filter(|_| is(schema, "string")) else {
        let fits = ["string", "boolean", "integer", "array", "object"]
            .into_iter()
            .any(|name| is(schema, name) && kind(value) == name);
        let free = schema.get("type").is_none();
        return (!fits && !free).then(|| format!("{value} is not {}", wanted(schema)));
    };
    match schema["format"].as_str()? {
        "period" => text.parse::<Period>().err(),
        "period or never" => text.parse::<Expiry>().err(),
        "JSON pointer" => text.parse::<Pointer>().err(),
        "JSON pointer or $variable" => text.parse::<Place>().err(),
        "text with {variables}" => text.parse::<Template>().err(),
        "URL with {variables}" => text.parse::<UrlTemplate>().err(),
        _ => None,
    }
}

fn wanted(schema: &Value) -> &'static str {
    let names = [
        ("string", "a text"),
        ("boolean", "true or false"),
        ("integer", "a whole number"),
        ("array", "a list"),
    ];
    names.into_iter().find(|(name, _)| is(schema, name)).map_or("a table", |(_, said)| said)
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The schema of a value that is there, where `null` would be allowed too.
pub(crate) fn present(schema: &Value) -> &Value {
    match schema["anyOf"].as_array() {
        Some(any) => any.iter().find(|one| one["type"] != "null").unwrap_or(schema),
        None => schema,
    }
}

pub(crate) fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(any) => any.iter().any(|one| one == name),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// The words that may stand here, if there are only some.
pub(crate) fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let one_of = schema["oneOf"].as_array()?;
    let words = one_of.iter().flat_map(|one| match one["enum"].as_array() {
        Some(words) => words.iter().filter_map(Value::as_str).collect(),
        None => one["const"].as_str().into_iter().collect::<Vec<_>>(),
    });
    Some(words.collect())
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// How many letters have to be changed to get from one word to the other (Levenshtein).
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
