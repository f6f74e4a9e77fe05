//! How many requests are answered: buckets per client and per source address (GCRA). Nodes that have
//! a store in common count together.

mod buckets;
mod shared;

use std::collections::HashMap;
use std::hash::Hasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use grantor_core::jose::seal::HmacKey;
use siphasher::sip::SipHasher13;

use buckets::{Buckets, Failures};
use shared::{Exchange, Kind};

/// Come back after so many seconds, one at least: the value of the header `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) u32);

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// How many a minute.
    pub(crate) per_minute: u32,
    /// How many at once from now on.
    pub(crate) left: u32,
    /// Seconds until all of them are.
    pub(crate) reset: u32,
}

impl Allowance {
    /// `left` of `per_minute`.
    pub(crate) fn new(per_minute: u32, left: u32) -> Self {
        let used = u64::from(per_minute.saturating_sub(left));
        let reset = (used * 60).div_ceil(u64::from(per_minute.max(1)));
        Self { per_minute, left, reset: u32::try_from(reset).unwrap_or(u32::MAX) }
    }
}

/// How many a minute; 0 for no limit. A quiet minute can be used up at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    /// Failed client authentications of one source.
    pub(crate) failed_client_auth: u32,
    /// Sign-in attempts of one source.
    pub(crate) sign_in: u32,
    /// Wrong user codes of one source, in ten minutes.
    pub(crate) user_codes: u32,
    /// Page views of one source.
    pub(crate) pages: u32,
    /// Registrations of clients from one source.
    pub(crate) registrations: u32,
}

const MINUTE: Duration = Duration::from_secs(60);

/// The limits, as this process knows them. A source is an IPv4 address or an IPv6 /64, which is what
/// one subscriber gets.
pub(crate) struct Limits {
    hasher: SipHasher13,
    /// Where nodes count together.
    exchange: Option<Exchange>,
    clients: RwLock<HashMap<NonZeroU32, Arc<Buckets>>>,
    failures: Option<Failures>,
    user_codes: Option<Failures>,
    lookups: Option<Buckets>,
    sign_in: Option<Buckets>,
    accounts: Option<Buckets>,
    pages: Option<Buckets>,
    registrations: Option<Buckets>,
}

impl Limits {
    /// Limits with nothing used up. `key` hides what is counted for whom, and is the same at every
    /// node; they count together where they are `shared`, once they are settled.
    pub(crate) fn new(rates: Rates, key: &HmacKey, shared: bool) -> Self {
        let exchange = shared.then(Exchange::new);
        let teller = |kind, count| exchange.as_ref().map(|own| own.teller(kind, count));
        let buckets = |kind, period, rate| {
            let count = NonZeroU32::new(rate)?;
            Some(Buckets::within(period, count, teller(kind, count)))
        };
        let failures = |kind, period, rate| {
            let count = NonZeroU32::new(rate)?;
            Some(Failures::within(period, count, teller(kind, count)))
        };
        Self {
            hasher: hasher(key),
            clients: RwLock::default(),
            failures: failures(Kind::ClientAuth, MINUTE, rates.failed_client_auth),
            user_codes: failures(Kind::UserCode, 10 * MINUTE, rates.user_codes),
            // Right or wrong: for guesses that all come before the first of them was counted.
            lookups: buckets(Kind::Lookup, 10 * MINUTE, rates.user_codes.saturating_mul(10)),
            sign_in: buckets(Kind::SignIn, MINUTE, rates.sign_in),
            // Wider than for a source, so that nobody is locked out by one who guesses.
            accounts: buckets(Kind::Account, MINUTE, rates.sign_in.saturating_mul(10)),
            pages: buckets(Kind::Page, MINUTE, rates.pages),
            registrations: buckets(Kind::Registration, MINUTE, rates.registrations),
            exchange,
        }
    }

