//! Sign-ins under way: one entry per state, so that several tabs work at once. RFC 9700 §2.1.1 and
//! §4.7, RFC 7636.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

use crate::problem::Problem;

/// How long a person may take at the provider.
const LIFETIME: Duration = Duration::from_secs(600);
/// How many sign-ins may be under way; the oldest make room.
const MAX_PENDING: usize = 10_000;

/// What this side must remember until the browser comes back.
pub(crate) struct Pending {
    pub(crate) verifier: PkceCodeVerifier,
    pub(crate) nonce: Nonce,
    pub(crate) max_age: Option<u64>,
}

struct Entry {
    pending: Pending,
    browser: String,
    since: Instant,
}

#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<String, Entry>>);

impl Flows {
    /// Remembers a sign-in under its state for the browser that started it.
    pub(crate) fn begin(&self, state: &CsrfToken, browser: &str, pending: Pending) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_PENDING {
            make_room(&mut entries);
        }
        let entry = Entry { pending, browser: fingerprint(browser), since: Instant::now() };
        entries.insert(fingerprint(state.secret()), entry);
    }

    /// Takes a sign-in out, once, for the browser that started it.
    pub(crate) fn take(&self, state: &str, browser: Option<&str>) -> Result<Pending, Problem> {
        let key = fingerprint(state);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&key).ok_or(Problem::UnknownState)?;
        // RFC 9700 §4.7: an answer obtained in one browser must not sign in another. It stays for
        // the right one, or whoever learns a state could spoil a sign-in.
        if browser.map(fingerprint).as_ref() != Some(&entry.browser) {
            return Err(Problem::ForeignBrowser);
        }
        let entry = entries.remove(&key).ok_or(Problem::UnknownState)?;
        match entry.since.elapsed() < LIFETIME {
            true => Ok(entry.pending),
            false => Err(Problem::UnknownState),
        }
    }

    pub(crate) fn sweep(&self) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.since.elapsed() < LIFETIME);
    }
}

fn make_room(entries: &mut HashMap<String, Entry>) {
    entries.retain(|_, entry| entry.since.elapsed() < LIFETIME);
    let mut ages: Vec<Instant> = entries.values().map(|entry| entry.since).collect();
    ages.sort_unstable();
    // A tenth at once, or a flood would sort the whole table for each arrival.
    if let Some(limit) = ages.get(MAX_PENDING / 10).filter(|_| entries.len() >= MAX_PENDING) {
        entries.retain(|_, entry| entry.since > *limit);
    }
}

/// A secret as it is kept and compared here: only its hash.
pub(crate) fn fingerprint(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

/// 32 random bytes as text, for cookies.
pub(crate) fn random_secret() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Problem::Storage)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(flows: &Flows, state: &str) {
        let verifier = PkceCodeVerifier::new("v".repeat(43));
        let pending = Pending { verifier, nonce: Nonce::new("n".into()), max_age: None };
        flows.begin(&CsrfToken::new(state.into()), "browser", pending);
    }

    #[test]
    fn a_state_is_for_its_browser_and_once() {
        let flows = Flows::default();
        begin(&flows, "one");
        begin(&flows, "two");
        assert!(matches!(flows.take("one", Some("other")), Err(Problem::ForeignBrowser)));
        assert!(matches!(flows.take("one", None), Err(Problem::ForeignBrowser)));
        assert!(flows.take("one", Some("browser")).is_ok());
        assert!(matches!(flows.take("one", Some("browser")), Err(Problem::UnknownState)));
        assert!(flows.take("two", Some("browser")).is_ok());
    }

    #[test]
    fn the_table_stays_bounded() {
        let flows = Flows::default();
        for n in 0..=MAX_PENDING {
            begin(&flows, &n.to_string());
        }
        let length = flows.0.lock().expect("not poisoned").len();
        assert!(length <= MAX_PENDING, "{length}");
        assert!(flows.take(&MAX_PENDING.to_string(), Some("browser")).is_ok());
    }
}
