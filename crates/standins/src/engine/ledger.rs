//! What a provider remembers: codes, grants, and the tokens that came from them.
//!
//! Nothing is ever deleted, so that a token that is over can still say why.

use std::collections::HashMap;

use super::lives::{Again, Life, Lives, Once, Rotation};
use super::people::Person;
use super::request::Fields;
use crate::random;

/// One provider's memory.
#[derive(Default)]
pub(crate) struct Ledger {
    grants: Vec<Grant>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

/// What a person allowed, once.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: usize,
    /// Nobody, where the client asked for itself.
    pub(crate) person: Option<&'static Person>,
    pub(crate) scopes: Vec<String>,
    /// The parameters of the authorization request.
    pub(crate) asked: Fields,
    /// The variables of the URL that was called, such as a tenant.
    pub(crate) vars: Fields,
    /// Where the provider was called, without a slash at the end.
    pub(crate) base: String,
    /// What its access tokens begin with, where that is not the same for all.
    pub(crate) prefix: Option<&'static str>,
    pub(crate) ended: bool,
}

struct Code {
    grant: usize,
    until: i64,
    used: bool,
}

struct Access {
    grant: usize,
    until: Option<i64>,
    ended: bool,
}

struct Refresh {
    grant: usize,
    until: Option<i64>,
    used_at: Option<i64>,
    /// The access token that was issued with it.
    access: String,
    /// What it was exchanged for.
    next: Option<Tokens>,
}

/// What an answer of the token endpoint gives; times are seconds from the moment of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) access_until: Option<i64>,
    pub(crate) refresh: Option<String>,
    pub(crate) refresh_until: Option<i64>,
}

/// Why a code or a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dead {
    Unknown,
    Expired,
    /// Used before, and that was once too often.
    Used,
    /// The person or somebody with the token took the grant back.
    Revoked,
}

impl Ledger {
    /// Remembers what a person allowed. Whoever has more grants than `most` loses the oldest.
    pub(crate) fn grant(&mut self, mut grant: Grant, most: Option<usize>) -> usize {
        grant.id = self.grants.len();
        let (id, person) = (grant.id, grant.person.map(|person| person.key));
        self.grants.push(grant);
        let alive = self.grants.iter().filter(|one| !one.ended).filter(|one| one.person_is(person));
        let alive: Vec<usize> = alive.map(|one| one.id).collect();
        if let Some(most) = most.filter(|most| alive.len() > *most) {
            for old in &alive[..alive.len() - most] {
                self.grants[*old].ended = true;
            }
        }
        id
    }

    pub(crate) fn code(&mut self, grant: usize, now: i64, lives: &Lives) -> String {
        let code = made(lives.prefixes.code);
        self.codes.insert(code.clone(), Code { grant, until: now + lives.code, used: false });
        code
    }

    /// Looks a code up without using it.
    pub(crate) fn see_code(&self, code: &str, now: i64) -> Result<Grant, Dead> {
        let known = self.codes.get(code).ok_or(Dead::Unknown)?;
        match (known.used, known.until <= now) {
            (true, _) => Err(Dead::Used),
            (false, true) => Err(Dead::Expired),
            (false, false) => Ok(self.grants[known.grant].clone()),
        }
    }

    /// Uses a code up, whether what is asked with it succeeds or not.
    pub(crate) fn spend_code(&mut self, code: &str) {
        if let Some(known) = self.codes.get_mut(code) {
            known.used = true;
        }
    }

    /// Ends what was given for a code.
    pub(crate) fn end_grant_of_code(&mut self, code: &str) {
        if let Some(known) = self.codes.get(code) {
            self.grants[known.grant].ended = true;
        }
    }

    /// Makes tokens for a grant: the first ones, or new ones.
    pub(crate) fn issue(&mut self, grant: usize, now: i64, lives: &Lives, asked: Asked) -> Tokens {
        let access_until = match lives.access {
            Life::Forever => None,
            Life::Seconds(seconds) => Some(now + seconds),
            Life::Asked => asked.access.map(|seconds| now + seconds),
        };
        let refresh = asked.refresh.then(|| made(lives.prefixes.refresh));
        let refresh_until = match (lives.refresh, asked.refresh_life) {
            (Life::Seconds(seconds), None) => Some(now + seconds),
            (Life::Seconds(_) | Life::Asked, Some(seconds)) => Some(now + seconds),
            (Life::Asked, None) | (Life::Forever, _) => None,
        };
        let tokens = Tokens {
            access: made(self.grants[grant].prefix.unwrap_or(lives.prefixes.access)),
            access_until,
            refresh,
            refresh_until,
        };
        self.remember(grant, &tokens);
        tokens
    }

    fn remember(&mut self, grant: usize, tokens: &Tokens) {
        let access = Access { grant, until: tokens.access_until, ended: false };
        self.access.insert(tokens.access.clone(), access);
        if let Some(refresh) = &tokens.refresh {
            let until = tokens.refresh_until;
            let known =
                Refresh { grant, until, used_at: None, access: tokens.access.clone(), next: None };
            self.refresh.insert(refresh.clone(), known);
        }
    }

    /// Looks a refresh token up without using it. `Dead::Used` ends the family where the provider
    /// does that.
    pub(crate) fn see_refresh(
        &mut self,
        refresh: &str,
        now: i64,
        lives: &Lives,
    ) -> Result<Grant, Dead> {
        let known = self.refresh.get(refresh).ok_or(Dead::Unknown)?;
        let grant = &mut self.grants[known.grant];
        if grant.ended {
            return Err(Dead::Revoked);
        }
        if let (Some(used_at), Rotation::Once(once)) = (known.used_at, lives.rotation)
            && now >= used_at + once.grace
        {
            grant.ended |= once.reuse_ends_family;
            return Err(Dead::Used);
        }
        match known.until.is_some_and(|until| until <= now) {
            true => Err(Dead::Expired),
            false => Ok(grant.clone()),
        }
    }

