//! Key sets at an address (`jwks_uri`), fetched and kept: RFC 7517 §5, OpenID Connect Core 1.0
//! §10.1.1.
//!
//! A set is kept for five minutes. A key that is not in it is looked for again, because keys
//! rotate, but not at every token that names one. When the address does not answer, the old keys
//! are used for up to an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::jose::JwkSet;
use crate::outbound::{FetchError, Outbound};
use crate::time::{Seconds, Timestamp};

/// How long a set is taken without asking again.
const FRESH: Seconds = Seconds::minutes(5);
/// How long a set is taken when its address does not answer.
const STALE: Seconds = Seconds::hours(1);
/// The least time between two fetches for the sake of an unknown key.
const UNKNOWN_KEY: Seconds = Seconds(30);
/// How long an address is left alone after it failed.
const FAILED: Seconds = Seconds(10);
/// Sets that are kept; an address that is not one of them is fetched again.
const MOST: usize = 1_000;

/// The key sets that were fetched.
#[derive(Debug, Default)]
pub struct KeySets(Mutex<HashMap<String, Kept>>);

#[derive(Clone, Debug)]
struct Kept {
    /// The last set, and when it came.
    set: Option<(Arc<JwkSet>, Timestamp)>,
    /// Why the last fetch failed, if it did.
    failed: Option<FetchError>,
    /// When the last fetch ended.
    tried_at: Timestamp,
    /// When the last one did that was for the sake of an unknown key.
    looked_at: Option<Timestamp>,
}

/// Why a set has to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    /// It was never there, or is old.
    Missing,
    /// The key is not in it.
    UnknownKey,
}

