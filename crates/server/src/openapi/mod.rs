//! The description of the API: OpenAPI 3.1, kept by hand in the JSON files of this folder.
//!
//! They are OpenAPI with a few shorthands, which [`document`] writes out:
//! - `{issuer}` in any text is this server's address;
//! - `x-when` on anything names what has to be switched on for it to be there;
//! - `x-errors` of an operation is status → code → text or texts, and becomes responses with
//!   headers, schema and examples. What every operation can answer (500, 503, and for a body 408
//!   and 413) is added. `x-details` is code → the members that come with it. `x-challenge` says which `WWW-Authenticate` comes with 401, and `x-limited`
//!   that 429 has the client's limit.
//!
//! `pages.json` lists the URLs that are pages for people; they stand in the document as `x-pages`.

mod errors;
mod prose;
mod reference;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::pages::Docs;

/// In the order of the reference.
const FILES: [&str; 13] = [
    include_str!("document.json"),
    include_str!("tokens.json"),
    include_str!("vault.json"),
    include_str!("connections.json"),
    include_str!("proxy.json"),
    include_str!("sign_in.json"),
    include_str!("person.json"),
    include_str!("sample_api.json"),
    include_str!("registration.json"),
    include_str!("metadata.json"),
    include_str!("external.json"),
    include_str!("operation.json"),
    include_str!("pages.json"),
];

/// The description of this server, made when somebody first asks for it: few do, and it takes a few
/// megabytes.
pub(crate) struct Description {
    issuer: String,
    on: BTreeSet<&'static str>,
    made: OnceLock<Made>,
}

/// The two forms of the description.
pub(crate) struct Made {
    /// For programs.
    pub(crate) json: Bytes,
    /// For people.
    pub(crate) page: Docs,
}

impl Description {
    /// Of a server at `issuer` where the features `on` are switched on.
    pub(crate) const fn new(issuer: String, on: BTreeSet<&'static str>) -> Self {
        Self { issuer, on, made: OnceLock::new() }
    }

    /// Reads it. That the files are JSON is what the tests are for.
    pub(crate) fn read(&self) -> &Made {
        self.made.get_or_init(|| {
            let document = document(&self.issuer, &self.on).unwrap_or_default();
            Made { json: document.to_string().into(), page: reference::reference(&document) }
        })
    }
}

/// The document of a server at `issuer` where the features `on` are switched on.
fn document(issuer: &str, on: &BTreeSet<&str>) -> serde_json::Result<Value> {
    let mut document = json!({});
    for file in FILES {
        let text = file.replace("{issuer}", issuer.trim_end_matches('/'));
        merge(&mut document, serde_json::from_str(&text)?);
    }
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["servers"] = json!([{ "url": issuer.trim_end_matches('/') }]);
    keep(&mut document, on);
    for operation in operations(&mut document) {
        errors::write_out(operation);
    }
    prune(&mut document);
    Ok(document)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Takes out what is not switched on.
fn keep(value: &mut Value, on: &BTreeSet<&str>) {
    let stays = |value: &Value| value["x-when"].as_str().is_none_or(|feature| on.contains(feature));
    match value {
        Value::Object(members) => {
            members.retain(|_, value| stays(value));
            members.shift_remove("x-when");
            members.values_mut().for_each(|value| keep(value, on));
        }
        Value::Array(items) => {
            items.retain(stays);
            items.iter_mut().for_each(|value| keep(value, on));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The members of a path that are operations and not shared parameters.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flat_map(|path| {
        let own = path.iter_mut().filter(|(name, _)| METHODS.contains(&name.as_str()));
        own.filter_map(|(_, operation)| operation.as_object_mut())
    })
}

/// Takes out the components that nothing refers to any more.
fn prune(document: &mut Value) {
    let security = |operation: &mut Map<String, Value>| operation.get("security").cloned();
    let shown: Vec<Value> = operations(document).filter_map(security).collect();
    if let Some(schemes) = document["components"]["securitySchemes"].as_object_mut() {
        schemes.retain(|name, _| {
            let mut ways = shown.iter().filter_map(Value::as_array).flatten();
            ways.any(|way| way.get(name).is_some())
        });
    }
    loop {
        let mut named = BTreeSet::new();
        references(document, &mut named);
        let mut gone = false;
        for kind in ["schemas", "responses", "headers", "parameters"] {
            if let Some(components) = document["components"][kind].as_object_mut() {
                let before = components.len();
                components.retain(|name, _| named.contains(&format!("#/components/{kind}/{name}")));
                gone |= components.len() < before;
            }
        }
        if !gone {
            return;
        }
    }
}

fn references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                named.insert(target.clone());
            }
            members.values().for_each(|value| references(value, named));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
