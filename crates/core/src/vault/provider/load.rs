//! From texts to providers: inheritance, and everything that is wrong at once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::description::Description;
use super::schema::{distance, faults, schema};
use super::{Provider, built_in, sound};

/// Steps of inheritance at most.
const DEEPEST: usize = 8;

/// One thing that is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, by the name that it was given with.
    pub file: String,
    /// The key (`authorize.url`); empty for the file as a whole.
    pub path: String,
    /// What is wrong with it and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", self.file, self.text),
            path => write!(f, "{}: {path}: {}", self.file, self.text),
        }
    }
}

/// The providers that are built in, by name.
pub fn catalogue() -> BTreeMap<String, Arc<Provider>> {
    load([]).unwrap_or_default()
}

/// The providers that are built in and those of an operator's files, by name. A file's name
/// (without `.toml`) is the provider's; one that is built in, too, is replaced by it, and may still
/// be extended by it. All problems of all files are reported.
pub fn load(
    texts: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<String, Arc<Provider>>, Vec<Problem>> {
    let mut library = Library::built_in();
    let mut problems = Vec::new();
    for (name, text) in texts {
        match read(&name, &text) {
            Ok(tree) => {
                library.own.insert(name, tree);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let mut providers = BTreeMap::new();
    for name in library.names() {
        match library.provider(name) {
            Ok(provider) => {
                providers.insert(name.to_owned(), Arc::new(provider));
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(providers) } else { Err(problems) }
}

/// A description before it is typed.
pub(crate) type Tree = Map<String, Value>;

/// All descriptions as they were written.
pub(crate) struct Library {
    built_in: BTreeMap<String, Tree>,
    /// Those of the operator.
    pub(crate) own: BTreeMap<String, Tree>,
}

impl Library {
    pub(crate) fn built_in() -> Self {
        let trees = built_in::TEXTS.into_iter();
        // That each of them can be read is a test.
        let trees =
            trees.filter_map(|(name, text)| Some((name.to_owned(), read(name, text).ok()?)));
        Self { built_in: trees.collect(), own: BTreeMap::new() }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.built_in.keys().filter(|name| !self.own.contains_key(*name));
        self.own.keys().chain(others).map(String::as_str)
    }

    /// A description as it was written, the operator's before a built-in one.
    pub(crate) fn tree(&self, name: &str) -> Option<&Tree> {
        self.own.get(name).or_else(|| self.built_in.get(name))
    }

    fn provider(&self, name: &str) -> Result<Provider, Vec<Problem>> {
        self.build(name, self.tree(name).cloned().unwrap_or_default())
    }

    /// The provider that `tree` would be under this name.
    pub(crate) fn build(&self, name: &str, tree: Tree) -> Result<Provider, Vec<Problem>> {
        let problem =
            |(path, text): (String, String)| Problem { file: name.to_owned(), path, text };
        let (root, tree) = self
            .inherited(name, tree, self.own.contains_key(name))
            .map_err(|text| vec![problem(("extends".to_owned(), text))])?;
        let description = match Description::deserialize(Value::Object(tree.clone())) {
            Ok(description) => description,
            // It stops at the first problem; the schema knows them all.
            Err(first) => {
                let mut found = Vec::new();
                faults(&schema(), &Value::Object(tree), "", &mut found);
                if found.is_empty() {
                    found.push((String::new(), first.to_string()));
                }
                return Err(found.into_iter().map(problem).collect());
            }
        };
        let found = sound::faults(&description);
        if !found.is_empty() {
            return Err(found.into_iter().map(problem).collect());
        }
        Ok(Provider {
            name: name.to_owned(),
            root,
            label: description.label.clone(),
            description,
            discovered: super::Discovered::default(),
        })
    }

    /// A description on top of those that it extends, and the name of the last of these.
    fn inherited(&self, name: &str, tree: Tree, own: bool) -> Result<(String, Tree), String> {
        let mut chain = vec![tree];
        let (mut name, mut own) = (name.to_owned(), own);
        while let Some(parent) = chain.last().and_then(|tree| tree.get("extends")) {
            let Some(parent) = parent.as_str() else { break };
            // A file that replaces a built-in description extends that one by its own name.
            let replaced = own && parent == name;
            let found = self.own.get(parent).filter(|_| !replaced);
            own = found.is_some();
            let found = found.or_else(|| self.built_in.get(parent));
            let found = found.ok_or_else(|| self.no_such(parent))?;
            if chain.len() >= DEEPEST {
                return Err(format!("{parent:?} extends this one in turn, or there are too many"));
            }
            parent.clone_into(&mut name);
            chain.push(found.clone());
        }
        let mut whole = chain.pop().unwrap_or_default();
        while let Some(over) = chain.pop() {
            merge(&mut whole, over);
        }
        Ok((name, whole))
    }

    fn no_such(&self, parent: &str) -> String {
        let near = self.names().min_by_key(|own| distance(parent, own));
        match near.filter(|own| distance(parent, own) <= 2) {
            Some(near) => format!("there is no provider {parent:?}; did you mean {near:?}?"),
            None => format!("there is no provider {parent:?}; see `grantor provider list`"),
        }
    }
}

/// Puts `over` on top of `base`, key by key; `false` takes away what is not true or false itself.
fn merge(base: &mut Tree, over: Tree) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(old), Value::Bool(false)) if !old.is_boolean() => {
                base.remove(&key);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

pub(crate) fn read(name: &str, text: &str) -> Result<Tree, Problem> {
    let problem = |text| Problem { file: name.to_owned(), path: String::new(), text };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    if name.is_empty() || !name.bytes().all(plain) {
        let why = "a provider's name has small letters, digits, _ and - only: rename the file";
        return Err(problem(why.to_owned()));
    }
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        problem(format!("line {line} is not TOML: {}", error.message()))
    })
}