    /// Counts a token request of the registered client `id`, which may make `per_minute`, and says
    /// what is left. With a source, each source has a budget of its own.
    pub(crate) fn client(
        &self,
        id: &str,
        source: Option<IpAddr>,
        per_minute: u32,
    ) -> Result<Option<Allowance>, RetryAfter> {
        let Some(rate) = NonZeroU32::new(per_minute) else {
            return Ok(None);
        };
        let known = self.clients.read().unwrap_or_else(PoisonError::into_inner).get(&rate).cloned();
        let buckets = known.unwrap_or_else(|| {
            let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(clients.entry(rate).or_insert_with(|| Arc::new(self.of_clients(rate))))
        });
        let left = buckets.left_after(self.client_key(id, source))?;
        Ok(Some(Allowance::new(per_minute, left)))
    }

    /// Whether `source` may try to authenticate a client. Asked before looking at the credentials,
    /// so that guessing on does not pay.
    pub(crate) fn client_auth(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.failures.as_ref().map_or(Ok(()), |f| f.check(|| self.source_key(source)))
    }

    /// Counts a failed client authentication from `source`.
    pub(crate) fn client_auth_failed(&self, source: IpAddr) {
        if let Some(failures) = &self.failures {
            failures.count(self.source_key(source));
        }
    }

    /// Whether `source` may try a user code. Asked before looking it up.
    pub(crate) fn user_code(&self, source: IpAddr) -> Result<(), RetryAfter> {
        let key = || self.source_key(source);
        self.user_codes.as_ref().map_or(Ok(()), |failures| failures.check(key))?;
        self.lookups.as_ref().map_or(Ok(()), |buckets| buckets.take(key()))
    }

    /// Counts a wrong user code from `source`.
    pub(crate) fn user_code_wrong(&self, source: IpAddr) {
        if let Some(failures) = &self.user_codes {
            failures.count(self.source_key(source));
        }
    }

    /// Counts a sign-in attempt from `source`.
    pub(crate) fn sign_in(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.sign_in.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Counts an attempt to sign in to the account `name`, from wherever it comes.
    pub(crate) fn account(&self, name: &str) -> Result<(), RetryAfter> {
        let name = name.trim().to_lowercase();
        self.accounts.as_ref().map_or(Ok(()), |b| b.take(self.key(&[name.as_bytes()])))
    }

    /// Counts a page view from `source`.
    pub(crate) fn page(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.pages.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Counts an attempt to register a client from `source`.
    pub(crate) fn registration(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.registrations.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Forgets buckets that are full again. To be called each minute.
    pub(crate) fn prune(&self) {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner).clone();
        clients.values().for_each(|buckets| buckets.prune());
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, buckets| buckets.len() > 0);
        drop(clients);
        [&self.sign_in, &self.accounts, &self.lookups, &self.pages, &self.registrations]
            .into_iter()
            .flatten()
            .for_each(Buckets::prune);
        self.failures.iter().chain(&self.user_codes).for_each(Failures::prune);
    }

    fn of_clients(&self, rate: NonZeroU32) -> Buckets {
        let teller = self.exchange.as_ref().map(|own| own.teller(Kind::Client, rate));
        Buckets::within(MINUTE, rate, teller)
    }

    /// Eight bytes for names of any length; without the key nobody can choose to collide.
    fn key(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher;
        for part in parts {
            // The same at every node, whatever it runs on.
            hasher.write(&(part.len() as u64).to_be_bytes());
            hasher.write(part);
        }
        hasher.finish()
    }

    fn client_key(&self, id: &str, source: Option<IpAddr>) -> u64 {
        match source {
            None => self.key(&[id.as_bytes()]),
            Some(source) => self.key(&[id.as_bytes(), &self.source_key(source).to_be_bytes()]),
        }
    }

    fn source_key(&self, source: IpAddr) -> u64 {
        match source.to_canonical() {
            IpAddr::V4(address) => self.key(&[&address.octets()]),
            IpAddr::V6(address) => self.key(&[&address.octets()[..8]]),
        }
    }
}

fn hasher(key: &HmacKey) -> SipHasher13 {
    let tag = key.tag(&[b"buckets"]);
    let (half, _) = tag.split_at(16);
    let mut seed = [0; 16];
    seed.copy_from_slice(half);
    SipHasher13::new_with_key(&seed)
}

#[cfg(test)]
mod tests;
