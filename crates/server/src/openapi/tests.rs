//! The description against the router.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{FILES, METHODS, document, reference};

/// Every `x-when` that there is.
fn everything() -> BTreeSet<&'static str> {
    let parts = FILES.iter().flat_map(|file| file.split("\"x-when\": \"").skip(1));
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

fn whole() -> Value {
    document("http://localhost:5050", &everything()).expect("JSON")
}

fn described(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, own)| {
        let methods = METHODS.iter().filter(|method| own.get(**method).is_some());
        methods.map(move |method| (path.clone(), method.to_uppercase()))
    });
    let pages = document["x-pages"].as_array().expect("pages").iter();
    let pages = pages.flat_map(|page| {
        let methods = page["methods"].as_array().expect("methods").iter();
        methods.map(|method| (text(&page["path"]).replace("{*", "{"), text(method)))
    });
    operations.chain(pages).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// `.route("/path", get(…).post(…))` in the router.
fn routed() -> BTreeSet<(String, String)> {
    let source = include_str!("../router.rs");
    let mut found = BTreeSet::new();
    for rest in source.split(".route(").skip(1) {
        let path = rest.split('"').nth(1).expect("a path");
        let own = rest.split(".route(").next().expect("a route");
        for method in METHODS {
            let alone = format!("{method}(");
            let called = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric());
            if own.match_indices(&alone).any(|(at, _)| called(&own[..at])) {
                // OpenAPI has no word for the rest of a path.
                found.insert((path.replace("{*", "{"), method.to_uppercase()));
            }
        }
    }
    found
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let (described, routed) = (described(&whole()), routed());
    let missing: Vec<_> = routed.difference(&described).collect();
    assert!(missing.is_empty(), "not in crates/server/src/openapi/: {missing:?}");
    let loose: Vec<_> = described.difference(&routed).collect();
    assert!(loose.is_empty(), "not in the router: {loose:?}");
}

#[test]
fn every_operation_can_be_worked_from() {
    let document = whole();
    let page = reference::reference(&document);
    let count: usize = page.groups.iter().map(|group| group.operations.len()).sum();
    let pages = document["x-pages"].as_array().expect("pages").len();
    assert!(pages > 5 && count + pages < described(&document).len() + pages);
    let mut ids = BTreeSet::new();
    for operation in page.groups.iter().flat_map(|group| &group.operations) {
        let id = &operation.id;
        assert!(ids.insert(id.clone()), "{id} twice");
        assert!(!operation.summary.is_empty() && !operation.text.is_empty(), "{id}");
        assert!(!operation.samples.is_empty(), "{id} has no example");
        assert!(!operation.answers.is_empty(), "{id} has no answer");
        let fields = operation.request.iter().flat_map(|table| &table.fields);
        for field in fields {
            assert!(!field.text.is_empty(), "{id}: {} is not described", field.name);
        }
    }
}

#[test]
fn what_is_switched_off_leaves_no_trace() {
    let bare = document("https://login.example.com/", &BTreeSet::new()).expect("JSON");
    let text = bare.to_string();
    for gone in ["/create-client", "/protected", "/external/", "/mailbox", "x-when", "{issuer}"] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert!(!text.contains("RegistrationForm"), "a schema that nothing refers to");
    assert!(bare["components"]["securitySchemes"].get("external_secret").is_none());
    assert_eq!(bare["servers"][0]["url"], "https://login.example.com");
    assert!(whole()["paths"]["/protected"]["get"].is_object());
}

#[test]
fn errors_have_status_headers_schema_and_examples() {
    let document = whole();
    let refused = &document["paths"]["/protected"]["get"]["responses"]["401"];
    assert!(refused["headers"]["WWW-Authenticate"].is_object());
    let content = &refused["content"]["application/json"];
    assert_eq!(content["schema"]["properties"]["error"]["enum"][0], "missing_token");
    assert_eq!(content["examples"]["missing_token"]["value"]["error"], "missing_token");
    for (path, method) in described(&document) {
        let own = &document["paths"][path.as_str()][method.to_lowercase()];
        for reference in ["x-errors", "x-challenge", "x-limited"] {
            assert!(own.get(reference).is_none(), "{method} {path}: {reference}");
        }
    }
}
