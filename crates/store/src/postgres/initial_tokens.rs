//! Initial access tokens: RFC 7591 §1.2; the table `initial_access_token`.

use grantor_core::id::InitialTokenId;
use grantor_core::model::InitialToken;
use grantor_core::secret::Digest;
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::Db;
use crate::columns::{single, values};
use crate::records::initial_tokens::{initial_token_columns, row, token};

const INSERT: &str = concat!(
    "INSERT INTO initial_access_token (",
    initial_token_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6)"
);

/// Whether the token lets somebody register a client at `now`.
pub(super) async fn allows(
    db: Db<'_>,
    (id, digest): (InitialTokenId, &Digest),
    now: Timestamp,
) -> Result<bool, Fault> {
    let allowed = db
        .one(
            "SELECT digest FROM initial_access_token
             WHERE id = $1 AND expires_at > $2 AND (uses_left IS NULL OR uses_left > 0)
             FOR UPDATE",
            &values![id.0, now],
            single::<Digest>,
        )
        .await?;
    Ok(allowed.is_some_and(|allowed| allowed == *digest))
}

/// Takes one of the uses of a token that has some left.
pub(super) async fn take_use(db: Db<'_>, id: InitialTokenId) -> Result<(), Fault> {
    let take = "UPDATE initial_access_token SET uses_left = uses_left - 1 WHERE id = $1";
    db.run(take, &values![id.0]).await.map(drop)
}

pub(super) async fn insert(db: Db<'_>, token: &InitialToken) -> Result<(), Fault> {
    db.run(INSERT, &row(token)).await.map(drop)
}

pub(super) async fn list(db: Db<'_>) -> Result<Vec<InitialToken>, Fault> {
    let all = concat!(
        "SELECT ",
        initial_token_columns!(""),
        " FROM initial_access_token ORDER BY created_at, id"
    );
    db.all(all, &[], token).await
}

pub(super) async fn remove(db: Db<'_>, id: InitialTokenId) -> Result<bool, Fault> {
    Ok(db.run("DELETE FROM initial_access_token WHERE id = $1", &values![id.0]).await? == 1)
}
