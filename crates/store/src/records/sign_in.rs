//! Sign-ins by admin token that are half done: the rows of `sign_in_attempt`.

use grantor_core::id::{AttemptId, RequestId};
use grantor_core::model::SignInAttempt;
use grantor_core::secret::Digest;
use grantor_core::store::AttemptLimits;
use grantor_core::time::{Seconds, Timestamp};

use crate::columns::{Columns, Unreadable, Value, values};

const HOUR: Seconds = Seconds::hours(1);

/// The columns of an attempt, those of the table that is named: `""`, or `"x."`.
macro_rules! sign_in_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, request_id, browser, email, token, tries_left, created_at,
            expires_at
        )
    };
}
pub(crate) use sign_in_columns;

/// What is bound for [`sign_in_columns`].
pub(crate) fn row(attempt: &SignInAttempt) -> [Value<'_>; 8] {
    values![
        attempt.id.0,
        attempt.request.map(|request| request.0),
        attempt.browser,
        &attempt.email,
        attempt.token,
        attempt.tries_left,
        attempt.created_at,
        attempt.expires_at,
    ]
}

/// Attempts that were made at this moment or before do not count towards the limits.
pub(crate) fn forgotten(limits: AttemptLimits, now: Timestamp) -> Timestamp {
    now.minus(HOUR.max(limits.pause))
}

/// When an address may ask again, if that is not now. `asked` is when it has, the latest first, as
/// many as it may in an hour, but one at least.
pub(crate) fn must_wait(
    asked: &[Timestamp],
    limits: AttemptLimits,
    now: Timestamp,
) -> Option<Timestamp> {
    let after_pause = asked.first().map(|last| last.plus(limits.pause));
    let full = asked.len() >= usize::try_from(limits.per_hour).unwrap_or(usize::MAX);
    let after_hour = asked.last().filter(|_| full).map(|first| first.plus(HOUR));
    let none_at_all = (limits.per_hour == 0).then(|| now.plus(HOUR));
    let until = after_pause.into_iter().chain(after_hour).chain(none_at_all).max();
    until.filter(|until| now < *until)
}

/// Whether the attempt is one of this browser and can still be tried.
pub(crate) fn is_alive(attempt: &SignInAttempt, browser: &Digest, now: Timestamp) -> bool {
    attempt.browser == *browser && attempt.tries_left > 0 && now < attempt.expires_at
}

/// Reads [`sign_in_columns`].
pub(crate) fn attempt(columns: &mut Columns<'_>) -> Result<SignInAttempt, Unreadable> {
    Ok(SignInAttempt {
        id: AttemptId(columns.id()?),
        request: columns.optional_id()?.map(RequestId),
        browser: columns.digest()?,
        email: columns.value()?,
        token: columns.digest()?,
        tries_left: columns.value()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
