//! Who may not import whom, and how long a file and a function may be.
//!
//! Reads the sources as text: Cargo keeps the line of the crates, this keeps what Cargo cannot.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines of code, and longest function, in lines.
const FILE: usize = 600;
const FUNCTION: usize = 80;

/// What talks to the outside, and so has no place in a rule.
const OUTSIDE: [&str; 13] = [
    "axum",
    "hyper",
    "hyper_util",
    "http",
    "tower",
    "reqwest",
    "rusqlite",
    "tokio_postgres",
    "redis",
    "minijinja",
    "lettre",
    "clap",
    "grantor_store",
];

#[test]
fn core_knows_no_http_no_sql_no_template_and_no_clock() {
    for source in Source::under("core/src") {
        source.must_not_name(&OUTSIDE);
        source.must_not_name(&["tokio", "rand", "tracing"]);
        source.must_not_say(&["SystemTime::now", "Instant::now", "thread_rng", "std::env::"]);
    }
}

#[test]
fn the_store_knows_records_and_its_port_and_decides_nothing() {
    let known = ["model", "store", "id", "time", "secret", "jose"];
    // The contract suite plays the caller, who has a clock and a source of randomness.
    let as_caller = |source: &Source, module: &str| {
        source.name().starts_with("store/src/contract") && module == "ports"
    };
    for source in Source::under("store/src") {
        source.must_not_name(&["axum", "hyper", "reqwest", "minijinja", "aws_lc_rs", "rand"]);
        source.must_not_say(&["SystemTime::now", "thread_rng"]);
        for module in source.modules_of("grantor_core") {
            assert!(
                known.contains(&module.as_str()) || as_caller(&source, &module),
                "{} names grantor_core::{module}",
                source.name()
            );
        }
        // Of JOSE, the store knows the names of algorithms.
        if source.code.contains("grantor_core::jose") {
            assert!(source.code.contains("grantor_core::jose::Algorithm"), "{}", source.name());
        }
    }
}

#[test]
fn endpoints_have_no_sql_no_jose_and_no_template() {
    for source in Source::under("server/src/endpoints") {
        source.must_not_name(&["rusqlite", "grantor_store", "minijinja", "aws_lc_rs", "lettre"]);
        source.must_not_say(&["grantor_core::jose", "SELECT ", "SystemTime::now", "crate::config"]);
    }
}

#[test]
fn pages_have_views_and_no_store() {
    for source in Source::under("server/src/pages") {
        source.must_not_name(&["rusqlite", "grantor_store", "grantor_core", "axum", "hyper"]);
        source.must_not_say(&["crate::app", "crate::endpoints", "crate::config"]);
    }
}

#[test]
fn one_module_fetches_documents_of_others_and_knows_only_the_port() {
    // The walk of the demo plays a browser and speaks to its own server.
    let clients = ["server/src/outbound", "server/src/cli/walk"];
    for source in Source::under("server/src") {
        if !clients.iter().any(|own| source.name().starts_with(own)) {
            source.must_not_name(&["reqwest", "hyper_util::client"]);
        }
        if source.name().starts_with("server/src/outbound") {
            source.must_not_say(&["crate::"]);
            let known = source.modules_of("grantor_core");
            let port = |own: &String| own == "outbound" || own == "time";
            assert!(known.iter().all(port), "{}: {known:?}", source.name());
        }
    }
}

#[test]
fn settings_are_read_where_the_program_starts() {
    // The command line checks and prints them; everybody else is given what they need.
    let readers = ["main.rs", "run.rs", "app.rs", "app/", "cli", "config"]
        .map(|own| format!("server/src/{own}"));
    for source in Source::under("server/src") {
        if !readers.iter().any(|reader| source.name().starts_with(reader.as_str())) {
            source.must_not_say(&["crate::config", "super::config"]);
        }
    }
}

#[test]
fn the_sample_knows_only_urls() {
    let manifest = fs::read_to_string(crates().join("sample/Cargo.toml")).expect("readable");
    assert!(!manifest.contains("grantor"), "the sample depends on a crate of Grantor");
    for source in Source::under("sample/src") {
        source.must_not_name(&["grantor_core", "grantor_store"]);
    }
}

