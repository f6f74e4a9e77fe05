//! What is wrong or suspicious in a description, in words.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::description::{ClientAuth, Description, IdentityFrom, Pkce};
use super::load::{Library, Problem, Tree, read};
use super::observe::observe;
use super::samples::Samples;
use super::sound::{urls, values};
use super::text::Place;
use super::{Provider, built_in};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The description cannot be used.
    Error,
    /// It can be used, and is likely not to do what is meant.
    Warning,
    /// Something to look at.
    Hint,
}

impl Severity {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

/// Something that was found in a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where, and what to do.
    pub problem: Problem,
}

/// Keys for which it is good to say what is so anyway: whoever wrote it has thought of it.
const SAID_ON_PURPOSE: [&str; 6] = [
    "extends",
    "token.auth",
    "refresh.rotation",
    "response.expires_default",
    "response.errors.grant_dead[invalid_grant]",
    "identity.from",
];

/// What is wrong or suspicious in the descriptions that `only` names, among `texts` (by name) and
/// those that are built in; without names in all of `texts`, or if there are none in all built-in
/// ones. Worst first, by file.
pub fn lint(texts: impl IntoIterator<Item = (String, String)>, only: &[String]) -> Vec<Finding> {
    let mut library = Library::built_in();
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    for (name, text) in texts {
        names.insert(name.clone());
        match read(&name, &text) {
            Ok(tree) => {
                library.own.insert(name, tree);
            }
            Err(problem) => findings.push(Finding { severity: Severity::Error, problem }),
        }
    }
    names.extend(only.iter().cloned());
    if names.is_empty() {
        names.extend(built_in::TEXTS.map(|(name, _)| name.to_owned()));
    }
    let wanted = |name: &&String| only.is_empty() || only.contains(name);
    for name in names.iter().filter(wanted) {
        let Some(tree) = library.tree(name) else { continue };
        match library.build(name, tree.clone()) {
            Ok(provider) => findings.extend(look_at(&library, tree, provider)),
            Err(problems) => {
                let error = |problem| Finding { severity: Severity::Error, problem };
                findings.extend(problems.into_iter().map(error));
            }
        }
    }
    findings.sort_by(|a, b| (&a.problem.file, a.severity).cmp(&(&b.problem.file, b.severity)));
    findings
}

fn look_at(library: &Library, tree: &Tree, provider: Provider) -> Vec<Finding> {
    let provider = Arc::new(provider);
    let mut looked = Looked { file: provider.name.clone(), found: Vec::new() };
    let own = &provider.description;
    looked.place(library, tree);
    looked.urls(own);
    looked.variables(own);
    looked.pkce(own);
    looked.identity(own, tree);
    looked.lifetimes(own, tree);
    if own.documentation.is_empty() {
        let text = "is empty: name the pages that this was written after";
        looked.hint("documentation", text.to_owned());
    }
    looked.without_effect(library, tree, &provider);
    looked.found
}

struct Looked {
    file: String,
    found: Vec<Finding>,
}

impl Looked {
    fn add(&mut self, severity: Severity, path: &str, text: String) {
        let problem = Problem { file: self.file.clone(), path: path.to_owned(), text };
        self.found.push(Finding { severity, problem });
    }

    fn warn(&mut self, path: &str, text: String) {
        self.add(Severity::Warning, path, text);
    }

    fn hint(&mut self, path: &str, text: String) {
        self.add(Severity::Hint, path, text);
    }

    fn place(&mut self, library: &Library, tree: &Tree) {
        let name = self.file.clone();
        let extends = tree.get("extends").and_then(Value::as_str);
        if library.replaces_built_in(&name) && extends != Some(name.as_str()) {
            let text = format!(
                "takes the place of the provider {name} that is built in: extend it (extends = \
                 {name:?}) to keep the rest of it, or choose another name"
            );
            self.hint("", text);
        }
    }

    fn urls(&mut self, own: &Description) {
        for (path, url) in urls(own) {
            if url.in_clear() {
                let text = "has no TLS: anybody on the way reads tokens and secrets; use https";
                self.warn(&path, text.to_owned());
            }
            if url.gaps().any(|gap| gap.ends_with("_token")) {
                let text = "has the token in it, and URLs get into logs: use a header or parameter";
                self.hint(&path, text.to_owned());
            }
        }
    }

    fn variables(&mut self, own: &Description) {
        let in_urls = urls(own).into_iter().flat_map(|(_, url)| url.gaps().collect::<Vec<_>>());
        let in_values = values(own).into_iter().flat_map(|(_, own)| own.gaps().collect::<Vec<_>>());
        let mut used: BTreeSet<&str> = in_urls.chain(in_values).collect();
        let block = &own.identity;
        for places in [&block.sub, &block.email, &block.name, &block.organization] {
            used.extend(places.iter().filter_map(|place| match place {
                Place::Variable(name) => Some(name.as_str()),
                Place::Document(_) => None,
            }));
        }
        for (name, declared) in &own.variables {
            let path = format!("variables.{name}");
            if !used.contains(name.as_str()) {
                self.warn(&path, "is not used: take it out, or use it in a URL".to_owned());
            }
            let wide = |entry: &&String| {
                entry.strip_prefix("*.").is_some_and(|parent| !parent.contains('.'))
            };
            if let Some(entry) = declared.hosts.iter().find(wide) {
                let text = format!("{entry:?} lets in every host of a top-level domain");
                self.warn(&format!("{path}.hosts"), text);
            }
        }
    }

