//! Passwords by argon2id (RFC 9106), on threads of their own so that no request waits behind them.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use grantor_core::ports::{Overloaded, PasswordHasher};
use tokio::sync::oneshot;

/// A few threads behind a queue of limited length.
pub(crate) struct PasswordPool {
    jobs: SyncSender<Job>,
}

enum Job {
    Hash { password: String, answer: oneshot::Sender<String> },
    Verify { password: String, phc: Option<String>, answer: oneshot::Sender<bool> },
}

impl PasswordPool {
    /// Starts `threads` threads; up to `queue` passwords wait for one of them.
    pub(crate) fn start(threads: usize, queue: usize) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name(format!("passwords-{number}"))
                .spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    async fn ask<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> Result<T, Overloaded> {
        self.jobs.try_send(job).map_err(|_| Overloaded)?;
        answer.await.map_err(|_| Overloaded)
    }
}

#[async_trait]
impl PasswordHasher for PasswordPool {
    async fn hash(&self, password: &str) -> Result<String, Overloaded> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Hash { password: password.to_owned(), answer }, answered).await
    }

    async fn verify(&self, password: &str, phc: Option<&str>) -> Result<bool, Overloaded> {
        let (answer, answered) = oneshot::channel();
        let (password, phc) = (password.to_owned(), phc.map(str::to_owned));
        self.ask(Job::Verify { password, phc, answer }, answered).await
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            // A request that is gone must not cost a core 15 ms.
            Ok(Job::Hash { answer, .. }) if answer.is_closed() => {}
            Ok(Job::Verify { answer, .. }) if answer.is_closed() => {}
            Ok(Job::Hash { password, answer }) => match hash(&password) {
                Ok(phc) => drop(answer.send(phc)),
                // The asker sees the dropped channel as overload: memory ran out.
                Err(error) => tracing::error!(%error, "cannot hash a password"),
            },
            Ok(Job::Verify { password, phc, answer }) => {
                let _ = answer.send(verify(&password, phc.as_deref()));
            }
            Err(_) => return,
        }
    }
}

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
fn argon2() -> argon2::Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let hasher = argon2().map_err(|_| argon2::password_hash::Error::ParamsInvalid)?;
    hasher.hash_password(password.as_bytes()).map(|phc| phc.to_string())
}

fn verify(password: &str, phc: Option<&str>) -> bool {
    match (argon2(), phc.map(PasswordHash::new)) {
        (Ok(hasher), Some(Ok(phc))) => hasher.verify_password(password.as_bytes(), &phc).is_ok(),
        (Ok(_), Some(Err(error))) => {
            tracing::error!(%error, "a stored password hash cannot be read");
            decoy(password)
        }
        (Ok(_), None) => decoy(password),
        (Err(_), _) => false,
    }
}

/// The same work for nobody's password, so that timing does not tell who has an account.
fn decoy(password: &str) -> bool {
    drop(hash(password));
    false
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn a_hash_verifies_its_own_password_only() {
        let pool = PasswordPool::start(2, 8).expect("threads");
        let phc = pool.hash("correct horse").await.expect("room in the queue");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, pool.hash("correct horse").await.expect("room"), "salted");
        assert!(pool.verify("correct horse", Some(&phc)).await.expect("room"));
        assert!(!pool.verify("Correct horse", Some(&phc)).await.expect("room"));
        assert!(!pool.verify("correct horse", Some("$argon2id$nonsense")).await.expect("room"));
        assert!(!pool.verify("correct horse", None).await.expect("room"));
    }

    #[test]
    fn nobody_takes_as_long_as_somebody() {
        let phc = hash("secret").expect("hashed");
        let best = |phc: Option<&str>| -> Duration {
            let once = |_| {
                let start = Instant::now();
                assert!(!verify("wrong", phc));
                start.elapsed()
            };
            (0..5).map(once).min().expect("five")
        };
        let (somebody, nobody) = (best(Some(&phc)), best(None));
        assert!(nobody * 2 > somebody && somebody * 2 > nobody, "{somebody:?} {nobody:?}");
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let pool = Arc::new(PasswordPool::start(1, 1).expect("a thread"));
        let asked: Vec<_> = (0..20)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.verify("x", None).await })
            })
            .collect();
        let mut refused = 0;
        for one in asked {
            refused += usize::from(one.await.expect("no panic").is_err());
        }
        assert!((1..20).contains(&refused), "{refused} of 20");
        assert!(pool.verify("x", None).await.is_ok(), "it recovers");
    }
}
