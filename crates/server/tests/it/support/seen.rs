//! Every secret that a test saw. None of them may stand in a log or, in clear, in the data folder.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// How much of the end of a credential is looked for.
const TAIL: usize = 40;

/// Shorter ones would be found by accident.
const SHORTEST: usize = 8;

/// Secrets, shared by everything that talks to one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    /// Remembers a secret.
    pub(crate) fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().expect("not poisoned").insert(secret.to_owned());
        }
    }

    /// Remembers every credential and every signed token in an answer.
    pub(crate) fn add_all_in(&self, text: &str) {
        for word in text.split(|c| !part_of_one(c)) {
            let ours = word.starts_with("grt_") || word.starts_with("grk_");
            let credential = ours && word.len() > 40;
            let signed = word.starts_with("eyJ") && word.matches('.').count() == 2;
            if credential || signed {
                self.add(word);
            }
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }

    /// The secrets that `bytes` has in clear, shortened.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let seen = self.0.lock().expect("not poisoned");
        // The random part alone would be as bad as the whole.
        let (long, short): (Vec<&[u8]>, Vec<&[u8]>) = seen
            .iter()
            .map(|secret| &secret.as_bytes()[secret.len().saturating_sub(TAIL)..])
            .partition(|tail| tail.len() == TAIL);
        let long: HashSet<&[u8]> = long.into_iter().collect();
        let in_runs = bytes
            .split(|byte| !part_of_one(char::from(*byte)))
            .flat_map(|run| run.windows(TAIL))
            .filter(|window| long.contains(window));
        let as_they_are = short
            .into_iter()
            .filter(|secret| bytes.windows(secret.len()).any(|window| window == *secret));
        let shown = |part: &[u8]| String::from_utf8_lossy(&part[..SHORTEST]).into_owned() + "…";
        in_runs.chain(as_they_are).map(shown).collect()
    }

    /// No file of `folder` has one of them in clear.
    pub(crate) fn assert_not_below(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                self.assert_not_below(&path);
            } else if let Ok(bytes) = fs::read(&path) {
                let found = self.found_in(&bytes);
                assert!(found.is_empty(), "{} has in clear: {found:?}", path.display());
            }
        }
    }
}

/// The characters of credentials and signed tokens.
const fn part_of_one(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
