//! What every back end must do, as tests: each rule of the port's documentation on a fresh store,
//! and a race of 32 tasks for everything that may happen only once. Needs a multi-threaded runtime.
//! A rule that does not hold panics.

pub mod api_keys;
pub mod audit;
pub mod clients;
pub mod codes;
pub mod connect_sessions;
pub mod connections;
pub mod consents;
pub mod devices;
pub mod external;
pub mod fixtures;
pub mod issuing;
pub mod limits;
pub mod notices;
pub mod once;
pub mod outbox;
pub mod refreshes;
pub mod registration;
pub mod requests;
pub mod secrets;
pub mod servers;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod sweep;
pub mod tokens;
pub mod users;
pub mod vault_fixtures;

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::store::Store;
use tokio::sync::Barrier;

/// A back end under test.
#[async_trait]
pub trait BackEnd: Sync {
    /// An empty store that nobody else uses.
    async fn fresh(&self) -> Arc<dyn Store>;
}

/// How many tasks race for a thing.
const RACERS: usize = 32;

/// Defines `check`, which runs rules one by one, each on a fresh store.
macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {
        /// Checks every rule of this group.
        pub async fn check(back_end: &dyn crate::contract::BackEnd) {
            $($rule(back_end.fresh().await).await;)+
        }
    };
}
use rules;

/// What 32 tasks get that all begin `act` at the same moment.
async fn race<T, F, A>(store: &Arc<dyn Store>, act: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Arc<dyn Store>, usize) -> A,
    A: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(RACERS));
    let mut tasks = Vec::new();
    for place in 0..RACERS {
        let (start, action) = (Arc::clone(&start), act(Arc::clone(store), place));
        tasks.push(tokio::spawn(async move {
            start.wait().await;
            action.await
        }));
    }
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("a racing task panicked"));
    }
    results
}

/// How many of `results` are what `is` looks for.
fn count<T>(results: &[T], is: impl Fn(&T) -> bool) -> usize {
    results.iter().filter(|result| is(result)).count()
}
