//! When a token is refreshed, and how long one waits after a refresh that failed.

use crate::model::Connection;
use crate::ports::Entropy;
use crate::time::{Seconds, Timestamp};
use crate::vault::RefreshPolicy;

/// A tenth of a token's life is kept in hand, within these bounds.
const LEAST_MARGIN: u32 = 30;
const MOST_MARGIN: u32 = 300;
/// The longest pause between two attempts.
const MOST_PAUSE: u32 = 900;
/// How long before its refresh token expires the operator is told; half of its life, if that is less.
const NOTICE: Seconds = Seconds::days(2);

/// How good an access token still is for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Good, and nothing to do.
    Fresh,
    /// Good, and time for another.
    Aging,
    /// Valid, but for less time than was asked for.
    Short,
    /// Expired.
    Over,
}

/// How good the access token of `connection` is for somebody who needs it for `min_ttl`.
pub fn age(connection: &Connection, min_ttl: Seconds, now: Timestamp) -> Age {
    let Some(expires_at) = connection.expires_at else {
        return Age::Fresh;
    };
    let life = connection.issued_at.until(expires_at);
    // Nobody can ask for so much that a token which has just come is not enough.
    let asked = min_ttl.min(Seconds(life.0 / 10 * 9));
    match now.until(expires_at) {
        Seconds(0) => Age::Over,
        left if left <= asked => Age::Short,
        left if left <= margin(life) => Age::Aging,
        _ => Age::Fresh,
    }
}

/// How much of a life is kept in hand: a tenth between half a minute and five minutes, and never
/// over a third of it.
fn margin(life: Seconds) -> Seconds {
    Seconds((life.0 / 10).clamp(LEAST_MARGIN, MOST_MARGIN).min(life.0 / 3))
}

/// How long to wait after `attempts` failed refreshes: anything from a second up to a bound that
/// doubles with each, at most a quarter of an hour (full jitter), so that many connections do not
/// come back at once.
pub(super) fn pause(attempts: u32, entropy: &dyn Entropy) -> Seconds {
    let most = 2u32.saturating_pow(attempts.clamp(1, 10)).min(MOST_PAUSE);
    Seconds(1 + below(most, entropy))
}

/// A number from 0 to `bound` - 1; 0 when the bound is.
pub(super) fn below(bound: u32, entropy: &dyn Entropy) -> u32 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u32::try_from(u64::from_be_bytes(bytes) % u64::from(bound.max(1))).unwrap_or_default()
}

/// What the sweeper finds to do at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Its access token ends soon, and may be asked for: to be renewed before somebody waits for it.
    Renew,
    /// Its refresh token would expire if it is not used.
    KeepAlive,
    /// Its refresh token expires soon, used or not: to be told.
    Tell,
    /// It cannot be refreshed any more, and its access token has expired, or it never could.
    End,
}

/// The moments at which something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agenda {
    /// From when on, and how long it may wait.
    renew: Option<(Timestamp, Seconds)>,
    keep_alive: Option<(Timestamp, Seconds)>,
    tell: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Agenda {
    /// Of a connection whose refresh token lives for `idle` without being used.
    pub(super) fn of(
        connection: &Connection,
        idle: Option<Seconds>,
        policy: &RefreshPolicy,
    ) -> Self {
        if !connection.refreshable {
            let end = connection.expires_at;
            return Self { renew: None, keep_alive: None, tell: None, end };
        }
        let renew = |end: Timestamp| {
            let margin = margin(connection.issued_at.until(end));
            (end.minus(Seconds(margin.0 * 2)), margin)
        };
        // Half of the time at most, however short it is.
        let keep_alive = |idle: Seconds| {
            let ahead = policy.keep_alive.min(Seconds(idle.0 / 2));
            (connection.refresh_used_at.plus(Seconds(idle.0 - ahead.0)), Seconds(ahead.0 / 2))
        };
        let rotates = connection.rotates == Some(true);
        let tell = |end: Timestamp| {
            let given = if rotates { connection.refresh_used_at } else { connection.connected_at };
            let at = end.minus(NOTICE.min(Seconds(given.until(end).0 / 2)));
            // One that each refresh replaces is no news before the refresh that should come first.
            let first = connection.expires_at.filter(|first| rotates && *first < end);
            first.map_or(at, |first| first.max(at))
        };
        Self {
            renew: connection.expires_at.map(renew),
            keep_alive: idle.map(keep_alive),
            tell: connection.refresh_expires_at.map(tell),
            end: connection.refresh_expires_at,
        }
    }

    /// What is to be done now. `due` is when the connection was to be looked at: that a refresh token
    /// ends soon is told once, by the first look since it is so. `used` says whether its access token
    /// was given out since it came.
    pub(super) fn task(&self, due: Option<Timestamp>, used: bool, now: Timestamp) -> Option<Task> {
        let come = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        match () {
            () if come(self.end) => Some(Task::End),
            () if come(self.tell) && due.is_some_and(|due| self.tell >= Some(due)) => {
                Some(Task::Tell)
            }
            () if come(self.keep_alive.map(|(at, _)| at)) => Some(Task::KeepAlive),
            () if come(self.renew.map(|(at, _)| at)) && used => Some(Task::Renew),
            () => None,
        }
    }

    /// When to look again for something that is to be done at `at`: no later than the end of the
    /// refresh token is to be told, if that was not due when it was looked at `before`.
    pub(super) fn no_later(&self, at: Timestamp, before: Timestamp) -> Timestamp {
        self.tell.filter(|tell| *tell > before).map_or(at, |tell| tell.min(at))
    }

    /// When to look next after `now`: refreshes are spread over the time that they may wait.
    pub(super) fn next(&self, now: Timestamp, entropy: &dyn Entropy) -> Option<Timestamp> {
        let exact = |at: Option<Timestamp>| at.map(|at| (at, Seconds(1)));
        let moments = [self.renew, self.keep_alive, exact(self.tell), exact(self.end)];
        // What has begun already was looked at now.
        let to_come = moments.into_iter().flatten().filter(|(at, _)| *at > now);
        to_come.map(|(at, room)| at.plus(Seconds(below(room.0, entropy)))).min()
    }
}

#[cfg(test)]
mod tests;
