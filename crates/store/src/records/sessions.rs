//! Signed-in browsers: the rows of `session`.

use grantor_core::id::{SessionId, UserId};
use grantor_core::model::Session;
use grantor_core::store::SessionView;

use super::users::user;
use crate::columns::{Columns, Unreadable, Value, authentication, values};

/// The columns of a session, those of the table that is named: `""`, or `"x."`.
macro_rules! session_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, digest, user_id, auth_time, method, amr, acr, created_at,
            last_seen_at, idle_expires_at, expires_at, user_agent, address
        )
    };
}
pub(crate) use session_columns;

/// What is bound for [`session_columns`].
pub(crate) fn row(session: &Session) -> [Value<'_>; 13] {
    let [auth_time, method, amr, acr] = authentication(Some(&session.authentication));
    values![
        session.id.0,
        session.digest,
        session.user.0,
        auth_time,
        method,
        amr,
        acr,
        session.created_at,
        session.last_seen_at,
        session.idle_expires_at,
        session.expires_at,
        &session.user_agent,
        &session.address,
    ]
}

/// Reads [`session_columns`] and the columns of an account.
pub(crate) fn view(columns: &mut Columns<'_>) -> Result<SessionView, Unreadable> {
    Ok(SessionView { session: session(columns)?, user: user(columns)? })
}

/// Reads [`session_columns`].
pub(crate) fn session(columns: &mut Columns<'_>) -> Result<Session, Unreadable> {
    Ok(Session {
        id: SessionId(columns.id()?),
        digest: columns.digest()?,
        user: UserId(columns.id()?),
        authentication: columns.authentication()?,
        created_at: columns.time()?,
        last_seen_at: columns.time()?,
        idle_expires_at: columns.time()?,
        expires_at: columns.time()?,
        user_agent: columns.value()?,
        address: columns.value()?,
    })
}
