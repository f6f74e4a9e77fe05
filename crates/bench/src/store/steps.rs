//! What is repeated: one redemption, one rotation, one read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use grantor_core::id::AccessTokenId;
use grantor_core::model::{AccessToken, Code, Family};
use grantor_core::secret::Digest;
use grantor_core::store::{Redeemed, Renewal, Rotated, Rotation};
use grantor_core::time::Seconds;
use tokio::task::JoinSet;

use super::fixtures::{Fixtures, NOW};
use super::measure;

/// Tasks that fill the database.
const FILLERS: usize = 64;

/// One operation on the store.
pub(super) trait Step: Send + 'static {
    /// Does it once more; `false` when there is nothing left to do.
    fn step(&mut self) -> impl Future<Output = Result<bool>> + Send;
}

/// Redeems codes that were issued before.
pub(super) struct Redeem {
    fixtures: Arc<Fixtures>,
    codes: Arc<Vec<Code>>,
    next: Arc<AtomicUsize>,
}

impl Redeem {
    /// Issues the codes, which `tasks` steps share.
    pub(super) async fn prepare(
        fixtures: &Arc<Fixtures>,
        codes: usize,
        tasks: usize,
    ) -> Result<Vec<Self>> {
        let mut issuing = JoinSet::new();
        for _ in 0..FILLERS {
            issuing.spawn(issue(Arc::clone(fixtures), codes.div_ceil(FILLERS)));
        }
        let mut issued = Vec::with_capacity(codes);
        while let Some(done) = issuing.join_next().await {
            issued.extend(done.context("a task died")??);
        }
        issued.sort_unstable_by_key(|code| code.id);
        let (codes, next) = (Arc::new(issued), Arc::new(AtomicUsize::new(0)));
        let step = || Self {
            fixtures: Arc::clone(fixtures),
            codes: Arc::clone(&codes),
            next: Arc::clone(&next),
        };
        Ok((0..tasks).map(|_| step()).collect())
    }
}

impl Step for Redeem {
    async fn step(&mut self) -> Result<bool> {
        let Some(code) = self.codes.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
            return Ok(false);
        };
        let issued = self.fixtures.issued();
        let outcome = self.fixtures.store.redeem_code(code.id, &code.digest, issued, NOW).await?;
        ensure!(outcome == Redeemed::Done, "a fresh code was {outcome:?}");
        Ok(true)
    }
}

async fn issue(fixtures: Arc<Fixtures>, count: usize) -> Result<Vec<Code>> {
    let mut codes = Vec::with_capacity(count);
    for _ in 0..count {
        codes.push(fixtures.issue_code().await?);
    }
    Ok(codes)
}

/// Rotates the refresh token of a family of its own.
pub(super) struct Rotate {
    fixtures: Arc<Fixtures>,
    family: Family,
    current: Digest,
    made: Vec<(AccessTokenId, Digest)>,
    most: Option<usize>,
}

impl Rotate {
    /// A family for each task, to be rotated at most so often.
    pub(super) async fn prepare(
        fixtures: &Arc<Fixtures>,
        tasks: usize,
        most: Option<usize>,
    ) -> Result<Vec<Self>> {
        let mut steps = Vec::with_capacity(tasks);
        for _ in 0..tasks {
            let code = fixtures.issue_code().await?;
            let issued = fixtures.issued();
            let family = issued.family.clone();
            fixtures.store.redeem_code(code.id, &code.digest, issued, NOW).await?;
            let current = family.refresh.context("a family without a refresh token")?.current;
            let (fixtures, made) = (Arc::clone(fixtures), Vec::new());
            steps.push(Self { fixtures, family, current, made, most });
        }
        Ok(steps)
    }
}

impl Step for Rotate {
    async fn step(&mut self) -> Result<bool> {
        if self.most.is_some_and(|most| self.made.len() >= most) {
            return Ok(false);
        }
        let (access, successor) = (self.fixtures.access(&self.family), self.fixtures.digest());
        let token = (access.id, access.digest);
        let renewal = Renewal {
            access_expires_at: access.expires_at,
            access: Some(access),
            sole: None,
            idle_expires_at: NOW.plus(Seconds::days(30)),
        };
        let (presented, grace) = (self.current, Seconds(60));
        let rotation = Rotation { presented, successor, grace, renewal };
        let outcome = self.fixtures.store.rotate_refresh(self.family.id, rotation, NOW).await?;
        ensure!(outcome == Rotated::Done, "the current refresh token was {outcome:?}");
        self.current = successor;
        self.made.push(token);
        Ok(true)
    }
}

/// Gets a token for the client itself.
pub(super) struct Issue {
    fixtures: Arc<Fixtures>,
    made: Vec<(AccessTokenId, Digest)>,
    /// Whether it has a family, which replaces the one before.
    replaces: bool,
}

impl Issue {
    /// For `tasks` that all act for one client.
    pub(super) fn prepare(fixtures: &Arc<Fixtures>, tasks: usize, replaces: bool) -> Vec<Self> {
        let step = || Self { fixtures: Arc::clone(fixtures), made: Vec::new(), replaces };
        (0..tasks).map(|_| step()).collect()
    }

    /// The tokens that were made.
    pub(super) fn made(steps: Vec<Self>) -> Vec<(AccessTokenId, Digest)> {
        steps.into_iter().flat_map(|step| step.made).collect()
    }
}

impl Step for Issue {
    async fn step(&mut self) -> Result<bool> {
        let issued = self.fixtures.own();
        if self.replaces {
            self.fixtures.store.issue_tokens(issued, None, NOW).await?;
            return Ok(true);
        }
        let access = issued.access.context("no access token was made")?;
        let token = (access.id, access.digest);
        self.fixtures.store.issue_access(AccessToken { family: None, ..access }).await?;
        self.made.push(token);
        Ok(true)
    }
}

/// Makes `rows` access tokens by rotation.
pub(super) async fn fill(
    fixtures: &Arc<Fixtures>,
    rows: usize,
) -> Result<Vec<(AccessTokenId, Digest)>> {
    let steps = Rotate::prepare(fixtures, FILLERS, Some(rows.div_ceil(FILLERS))).await?;
    let (_, steps) = measure("fill", steps, Duration::from_hours(1)).await?;
    Ok(steps.into_iter().flat_map(|step| step.made).collect())
}

/// Reads access tokens in no order.
pub(super) struct Read {
    fixtures: Arc<Fixtures>,
    tokens: Arc<Vec<(AccessTokenId, Digest)>>,
    state: u64,
}

impl Read {
    /// Reads `tokens`.
    pub(super) fn new(
        fixtures: &Arc<Fixtures>,
        tokens: &Arc<Vec<(AccessTokenId, Digest)>>,
    ) -> Self {
        let seed = fixtures.digest();
        let state =
            seed.as_bytes().iter().fold(1, |all, &byte| (all << 8) ^ (all >> 56) ^ u64::from(byte));
        Self { fixtures: Arc::clone(fixtures), tokens: Arc::clone(tokens), state }
    }

    /// Any index: a linear congruential generator is random enough to miss the cache.
    fn index(&mut self) -> Result<usize> {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok(usize::try_from(self.state >> 33)? % self.tokens.len())
    }
}

impl Step for Read {
    async fn step(&mut self) -> Result<bool> {
        let index = self.index()?;
        let (id, digest) = self.tokens[index];
        let view = self.fixtures.store.access_token(id, &digest, NOW).await?;
        let AccessToken { id: found, .. } = view.context("a token is lost")?.token;
        ensure!(found == id, "another token was read");
        Ok(true)
    }
}
