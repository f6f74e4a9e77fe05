//! Access and refresh tokens: how long they live, and what ends them.
//! Google, "Refresh token expiration".

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::random;

use super::state::Behaviour;

const DAY: i64 = 24 * 60 * 60;
/// How long a refresh token lives while its project is in testing, in seconds.
pub(super) const TESTING_LIFETIME: i64 = 7 * DAY;
/// How long a refresh token may lie unused, in seconds: half a year.
const IDLE_LIFETIME: i64 = 182 * DAY;
/// Access tokens that are over are forgotten when there are this many.
const MANY: usize = 10_000;

/// The tokens that were issued.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: HashMap<String, Access>,
    /// With the dead ones, which Google tells from those that never were.
    refresh: HashMap<String, Refresh>,
    /// The live ones of a client and an account, the oldest first.
    live: HashMap<(String, String), VecDeque<String>>,
    swept_at: usize,
}

/// What an access token opens.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) client_id: String,
    pub(super) sub: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires_at: i64,
}

/// What a refresh token stands for.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) client_id: String,
    pub(super) sub: String,
    pub(super) scopes: BTreeSet<String>,
    /// Only while the project is in testing.
    pub(super) expires_at: Option<i64>,
    used_at: i64,
    dead: bool,
}

/// What becomes of a refresh token that was sent.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Alive(Refresh),
    /// Revoked, expired, idle for too long, or one too many.
    Dead,
    /// There never was such a token.
    Unknown,
}

impl Tokens {
    /// A new access token.
    pub(super) fn issue_access(
        &mut self,
        access: Access,
        now: i64,
        behaviour: &Behaviour,
    ) -> String {
        if self.access.len() >= self.swept_at.max(MANY) {
            self.access.retain(|_, own| now < own.expires_at);
            self.swept_at = self.access.len() * 2;
        }
        let token = match behaviour.largest_tokens {
            true => format!("ya29.{}", random::text(2043)),
            false => format!("ya29.a0A{}", random::text(213)),
        };
        self.access.insert(token.clone(), access);
        token
    }

    /// A new refresh token; the oldest of the same client and account makes room.
    pub(super) fn issue_refresh(
        &mut self,
        access: &Access,
        expires_at: Option<i64>,
        now: i64,
        behaviour: &Behaviour,
    ) -> String {
        let token = match behaviour.largest_tokens {
            true => format!("1//0{}", random::text(508)),
            false => format!("1//0{}", random::text(99)),
        };
        let Access { client_id, sub, scopes, .. } = access.clone();
        let live = self.live.entry((client_id.clone(), sub.clone())).or_default();
        let refresh = &mut self.refresh;
        live.retain(|own| refresh.get(own).is_some_and(|own| own.is_alive(now)));
        live.push_back(token.clone());
        while live.len() > behaviour.refresh_token_limit {
            let oldest = live.pop_front();
            if let Some(old) = oldest.and_then(|token| refresh.get_mut(&token)) {
                old.dead = true;
            }
        }
        let fresh = Refresh { client_id, sub, scopes, expires_at, used_at: now, dead: false };
        refresh.insert(token.clone(), fresh);
        token
    }

    /// What an access token opens, while it lives.
    pub(super) fn access(&self, token: &str, now: i64) -> Option<&Access> {
        self.access.get(token).filter(|own| now < own.expires_at)
    }

    /// What a refresh token stands for; looking does not count as use.
    pub(super) fn refresh(&self, token: &str, now: i64) -> Found {
        match self.refresh.get(token) {
            None => Found::Unknown,
            Some(own) if own.is_alive(now) => Found::Alive(own.clone()),
            Some(_) => Found::Dead,
        }
    }

    /// A refresh token was used: it may lie for half a year again.
    pub(super) fn touch(&mut self, token: &str, now: i64) {
        if let Some(own) = self.refresh.get_mut(token) {
            own.used_at = now;
        }
    }

    /// Ends all tokens of an account at a client.
    pub(super) fn revoke(&mut self, client_id: &str, sub: &str) {
        self.access.retain(|_, own| own.client_id != client_id || own.sub != sub);
        let live = self.live.remove(&(client_id.to_owned(), sub.to_owned()));
        for token in live.unwrap_or_default() {
            if let Some(own) = self.refresh.get_mut(&token) {
                own.dead = true;
            }
        }
    }

    /// Ends access tokens before their time: all, or those of an account.
    pub(super) fn end_access(&mut self, sub: Option<&str>) {
        self.access.retain(|_, own| sub.is_some_and(|sub| own.sub != sub));
    }

    /// The live refresh tokens of an account at a client, the oldest first.
    pub(super) fn live(&self, client_id: &str, sub: &str, now: i64) -> Vec<&str> {
        let all = self.live.get(&(client_id.to_owned(), sub.to_owned()));
        let is_alive =
            |token: &&String| self.refresh.get(*token).is_some_and(|own| own.is_alive(now));
        all.into_iter().flatten().filter(is_alive).map(String::as_str).collect()
    }
}

impl Refresh {
    fn is_alive(&self, now: i64) -> bool {
        let idle_until = self.used_at + IDLE_LIFETIME;
        !self.dead && now < idle_until && self.expires_at.is_none_or(|end| now < end)
    }
}