impl KeySets {
    /// The keys at `uri`, fetched if need be; with the key `kid`, if the address has one.
    pub async fn at(
        &self,
        outbound: &dyn Outbound,
        uri: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, FetchError> {
        let because = match self.kept(uri, kid, now) {
            Ok(answer) => return answer,
            Err(because) => because,
        };
        let fetched = outbound.json(uri).await.and_then(|bytes| read(uri, &bytes));
        self.keep(uri, fetched, because, now)
    }

    /// What can be said without a fetch.
    fn kept(
        &self,
        uri: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<Arc<JwkSet>, FetchError>, Because> {
        let sets = self.lock();
        let kept = sets.get(uri).ok_or(Because::Missing)?;
        let within = |since: Timestamp, span: Seconds| now < since.plus(span);
        if kept.failed.is_some() && within(kept.tried_at, FAILED) {
            return Ok(kept.usable(now));
        }
        let fresh = kept.set.as_ref().filter(|(_, fetched_at)| within(*fetched_at, FRESH));
        let (set, _) = fresh.ok_or(Because::Missing)?;
        let looked = kept.looked_at.is_some_and(|at| within(at, UNKNOWN_KEY));
        if looked || kid.is_none_or(|kid| set.has(kid)) {
            return Ok(Ok(Arc::clone(set)));
        }
        Err(Because::UnknownKey)
    }

    fn keep(
        &self,
        uri: &str,
        fetched: Result<JwkSet, FetchError>,
        because: Because,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, FetchError> {
        let mut sets = self.lock();
        let (before, looked_before) =
            sets.remove(uri).map_or((None, None), |kept| (kept.set, kept.looked_at));
        let looked_at = match because {
            Because::Missing => looked_before,
            Because::UnknownKey => Some(now),
        };
        if sets.len() >= MOST {
            forget_oldest(&mut sets);
        }
        let kept = match fetched {
            Ok(set) => {
                Kept { set: Some((Arc::new(set), now)), failed: None, tried_at: now, looked_at }
            }
            Err(error) => Kept { set: before, failed: Some(error), tried_at: now, looked_at },
        };
        let answer = kept.usable(now);
        sets.insert(uri.to_owned(), kept);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The set if it is young enough, else why there is none.
    fn usable(&self, now: Timestamp) -> Result<Arc<JwkSet>, FetchError> {
        match (&self.set, &self.failed) {
            (Some((set, at)), _) if now < at.plus(STALE) => Ok(Arc::clone(set)),
            (_, Some(error)) => Err(error.clone()),
            (Some((set, _)), None) => Ok(Arc::clone(set)),
            (None, None) => Ok(Arc::default()),
        }
    }
}

fn read(uri: &str, bytes: &[u8]) -> Result<JwkSet, FetchError> {
    let set = serde_json::from_slice(bytes).map_err(|error| error.to_string());
    let set = set.and_then(|set| JwkSet::parse(&set).map_err(|error| error.to_string()));
    set.map_err(|why| FetchError { url: uri.to_owned(), why: format!("not a JWK set: {why}") })
}

fn forget_oldest(sets: &mut HashMap<String, Kept>) {
    let oldest = sets.iter().min_by_key(|(_, kept)| kept.tried_at).map(|(uri, _)| uri.clone());
    if let Some(uri) = oldest {
        sets.remove(&uri);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use async_trait::async_trait;
    use serde_json::{Value, json};

    use super::*;
    use crate::jose::{Algorithm, SigningKey};
    use crate::outbound::{CallError, Request, Response};

    const URI: &str = "https://client.example/jwks";

    /// Answers at once, with what it is told to.
    struct Site {
        answer: Mutex<Option<Value>>,
        fetches: AtomicUsize,
    }

    #[async_trait]
    impl Outbound for Site {
        async fn json(&self, url: &str) -> Result<Vec<u8>, FetchError> {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let answer = self.answer.lock().expect("unpoisoned").clone();
            let away = FetchError { url: url.to_owned(), why: "it is away".to_owned() };
            answer.map(|set| set.to_string().into_bytes()).ok_or(away)
        }

        async fn call(&self, request: Request, _: Seconds) -> Result<Response, CallError> {
            Err(CallError::NotSent(format!("{request:?} is not for this site")))
        }
    }

    struct Trial {
        site: Site,
        sets: KeySets,
        key: Value,
    }

    impl Trial {
        fn new() -> Self {
            let key = SigningKey::generate(Algorithm::EdDsa).expect("generates");
            let key = serde_json::to_value(key.public_jwk()).expect("serializes");
            let site = Site { answer: Mutex::new(None), fetches: AtomicUsize::new(0) };
            Self { site, sets: KeySets::default(), key }
        }

        /// What the address answers from now on: one key of this name, or nothing.
        fn serve(&self, kid: Option<&str>) {
            let named = |kid| {
                let mut key = self.key.clone();
                key["kid"] = json!(kid);
                json!({ "keys": [key] })
            };
            *self.site.answer.lock().expect("unpoisoned") = kid.map(named);
        }

        /// Whether the key is found at this second, and how many fetches there were until then.
        fn ask_at(&self, uri: &str, kid: &str, second: i64) -> (Option<bool>, usize) {
            let now = Timestamp::from_epoch(second);
            let mut asked = pin!(self.sets.at(&self.site, uri, Some(kid), now));
            let Poll::Ready(answer) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("the site answers at once");
            };
            (answer.ok().map(|set| set.has(kid)), self.site.fetches.load(Ordering::SeqCst))
        }

        fn ask(&self, kid: &str, second: i64) -> (Option<bool>, usize) {
            self.ask_at(URI, kid, second)
        }
    }

    #[test]
    fn a_set_is_kept_for_five_minutes() {
        let trial = Trial::new();
        trial.serve(Some("a"));
        assert_eq!(trial.ask("a", 0), (Some(true), 1));
        assert_eq!(trial.ask("a", 299), (Some(true), 1));
        assert_eq!(trial.ask("a", 300), (Some(true), 2));
    }

    #[test]
    fn an_unknown_key_is_looked_for_again_every_half_minute() {
        let trial = Trial::new();
        trial.serve(Some("a"));
        assert_eq!(trial.ask("a", 0), (Some(true), 1));
        trial.serve(Some("b"));
        assert_eq!(trial.ask("b", 1), (Some(true), 2), "rotated right away");
        trial.serve(Some("c"));
        assert_eq!(trial.ask("c", 30), (Some(false), 2), "not yet");
        assert_eq!(trial.ask("c", 31), (Some(true), 3));
        assert_eq!(trial.ask("x", 60), (Some(false), 3));
        assert_eq!(trial.ask("x", 61), (Some(false), 4));
        assert_eq!(trial.ask("a", 62), (Some(false), 4), "a key that was taken out is gone");
    }

    #[test]
    fn an_address_that_fails_is_left_alone_for_a_while() {
        let trial = Trial::new();
        assert_eq!(trial.ask("a", 0), (None, 1));
        assert_eq!(trial.ask("a", 9), (None, 1));
        trial.serve(Some("a"));
        assert_eq!(trial.ask("a", 10), (Some(true), 2));
        *trial.site.answer.lock().expect("unpoisoned") = Some(json!("no set"));
        assert_eq!(trial.ask("b", 50), (Some(false), 3), "the set from before");
    }

    #[test]
    fn old_keys_are_used_for_an_hour_while_the_address_is_away() {
        let trial = Trial::new();
        trial.serve(Some("a"));
        trial.ask("a", 0);
        trial.serve(None);
        assert_eq!(trial.ask("a", 300), (Some(true), 2));
        assert_eq!(trial.ask("a", 309), (Some(true), 2), "left alone");
        assert_eq!(trial.ask("a", 3_599), (Some(true), 3));
        assert_eq!(trial.ask("a", 3_600), (None, 3), "too old");
        assert_eq!(trial.ask("a", 3_610), (None, 4));
    }

    #[test]
    fn the_number_of_sets_has_an_end() {
        let trial = Trial::new();
        trial.serve(Some("a"));
        for n in 0..=MOST {
            let second = i64::try_from(n).expect("small");
            trial.ask_at(&format!("https://{n}.example"), "a", second / 100);
        }
        assert_eq!(trial.sets.lock().len(), MOST);
    }
}
