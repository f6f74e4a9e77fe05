//! What was allowed, as the response type wants it: RFC 6749 §4.1.2 and §4.2.2, OpenID Connect
//! Core 1.0 §3.2.2.5 and §3.3.2.5.

use super::request::AuthorizationRequest;
use super::respond::AuthorizationResponse;
use crate::error::{Failure, Refusal};
use crate::id::{CodeId, RequestId};
use crate::model::{Code, Consent};
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::{Answer, Answered, Issued, SessionView};
use crate::time::Timestamp;
use crate::tokens::{Granted, IdToken, TokenResponse, issue, mint_id_token};

/// Answers the pending request, with the consent that was just given.
pub(super) async fn answer(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    answers: Option<RequestId>,
    session: &SessionView,
    consented: bool,
    now: Timestamp,
) -> Result<AuthorizationResponse, Failure> {
    let asked = request.response_type;
    let credential = asked.has_code().then(|| server.new_credential(Kind::Code));
    let code =
        credential.as_ref().map(|credential| code(server, request, session, credential, now));
    let code_text = credential.as_ref().map(Credential::reveal);
    let issued = asked.has_token().then(|| tokens(server, request, session, now)).transpose()?;
    let (tokens, token) = issued.unzip();
    let access = token.as_ref().map(|token| token.access_token.as_str());
    let id_token = match asked.has_id_token() {
        true => Some(id_token(server, request, session, (access, code_text.as_deref()), now)?),
        false => None,
    };
    let consent = consented.then(|| Consent {
        user: session.user.id,
        client_id: request.client.client_id.clone(),
        scope: request.scope_to_consent(),
        created_at: now,
        updated_at: now,
    });
    let answer = Answer { code, tokens };
    match server.store.answer_request(answer, answers, consent, now).await? {
        Answered::Done => Ok(request.return_to.success(server, pairs(code_text, token, id_token))),
        Answered::Gone => Err(Refusal::RequestGone {}.into()),
    }
}

fn code(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    session: &SessionView,
    credential: &Credential,
    now: Timestamp,
) -> Code {
    Code {
        id: CodeId(credential.id()),
        digest: credential.digest(),
        client_id: request.client.client_id.clone(),
        user: session.user.id,
        session: session.session.id,
        redirect_uri: request.return_to.uri().to_owned(),
        redirect_uri_given: request.redirect_uri_given,
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        challenge: request.challenge,
        authentication: session.session.authentication.clone(),
        created_at: now,
        expires_at: now.plus(server.policy.lifetimes.of(&request.client).code),
        redeemed_as: None,
    }
}

/// An access token that goes through the browser.
// RFC 6749 §4.2.2: a refresh token must not be issued.
fn tokens(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    session: &SessionView,
    now: Timestamp,
) -> Result<(Issued, TokenResponse), Failure> {
    let granted = Granted {
        client: &request.client,
        user: Some(&session.user),
        session: Some(session.session.id),
        authentication: Some(session.session.authentication.clone()),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        audience: request.resource.clone(),
        claims: request.claims.clone(),
        nonce: None,
        refresh: false,
        id_token: false,
    };
    issue(server, granted, now)
}

fn id_token(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    session: &SessionView,
    (access_token, code): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<String, Failure> {
    let alone = access_token.is_none() && code.is_none();
    let id_token = IdToken {
        client: &request.client,
        user: &session.user,
        authentication: &session.session.authentication,
        asked: &request.claims.id_token,
        nonce: request.nonce.as_deref(),
        access_token,
        code,
        with_scope: alone.then_some(&request.scope),
    };
    mint_id_token(server, &id_token, now)
}

fn pairs(
    code: Option<String>,
    token: Option<TokenResponse>,
    id_token: Option<String>,
) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::with_capacity(8);
    pairs.extend(code.map(|code| ("code", code)));
    if let Some(token) = token {
        pairs.push(("access_token", token.access_token));
        pairs.push(("token_type", token.token_type.into_owned()));
        let expires_in = token.expires_in.map(|own| ("expires_in", own.0.to_string()));
        pairs.extend(expires_in);
        pairs.push(("scope", token.scope.to_string()));
    }
    pairs.extend(id_token.map(|text| ("id_token", text)));
    pairs
}
