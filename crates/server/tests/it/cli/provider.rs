//! `grantor provider`

mod trial;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::Server;
use crate::support::cli::grantor;

/// A folder with descriptions of the operator's, in the settings.
fn with_folder(files: &[(&str, &str)]) -> Server {
    let setup = Server::setup();
    let server = setup.prepare();
    let folder = server.folder().join("providers");
    fs::create_dir(&folder).expect("made");
    for (name, text) in files {
        fs::write(folder.join(format!("{name}.toml")), text).expect("written");
    }
    let config = fs::read_to_string(server.config()).expect("the settings");
    let vault = format!("\n[vault]\nproviders = {folder:?}\n");
    fs::write(server.config(), format!("{config}{vault}")).expect("written");
    server
}

fn named<'l>(list: &'l Value, name: &str) -> &'l Value {
    let found = list.as_array().expect("a list").iter().find(|own| own["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {list}"))
}

#[test]
fn those_that_are_built_in_and_those_of_the_operator_are_listed() {
    let server = with_folder(&[
        (
            "acme",
            "extends = \"oauth2\"\nlabel = \"Acme\"\nvariables.token_url = false\n\
          [token]\nurl = \"https://acme.example/token\"\n",
        ),
        ("google", "extends = \"google\"\nlabel = \"Our Google\"\n"),
    ]);
    let list = server.cli().json(&["provider", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(29), "{list}");
    let (acme, google) = (named(&list, "acme"), named(&list, "google"));
    assert_eq!((&acme["from"], &acme["extends"]), (&"file".into(), &"oauth2".into()));
    assert_eq!(acme["variables"].as_array().map(Vec::len), Some(1), "{acme}");
    assert_eq!((&google["label"], &google["from"]), (&"Our Google".into(), &"file".into()));
    let tenant = &named(&list, "microsoft")["variables"][0];
    assert_eq!((&tenant["name"], &tenant["default"]), (&"tenant".into(), &"common".into()));
    let table = server.cli().ok(&["provider", "list"]);
    assert!(table.contains("tenant=common") && table.contains("Our Google"), "{table}");
    assert!(table.contains("file, oauth2"), "{table}");
    for (name, refresh) in [
        ("microsoft", "for many uses"),
        ("slack ", "for one use"),
        ("github ", "none  "),
        ("facebook", "none: by access token"),
        ("salesforce", "learnt"),
    ] {
        let row = table.lines().find(|line| line.starts_with(name));
        assert!(row.is_some_and(|row| row.contains(refresh)), "{name}: {table}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_all_at_once() {
    let broken = "extends = \"gogle\"\n";
    let server = with_folder(&[("broken", broken)]);
    let file = server.folder().join("acme.toml");
    let text = "label = \"Acme\"\nscope = 1\n[authorize]\nulr = \"https://a.example\"\n";
    fs::write(&file, text).expect("written");
    let file = file.to_str().expect("text");
    let ran = server.cli().run(&["provider", "lint", file]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for line in [
        "error    acme: scope: there is no such key; did you mean \"scopes\"?",
        "error    acme: authorize.ulr: there is no such key; did you mean \"url\"?",
        "error    acme: token.url: is missing, and there is no [discovery] to tell it",
        "4 errors",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    assert!(!ran.out.contains("broken"), "only what was named: {}", ran.out);
    let folder = server.cli().run(&["provider", "lint", "--json"]);
    let found: Value = serde_json::from_str(&folder.out).expect("JSON");
    assert_eq!(folder.code, Some(1));
    assert_eq!((&found[0]["file"], &found[0]["path"]), (&"broken".into(), &"extends".into()));
    assert!(found[0]["text"].as_str().is_some_and(|own| own.contains("did you mean \"google\"")));
    let list = server.cli().run(&["provider", "list"]);
    assert!(list.err.contains("broken: extends: there is no provider"), "{list:?}");
    assert!(server.cli().run(&["provider", "lint", "no-such.toml"]).err.contains("cannot read"));
}

#[test]
fn providers_are_looked_at_by_name_too() {
    let good = "extends = \"oauth2\"\nvariables = false\ntoken.url = \"https://a.example/t\"\n";
    let server = with_folder(&[("acme", good), ("google", "extends = \"oauth2\"\n")]);
    let lint = |named: &str| server.cli().run(&["provider", "lint", named]);
    assert_eq!(lint("github").out, "Nothing to complain about.\n");
    let acme = lint("acme");
    assert!(acme.out.contains("acme: authorize.url") && !acme.out.contains("google"), "{acme:?}");
    let google = lint("google");
    let says = "google: takes the place of the provider google that is built in";
    assert!(google.out.contains(says), "{google:?}");
    let none = lint("gogle");
    assert!(none.err.contains("there is no provider \"gogle\", and no such file"), "{none:?}");
    let file = server.folder().join("acme.txt");
    fs::write(&file, good).expect("written");
    let text = lint(file.to_str().expect("text"));
    assert!(text.err.contains("acme.txt does not end in .toml"), "{text:?}");
}

#[test]
fn what_is_suspicious_fails_only_when_that_is_wanted() {
    let server = Server::setup().prepare();
    let clean = server.cli().ok(&["provider", "lint"]);
    assert!(clean.contains("Nothing to complain about."), "{clean}");
    let file = server.folder().join("acme.toml");
    fs::write(
        &file,
        "extends = \"google\"\nlabel = \"Acme\"\ntoken.auth = \"post\"\n\
        scopes.separator = \" \"\n",
    )
    .expect("written");
    let file = file.to_str().expect("text");
    let ran = server.cli().run(&["provider", "lint", file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("warning  acme: scopes.separator: changes nothing"), "{}", ran.out);
    assert!(ran.out.ends_with("1 warning\n"), "{}", ran.out);
    assert_eq!(server.cli().run(&["provider", "lint", "--strict", file]).code, Some(1));
}

#[test]
fn the_format_is_printed_and_every_key_of_it_is_in_the_papers() {
    let markdown = grantor(&["provider", "format"]).out;
    assert!(markdown.contains("## `[response.errors]`") && !markdown.contains("GRANTOR__"));
    let schema = grantor(&["provider", "format", "--schema"]).out;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let papers = papers();
    for (block, keys) in blocks(&schema) {
        let row = papers.lines().find(|line| line.starts_with(&format!("| {block} |")));
        let row = row.unwrap_or_else(|| panic!("docs/providers.md has no row for {block}"));
        for key in keys {
            // The keys of the first are those of others, too.
            let of_token = ["`[refresh]`", "`[client_credentials]`"].contains(&block.as_str());
            let inherited = of_token
                && papers.lines().any(|line| {
                    line.starts_with("| `[token]` |") && line.contains(&format!("`{key}`"))
                });
            assert!(inherited || row.contains(&format!("`{key}`")), "{block} has no {key}: {row}");
        }
    }
}

#[test]
fn the_example_in_the_papers_is_a_good_one() {
    let papers = papers();
    let start = papers.find("# /etc/grantor/providers/acme.toml").expect("the example");
    let example = papers[start..].split("```").next().expect("its end");
    let server = Server::setup().prepare();
    let file = server.folder().join("acme.toml");
    fs::write(&file, example).expect("written");
    let said = server.cli().ok(&["provider", "lint", "--strict", file.to_str().expect("text")]);
    assert!(said.contains("Nothing to complain about."), "{said}");
}

fn papers() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md");
    fs::read_to_string(path).expect("docs/providers.md")
}

/// The blocks of a description as the papers name them, with the keys of each.
fn blocks(schema: &Value) -> Vec<(String, Vec<String>)> {
    fn present(schema: &Value) -> &Value {
        let some = |any: &&Value| any["type"] != "null";
        schema["anyOf"].as_array().and_then(|any| any.iter().find(some)).unwrap_or(schema)
    }
    fn walk(schema: &Value, path: &str, found: &mut Vec<(String, Vec<String>)>) {
        let mut keys = Vec::new();
        for (key, inner) in schema["properties"].as_object().expect("a table") {
            let inner = present(inner);
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let named = &inner["additionalProperties"];
            match (inner["properties"].is_object(), named["properties"].is_object()) {
                // A small table in a line of its own.
                (true, _) if key == "success" => keys.push(key.clone()),
                (true, _) => walk(inner, &path, found),
                (_, true) => walk(named, &format!("{path}.NAME"), found),
                (false, false) => keys.push(key.clone()),
            }
        }
        let block = if path.is_empty() { "(top)".to_owned() } else { format!("`[{path}]`") };
        found.push((block, keys));
    }
    let mut found = Vec::new();
    walk(schema, "", &mut found);
    found
}
