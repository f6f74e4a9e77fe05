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

    /// Whether a file of the operator stands before a built-in description.
    pub(crate) fn replaces_built_in(&self, name: &str) -> bool {
        self.own.contains_key(name) && self.built_in.contains_key(name)
    }

    fn provider(&self, name: &str) -> Result<Provider, Vec<Problem>> {
        self.build(name, self.tree(name).cloned().unwrap_or_default())
    }

    /// The provider that `tree` would be under this name.
    pub(crate) fn build(&self, name: &str, tree: Tree) -> Result<Provider, Vec<Problem>> {
        let problem =
            |(path, text): (String, String)| Problem { file: name.to_owned(), path, text };
        let inherited = self.inherited(name, tree.clone(), self.own.contains_key(name));
        let (root, whole) = inherited.map_err(|text| {
            let first = problem(("extends".to_owned(), text));
            let others = self.without_parent(tree).into_iter().map(problem);
            std::iter::once(first).chain(others).collect::<Vec<_>>()
        })?;
        let description =
            described(whole).map_err(|found| found.into_iter().map(problem).collect::<Vec<_>>())?;
        Ok(Provider {
            name: name.to_owned(),
            root,
            label: description.label.clone(),
            description,
            discovered: super::Discovered::default(),
        })
    }

    /// What is wrong in any case with one that extends something that is not there: what it lacks
    /// may be there, so it is looked at on top of one that lacks nothing.
    fn without_parent(&self, tree: Tree) -> Vec<(String, String)> {
        let mut whole = self.built_in.get("oauth2").cloned().unwrap_or_default();
        merge(&mut whole, tree);
        let mut found = Vec::new();
        faults(&schema(), &Value::Object(whole), "", &mut found);
        found
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

/// The description that a tree is, or everything that is wrong with it: path and text.
fn described(tree: Tree) -> Result<Description, Vec<(String, String)>> {
    let found = match Description::deserialize(Value::Object(tree.clone())) {
        Ok(description) => {
            let found = sound::faults(&description);
            return if found.is_empty() { Ok(description) } else { Err(found) };
        }
        // It stops at the first problem; the schema knows them all.
        Err(first) => {
            let mut found = Vec::new();
            faults(&schema(), &Value::Object(tree.clone()), "", &mut found);
            if found.is_empty() {
                found.push((String::new(), first.to_string()));
            }
            found
        }
    };
    // Whether the rest fits together is seen without what cannot be read.
    let mut rest = Value::Object(tree);
    found.iter().for_each(|(path, _)| cut(&mut rest, path));
    let rest = Description::deserialize(rest).ok().map(|own| sound::faults(&own));
    let below = |path: &str, above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let about = |path: &str| found.iter().any(|(cut, _)| below(path, cut) || below(cut, path));
    let more: Vec<_> =
        rest.unwrap_or_default().into_iter().filter(|(path, _)| !about(path)).collect();
    Err(found.into_iter().chain(more).collect())
}

/// Takes the value at a path of the schema's out of its table.
fn cut(tree: &mut Value, path: &str) {
    // An item of a list goes with its list.
    let path = path.split_once('[').map_or(path, |(list, _)| list);
    let (table, key) = match path.rsplit_once('.') {
        Some((table, key)) => (format!("/{}", table.replace('.', "/")), key),
        None => (String::new(), path),
    };
    if let Some(Value::Object(table)) = tree.pointer_mut(&table) {
        table.remove(key);
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
