//! Initial access tokens: RFC 7591 §1.2; the table `initial_access_token`.

use grantor_core::id::InitialTokenId;
use grantor_core::model::InitialToken;
use grantor_core::secret::Digest;
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::initial_tokens::{initial_token_columns, row, token};

/// Whether the token lets somebody register a client at `now`.
pub(super) fn allows(
    db: &Db<'_>,
    (id, digest): (InitialTokenId, &Digest),
    now: Timestamp,
) -> Result<bool, Fault> {
    let allowed = db.one(
        "SELECT digest FROM initial_access_token
         WHERE id = ?1 AND expires_at > ?2 AND (uses_left IS NULL OR uses_left > 0)",
        params![bytes(&id.0), now.epoch()],
        |columns| Ok(columns.digest()? == *digest),
    )?;
    Ok(allowed.unwrap_or(false))
}

/// Takes one of the uses of a token that has some left.
pub(super) fn take_use(db: &Db<'_>, id: InitialTokenId) -> Result<(), Fault> {
    let take = "UPDATE initial_access_token SET uses_left = uses_left - 1 WHERE id = ?1";
    db.run(take, [bytes(&id.0)]).map(drop)
}

pub(super) fn insert(db: &Db<'_>, token: &InitialToken) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO initial_access_token (",
            initial_token_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?)"
        ),
        bound(row(token)),
    )?;
    Ok(())
}

pub(super) fn list(db: &Db<'_>) -> Result<Vec<InitialToken>, Fault> {
    db.all(
        concat!(
            "SELECT ",
            initial_token_columns!(""),
            " FROM initial_access_token ORDER BY created_at, id"
        ),
        (),
        token,
    )
}

pub(super) fn remove(db: &Db<'_>, id: InitialTokenId) -> Result<bool, Fault> {
    Ok(db.run("DELETE FROM initial_access_token WHERE id = ?1", [bytes(&id.0)])? == 1)
}
