//! Who a request is about: `id_token_hint` and the `sub` of the claims parameter
//! (OpenID Connect Core 1.0 §3.1.2.1, §5.5.1).

use super::claims::Claims;
use crate::error::Refusal;
use crate::id::UserId;
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// The person that must answer, if the request says so.
pub(super) fn subject(
    server: &AuthorizationServer,
    params: &Params<'_>,
    claims: &Claims,
    now: Timestamp,
) -> Result<Option<UserId>, Refusal> {
    let hinted = match params.get("id_token_hint") {
        Some(token) => Some(crate::tokens::read_hint(server, token, now)?.subject),
        None => None,
    };
    let claimed = claims.subject.as_deref().map(|sub| {
        let want = "the sub of the claims parameter is not one of this server";
        sub.parse().map_err(|_| Refusal::BadParameter { name: "claims", want })
    });
    match (hinted, claimed.transpose()?) {
        (Some(hinted), Some(claimed)) if hinted != claimed => {
            let want = "its subject differs from that of the claims parameter";
            Err(Refusal::BadParameter { name: "id_token_hint", want })
        }
        (hinted, claimed) => Ok(hinted.or(claimed)),
    }
}
