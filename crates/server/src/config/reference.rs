//! The reference of all settings as markdown, made from the schema.

use serde_json::Value;

use super::tree::{choices, is, join, present};

const HEAD: &str = "# Configuration

Generated from the program; do not edit. Grantor needs no configuration file: every setting has a
safe default. Settings are read from, in this order, the later overriding the earlier:

1. the defaults;
2. a TOML file (`--config FILE` or `GRANTOR_CONFIG`);
3. environment variables, `GRANTOR__SECTION__KEY`, lists divided by commas;
4. options of the command line.

A secret can be kept in a file of its own, named by the setting of the same name with `_file`; its
last line break is dropped. Periods are a number and a unit: `60s`, `10m`, `1h`, `30d`.
`grantor config check` shows the settings in effect, and everything that is wrong with them;
`grantor config schema` prints a JSON Schema for editors.
";

/// `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let schema = super::schema();
    let mut text = String::from(HEAD);
    section(&mut text, &schema, "", true);
    text
}

/// The sections of another schema, whose keys no variable of the environment sets.
pub(crate) fn sections(schema: &Value) -> String {
    let mut text = String::new();
    section(&mut text, schema, "", false);
    text
}

/// A section, or each table of a list of them or under a name of the operator's.
fn inner_section(schema: &Value) -> Option<&Value> {
    let schema = present(schema);
    let inner = if is(schema, "array") {
        present(&schema["items"])
    } else if is_named(schema) {
        present(&schema["additionalProperties"])
    } else {
        schema
    };
    inner["properties"].is_object().then_some(inner)
}

/// Whether the keys of a table are names of the operator's.
fn is_named(schema: &Value) -> bool {
    schema["properties"].is_null() && schema["additionalProperties"].is_object()
}

fn section(text: &mut String, schema: &Value, path: &str, variables: bool) {
    let Some(members) = schema["properties"].as_object() else {
        return;
    };
    let title = if path.is_empty() { "Top level".to_owned() } else { format!("`[{path}]`") };
    let leaves: Vec<_> =
        members.iter().filter(|(_, inner)| inner_section(inner).is_none()).collect();
    if !leaves.is_empty() || !path.is_empty() {
        text.push_str(&format!("\n## {title}\n\n{}\n", describe(schema)));
        text.push_str("\n| Key | Type | Default | What it is |\n|---|---|---|---|\n");
    }
    for (key, inner) in leaves {
        let path = variables.then(|| join(path, key));
        text.push_str(&row(path.as_deref(), key, inner, required(schema, key)));
    }
    for (key, schema) in members {
        if let Some(inner) = inner_section(schema) {
            let path = join(path, key);
            let path = match present(schema) {
                list if is(list, "array") => format!("[{path}]"),
                named if is_named(named) => format!("{path}.NAME"),
                _ => path,
            };
            section(text, inner, &path, variables);
        }
    }
}

/// A key, with the variable that sets it, if its path in the environment is given.
fn row(path: Option<&str>, key: &str, schema: &Value, required: bool) -> String {
    let name = if is(present(schema), "object") { "__NAME" } else { "" };
    let upper = |path: &str| path.replace('.', "__").to_ascii_uppercase();
    // A list of tables has no place in the environment.
    let variable = path
        .filter(|path| !path.starts_with('['))
        .map_or_else(String::new, |path| format!("<br>`GRANTOR__{}{name}`", upper(path)));
    let default = if required { "has to be set".to_owned() } else { default(schema) };
    let (kind, what) = (kind(present(schema)), describe(schema));
    format!("| `{key}`{variable} | {kind} | {default} | {what} |\n")
}

fn required(schema: &Value, key: &str) -> bool {
    schema["required"].as_array().is_some_and(|keys| keys.iter().any(|known| known == key))
}

fn default(schema: &Value) -> String {
    match &schema["default"] {
        Value::Null => "not set".to_owned(),
        Value::Object(table) => {
            let line = |(key, value): (&String, &Value)| format!("`{key} = {value}`");
            table.iter().map(line).collect::<Vec<_>>().join("<br>")
        }
        value => format!("`{value}`"),
    }
}

fn kind(schema: &Value) -> String {
    let choices = choices(schema);
    if !choices.is_empty() {
        return choices.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" or ");
    }
    if is(schema, "array") {
        return format!("list of {}", kind(present(&schema["items"])));
    }
    if is(schema, "integer") {
        return match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!("number, {least} to {most}"),
            _ => "number".to_owned(),
        };
    }
    if is(schema, "boolean") {
        return "`true` or `false`".to_owned();
    }
    if is(schema, "object") {
        return "table of texts".to_owned();
    }
    match schema["format"].as_str() {
        Some("period") => "period",
        Some("cidr") => "address block",
        Some("allowed") => "address, domain or `*`",
        Some("mailbox") => "mail address",
        Some("socket") => "address and port",
        Some("store") => "`sqlite` or URL",
        _ if schema["writeOnly"] == true => "secret",
        _ => "text",
    }
    .to_owned()
}

fn describe(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