#[test]
fn crates_stand_in_a_line() {
    let depends = |of: &str, on: &str| {
        let manifest = fs::read_to_string(crates().join(of).join("Cargo.toml")).expect("readable");
        manifest.lines().any(|line| line.starts_with(&format!("{on}.workspace")))
    };
    assert!(depends("server", "grantor-store") && depends("store", "grantor-core"));
    assert!(!depends("core", "grantor-store") && !depends("core", "grantor"));
    assert!(!depends("store", "grantor"));
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for source in Source::under("") {
        let lines = source.lines_of_code();
        if lines > FILE {
            long.push(format!("{}: {lines} lines of code", source.name()));
        }
        let over = source.functions().into_iter().filter(|(_, lines)| *lines > FUNCTION);
        long.extend(over.map(|(name, lines)| format!("{}: {name}: {lines} lines", source.name())));
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

/// A source file.
struct Source {
    path: PathBuf,
    /// Without comments and unit tests.
    code: String,
    whole: String,
}

impl Source {
    /// Every `.rs` file below a folder of `crates/`, without generated and unit test files.
    fn under(folder: &str) -> Vec<Self> {
        let mut paths = Vec::new();
        walk(&crates().join(folder), &mut paths);
        assert!(!paths.is_empty(), "there is no source below {folder}");
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let whole = fs::read_to_string(&path).expect("readable");
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        let own = whole.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let only_tests = path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
        let code = match only_tests {
            true => String::new(),
            false => own.lines().filter(|line| !is_comment(line)).fold(
                String::new(),
                |mut code, line| {
                    code.push_str(line);
                    code.push('\n');
                    code
                },
            ),
        };
        Self { path, code, whole }
    }

    fn name(&self) -> String {
        self.path.strip_prefix(crates()).expect("below crates").display().to_string()
    }

    /// No path in the code starts with one of these crates.
    fn must_not_name(&self, names: &[&str]) {
        for name in names {
            let wanted = format!("{name}::");
            let named = self.code.match_indices(&wanted).any(|(at, _)| {
                !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            assert!(!named, "{} must not name the crate {name}", self.name());
        }
    }

    fn must_not_say(&self, texts: &[&str]) {
        for text in texts {
            assert!(!self.code.contains(text), "{} must not say {text}", self.name());
        }
    }

    /// The modules of a crate that the code names: `grantor_core::model::…` is `model`.
    fn modules_of(&self, of: &str) -> Vec<String> {
        let mut found = Vec::new();
        for part in self.code.split(&format!("{of}::")).skip(1) {
            match part.strip_prefix('{') {
                Some(list) => {
                    let list = list.split("};").next().unwrap_or_default();
                    found.extend(top_level(list));
                }
                None => found.push(word(part)),
            }
        }
        found
    }

    fn lines_of_code(&self) -> usize {
        self.code.lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// Every function, unit tests too, with its number of lines. Relies on rustfmt.
    fn functions(&self) -> Vec<(String, usize)> {
        let lines: Vec<&str> = self.whole.lines().collect();
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let Some(name) = function(line) else { continue };
            let indent = line.len() - line.trim_start().len();
            let end = lines[at..].iter().position(|line| {
                let bare = line.trim_start();
                line.len() - bare.len() == indent && (bare.starts_with('}') || bare.ends_with(';'))
            });
            found.push((name, end.unwrap_or(0) + 1));
        }
        found
    }
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let before = |word: &str| {
        matches!(word, "pub" | "const" | "async" | "extern") || word.starts_with("pub(")
    };
    let first = words.find(|word| !before(word))?;
    (first == "fn").then(|| words.next().map(word)).flatten()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first words of the items of `{a::x, b::{c, d}}`.
fn top_level(list: &str) -> Vec<String> {
    let (mut depth, mut items) = (0_usize, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => items.push(String::new()),
            _ => {}
        }
        items.last_mut().expect("never empty").push(c);
    }
    let items = items.iter().map(|item| word(item.trim_start_matches([',', ' ', '\n'])));
    items.filter(|item| !item.is_empty()).collect()
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/server").to_owned()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.ends_with("node_modules") {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
