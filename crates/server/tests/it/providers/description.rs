//! The operator's file for a provider that a stand-in plays: the description that is built in, with
//! every URL of it led to the stand-in and nothing else changed.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::support::client;

/// Where the descriptions are that are built in.
const CATALOGUE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/vault/provider/catalogue");

/// What is no address of a call, although it may look like one.
const NO_CALLS: [&str; 4] = ["extends", "label", "documentation", "scopes"];

/// Where a stand-in is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Its paths begin with the host that is played.
    ByHost(String),
    /// It plays all hosts at one origin.
    AtOnce(String),
}

impl Place {
    /// What all paths of the stand-in begin with.
    pub(super) fn base(&self) -> &str {
        match self {
            Self::ByHost(base) | Self::AtOnce(base) => base,
        }
    }

    /// A request to the control endpoints of the stand-in.
    pub(super) async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let url = format!("{}/_control/{path}", self.base());
        let method = method.parse().expect("a method");
        let answer = client().request(method, &url).json(body).send().await.expect("answered");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    /// `https://HOST/PATH` at the stand-in; any other text is no URL.
    pub(super) fn lead(&self, text: &str) -> Option<String> {
        let rest = text.strip_prefix("https://")?;
        Some(match self {
            Self::ByHost(base) => format!("{base}/{rest}"),
            Self::AtOnce(base) => {
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                format!("{base}{path}")
            }
        })
    }
}

/// The descriptions that have this block, in the order of their names.
pub(super) fn names_with(block: &str) -> Vec<String> {
    names().into_iter().filter(|name| whole(name).contains_key(block)).collect()
}

/// All descriptions, in the order of their names.
pub(super) fn names() -> Vec<String> {
    let files = fs::read_dir(CATALOGUE).expect("the catalogue");
    let names = files.map(|file| file.expect("readable").file_name().into_string().expect("text"));
    let names = names.filter_map(|name| name.strip_suffix(".toml").map(ToOwned::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A file that extends the description `name` and leads its URLs to `place`.
pub(super) fn led(name: &str, place: &Place) -> String {
    let whole = whole(name);
    let mut own = urls(&whole, place).unwrap_or_default();
    own.insert("extends".into(), name.into());
    for (name, declared) in variables(&whole) {
        if declared.get("form").and_then(Value::as_str) != Some("origin") {
            continue;
        }
        // An origin of the provider is one with a path here.
        let variables = own.entry("variables").or_insert_with(|| Table::new().into());
        let variables = variables.as_table_mut().expect("a table");
        let entry = variables.entry(name).or_insert_with(|| Table::new().into());
        let entry = entry.as_table_mut().expect("a table");
        entry.insert("form".into(), "url".into());
        entry.insert("hosts".into(), vec!["127.0.0.1"].into());
    }
    toml::to_string(&own).expect("TOML")
}

/// The description with all that it extends.
fn whole(name: &str) -> Table {
    let own = read(name);
    let Some(parent) = own.get("extends").and_then(Value::as_str) else { return own };
    let mut whole = whole(parent);
    put(&mut whole, &own);
    whole
}

fn read(name: &str) -> Table {
    let text = fs::read_to_string(Path::new(CATALOGUE).join(format!("{name}.toml")));
    text.expect("a description").parse().expect("TOML")
}

fn put(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => put(old, new),
            (_, new) => drop(base.insert(key.clone(), new.clone())),
        }
    }
}

fn variables(whole: &Table) -> impl Iterator<Item = (&String, &Table)> {
    let declared = whole.get("variables").and_then(Value::as_table).into_iter().flatten();
    declared.filter_map(|(name, own)| Some((name, own.as_table()?)))
}

/// The keys that have a URL, with the URL at the stand-in.
fn urls(table: &Table, place: &Place) -> Option<Table> {
    let calls = table.iter().filter(|(key, _)| !NO_CALLS.contains(&key.as_str()));
    let found = calls.filter_map(|(key, value)| Some((key.clone(), url(value, place)?)));
    Some(found.collect::<Table>()).filter(|found| !found.is_empty())
}

fn url(value: &Value, place: &Place) -> Option<Value> {
    match value {
        Value::String(text) => place.lead(text).map(Value::from),
        Value::Table(inner) => urls(inner, place).map(Value::from),
        Value::Array(items) => {
            let led = items.iter().map(|item| url(item, place).unwrap_or_else(|| item.clone()));
            let led: Vec<Value> = led.collect();
            (led != *items).then(|| led.into())
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
    }
}

#[test]
fn every_url_of_a_description_is_led_to_the_stand_in_and_no_scope_is() {
    let place = Place::ByHost("http://127.0.0.1:1/google".to_owned());
    let own: Table = led("google", &place).parse().expect("TOML");
    let text = |table: &str, key: &str| own[table][key].as_str().expect("a text").to_owned();
    assert_eq!(text("token", "url"), "http://127.0.0.1:1/google/oauth2.googleapis.com/token");
    assert_eq!(text("authorize", "issuer"), "http://127.0.0.1:1/google/accounts.google.com");
    assert_eq!(own["id_token"]["issuers"][1].as_str(), Some("accounts.google.com"));
    assert!(own.get("scopes").is_none(), "aliases are names, not addresses");
    let at_once = Place::AtOnce("http://127.0.0.1:2".to_owned());
    let own: Table = led("google", &at_once).parse().expect("TOML");
    assert_eq!(own["token"]["url"].as_str(), Some("http://127.0.0.1:2/token"));
    let text = led("zoho", &place);
    let zoho: Table = text.parse().expect("TOML");
    let accounts = zoho["variables"]["accounts"].as_table().expect("a table");
    assert_eq!(accounts["form"].as_str(), Some("url"));
    assert_eq!(accounts["default"].as_str(), Some("http://127.0.0.1:1/google/accounts.zoho.com"));
}