    fn pkce(&mut self, own: &Description) {
        let Some(block) = &own.authorize else { return };
        let public = own.token.auth == Some(ClientAuth::None);
        match (block.pkce, public) {
            (Pkce::Off, true) => {
                let text = "is off, and the client has no secret: whoever gets hold of a code has \
                            the tokens; use S256";
                self.warn("authorize.pkce", text.to_owned());
            }
            (Pkce::Off, false) if block.pkce_off_because.is_none() => {
                let text = "is off without a reason: use S256, or say why not in \
                            authorize.pkce_off_because";
                self.warn("authorize.pkce", text.to_owned());
            }
            (Pkce::S256, _) if block.pkce_off_because.is_some() => {
                let text = "has a reason for what is not so: authorize.pkce is S256";
                self.warn("authorize.pkce_off_because", text.to_owned());
            }
            (Pkce::Off | Pkce::S256, _) => {}
        }
    }

    fn identity(&mut self, own: &Description, tree: &Tree) {
        let block = &own.identity;
        let said = tree.get("identity").and_then(|block| block.get("from")).is_some();
        if block.from == IdentityFrom::None && own.authorize.is_some() && !said {
            let text = "is missing: nobody knows whose account it is, so a reconnect with another \
                        one is not noticed, and a subject has one account only; say from = \
                        \"none\" if that is meant";
            self.warn("identity", text.to_owned());
        }
        let address = |place: &Place| match place {
            Place::Document(at) => at.as_str().to_ascii_lowercase().contains("mail"),
            Place::Variable(_) => false,
        };
        if block.sub.iter().any(address) {
            let text = "is an address: addresses change hands; name the provider's own id";
            self.warn("identity.sub", text.to_owned());
        }
    }

    fn lifetimes(&mut self, own: &Description, tree: &Tree) {
        if own.response.expires_default.is_none() {
            let text = "is missing: say how long a token lives when the answer does not, as a \
                        period or \"never\"; an hour is assumed";
            self.warn("response.expires_default", text.to_owned());
        }
        if !own.refresh.supported {
            return;
        }
        let errors = &own.response.errors;
        if errors.grant_dead.is_empty() && errors.grant_dead_texts.is_empty() {
            let text = "is empty: say with which codes the provider ends a grant, or that it is \
                        [\"invalid_grant\"] alone";
            self.hint("response.errors.grant_dead", text.to_owned());
        }
        let said = tree.get("refresh").and_then(|block| block.get("rotation")).is_some();
        if !said && !tree.contains_key("extends") {
            let text = "is missing: say whether a refresh spends the refresh token (yes, no), or \
                        that it is unknown";
            self.hint("refresh.rotation", text.to_owned());
        }
    }

    fn without_effect(&mut self, library: &Library, tree: &Tree, provider: &Arc<Provider>) {
        for path in ineffective(library, tree, provider) {
            if !SAID_ON_PURPOSE.contains(&path.as_str()) {
                let text = "changes nothing: it is so without it, or nothing reads it here";
                self.warn(&path, text.to_owned());
            }
        }
    }
}

/// The keys, and the items of lists, without which nothing is different.
pub(crate) fn ineffective(library: &Library, tree: &Tree, provider: &Arc<Provider>) -> Vec<String> {
    let samples = Samples::of(&provider.description);
    let whole = observe(provider, &samples);
    let mut found = Vec::new();
    for (path, less) in ablations(tree) {
        // What cannot be left out does something.
        let Ok(other) = library.build(&provider.name, less).map(Arc::new) else { continue };
        if observe(&other, &samples) != whole {
            continue;
        }
        // What it takes away from the description that it extends is known to the other only.
        let samples = Samples::of(&other.description);
        if observe(&other, &samples) == observe(provider, &samples) {
            found.push(path);
        }
    }
    found
}

/// The tree without each of its leaves, and without each text of its lists, with their paths.
pub(crate) fn ablations(tree: &Tree) -> Vec<(String, Tree)> {
    let mut found = Vec::new();
    for (key, value) in tree {
        let without = || {
            let mut less = tree.clone();
            less.remove(key);
            less
        };
        let with = |inner: Value| {
            let mut less = tree.clone();
            less.insert(key.clone(), inner);
            less
        };
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                let deeper = ablations(inner).into_iter();
                let whole = |(path, less)| (format!("{key}.{path}"), with(Value::Object(less)));
                found.extend(deeper.map(whole));
            }
            Value::Array(items) if items.len() > 1 => {
                for (at, item) in items.iter().enumerate() {
                    let mut less = items.clone();
                    less.remove(at);
                    let shown = item.as_str().map_or_else(|| item.to_string(), ToOwned::to_owned);
                    found.push((format!("{key}[{shown}]"), with(Value::Array(less))));
                }
            }
            Value::Array(items) if items.len() == 1 => {
                let shown =
                    items[0].as_str().map_or_else(|| items[0].to_string(), ToOwned::to_owned);
                found.push((format!("{key}[{shown}]"), without()));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => found.push((key.clone(), without())),
        }
    }
    found
}