    /// Refreshes with a token that [`Ledger::see_refresh`] found good at the same moment.
    pub(crate) fn refresh(
        &mut self,
        refresh: &str,
        now: i64,
        lives: &Lives,
        mut asked: Asked,
    ) -> Option<Tokens> {
        let known = self.refresh.get_mut(refresh)?;
        let grant = known.grant;
        if let (Rotation::Once(once), Some(next)) = (lives.rotation, &known.next)
            && once.again == Again::SameTokens
        {
            return Some(next.clone());
        }
        let used_at = *known.used_at.get_or_insert(now);
        asked.refresh = matches!(lives.rotation, Rotation::Once(_) | Rotation::Fresh);
        if let (Life::Seconds(seconds), true) = (lives.refresh, lives.idle) {
            known.until = Some(now + seconds);
        }
        let until = known.until;
        if let Rotation::Once(Once { ends_access: true, grace, .. }) = lives.rotation
            && let Some(access) = self.access.get_mut(&known.access)
        {
            access.end_by(used_at + grace, now);
        }
        let mut tokens = self.issue(grant, now, lives, asked);
        if !lives.renews {
            tokens.refresh_until = until;
            self.remember(grant, &tokens);
        }
        if lives.rotation == Rotation::Repeats {
            (tokens.refresh, tokens.refresh_until) = (Some(refresh.to_owned()), until);
        }
        let known = self.refresh.get_mut(refresh)?;
        known.next.get_or_insert_with(|| tokens.clone());
        Some(tokens)
    }

    /// Whose access token this is.
    pub(crate) fn open(&self, access: &str, now: i64) -> Result<Grant, Dead> {
        let known = self.access.get(access).ok_or(Dead::Unknown)?;
        let grant = &self.grants[known.grant];
        match (known.ended || grant.ended, known.until.is_some_and(|until| until <= now)) {
            (true, _) => Err(Dead::Revoked),
            (false, true) => Err(Dead::Expired),
            (false, false) => Ok(grant.clone()),
        }
    }

    /// Until when an access token is good; nothing where it never ends.
    pub(crate) fn access_until(&self, access: &str) -> Option<i64> {
        self.access.get(access).and_then(|known| known.until)
    }

    /// Ends the grant behind a token of either kind; `false` where there is none, or none any more.
    pub(crate) fn end_grant_of(&mut self, token: &str) -> bool {
        let access = self.access.get(token).filter(|known| !known.ended).map(|known| known.grant);
        let grant = access.or_else(|| self.refresh.get(token).map(|known| known.grant));
        match grant.map(|grant| &mut self.grants[grant]).filter(|grant| !grant.ended) {
            Some(grant) => {
                grant.ended = true;
                true
            }
            None => false,
        }
    }

    /// Ends one access token and nothing else.
    pub(crate) fn end_access(&mut self, token: &str, now: i64) -> bool {
        match self.open(token, now).is_ok() {
            true => self.access.get_mut(token).is_some_and(|known| {
                known.ended = true;
                true
            }),
            false => false,
        }
    }

    /// Whether this is a refresh token that was ever issued.
    pub(crate) fn is_refresh(&self, token: &str) -> bool {
        self.refresh.contains_key(token)
    }

    /// Every grant, ended or not.
    pub(crate) fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    /// The refresh tokens of a grant that are good for a first use.
    pub(crate) fn live_refresh_tokens(&self, grant: usize, now: i64) -> impl Iterator<Item = &str> {
        let own = self.refresh.iter().filter(move |(_, known)| known.grant == grant);
        let fresh = own.filter(move |(_, known)| known.until.is_none_or(|until| now < until));
        fresh.filter(|(_, known)| known.used_at.is_none()).map(|(token, _)| token.as_str())
    }

    /// Ends the access tokens of a person, or of everybody, and nothing else.
    pub(crate) fn end_access_of_person(&mut self, person: Option<&str>) {
        for access in self.access.values_mut() {
            access.ended |= person.is_none() || self.grants[access.grant].person_is(person);
        }
    }

    /// Ends every grant of a person, or of everybody; answers how many.
    pub(crate) fn end_person(&mut self, person: Option<&str>) -> usize {
        let theirs = |grant: &&mut Grant| person.is_none() || grant.person_is(person);
        let mut ended = 0;
        for grant in self.grants.iter_mut().filter(theirs).filter(|grant| !grant.ended) {
            grant.ended = true;
            ended += 1;
        }
        ended
    }
}

impl Access {
    /// Ends at this time, if it would live longer.
    fn end_by(&mut self, time: i64, now: i64) {
        self.ended |= time <= now;
        self.until = Some(self.until.map_or(time, |until| until.min(time)));
    }
}

impl Grant {
    fn person_is(&self, key: Option<&str>) -> bool {
        self.person.map(|person| person.key) == key
    }

    /// Whether this scope was granted.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// What the request behind new tokens decides about them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// Whether a refresh token belongs to it.
    pub(crate) refresh: bool,
    /// The lifetime of the access token, in seconds, where the request may say.
    pub(crate) access: Option<i64>,
    /// The lifetime of the refresh token, likewise.
    pub(crate) refresh_life: Option<i64>,
}

/// A prefix and 240 random bits.
fn made(prefix: &str) -> String {
    format!("{prefix}{}", random::text(40))
}
