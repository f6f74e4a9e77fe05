//! A code for what was allowed: RFC 6749 §4.1.2.

use super::request::AuthorizationRequest;
use super::respond::AuthorizationResponse;
use crate::error::{Failure, Refusal};
use crate::id::{CodeId, RequestId};
use crate::model::{Code, Consent};
use crate::secret::Kind;
use crate::server::AuthorizationServer;
use crate::store::{IssuedCode, SessionView};
use crate::time::Timestamp;

/// Issues a code and answers the pending request, with the consent that was just given.
pub(super) async fn code(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    answers: Option<RequestId>,
    session: &SessionView,
    consented: bool,
    now: Timestamp,
) -> Result<AuthorizationResponse, Failure> {
    let credential = server.new_credential(Kind::Code);
    let code = Code {
        id: CodeId(credential.id()),
        digest: credential.digest(),
        client_id: request.client.client_id.clone(),
        user: session.user.id,
        session: session.session.id,
        redirect_uri: request.return_to.uri().to_owned(),
        redirect_uri_given: request.redirect_uri_given,
        scope: request.scope.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        challenge: request.challenge,
        authentication: session.session.authentication.clone(),
        created_at: now,
        expires_at: now.plus(server.policy.lifetimes.of(&request.client).code),
        redeemed_as: None,
    };
    let consent = consented.then(|| Consent {
        user: session.user.id,
        client_id: request.client.client_id.clone(),
        scope: request.scope_to_consent(),
        created_at: now,
        updated_at: now,
    });
    match server.store.issue_code(code, answers, consent, now).await? {
        IssuedCode::Done => Ok(request.return_to.success(server, credential.reveal())),
        IssuedCode::Gone => Err(Refusal::RequestGone {}.into()),
    }
}
