//! The authorization endpoint: RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.
//!
//! A request is checked by the ordered list in `check`: first what makes it safe to send an
//! answer anywhere (client and redirect URI), then the rest, whose errors go back to the client.
//! `decide` says what is still missing: a sign-in, a choice, a consent, or nothing.

mod claims;
mod decide;
mod hint;
mod issue;
pub(crate) mod pkce;
mod prompt;
pub mod redirect_uri;
mod request;
mod respond;

use std::sync::Arc;

pub use decide::Need;
pub use prompt::Prompt;
pub use redirect_uri::ReturnTo;
pub use request::AuthorizationRequest;
pub use respond::{AuthorizationResponse, ResponseMode};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Broken, Failure, Refusal};
use crate::grants::scope;
use crate::id::RequestId;
use crate::jose::seal::Place;
use crate::model::{Client, PendingRequest};
use crate::params::Params;
use crate::resource;
use crate::secret::Digest;
use crate::server::AuthorizationServer;
use crate::store::SessionView;
use crate::time::Timestamp;

/// Where an authorization request goes next.
#[derive(Debug)]
pub enum Outcome {
    /// Back to the client, with a code or an error.
    Answer(AuthorizationResponse),
    /// To a page, which the person answers.
    Ask {
        /// What is missing; never [`Need::Nothing`].
        need: Need,
        /// The pending request.
        request: RequestId,
    },
}

/// Takes an authorization request as it arrives. A `Failure` is a page: nothing is known that
/// would make it safe to send the browser anywhere.
pub async fn begin(
    server: &AuthorizationServer,
    encoded: &str,
    session: Option<&SessionView>,
    browser: Option<&Digest>,
    without_cookies: bool,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let params = Params::parse(encoded.as_bytes())?;
    let request = match check(server, &params, now).await? {
        Ok(request) => request,
        Err(answer) => return Ok(Outcome::Answer(answer)),
    };
    // OpenID Connect Core 1.0 §3.1.2.1: a request may be posted. Posted from another site it comes
    // without cookies, and only the page that it is sent on to can tell who is signed in.
    let need = if without_cookies {
        Ok(Need::SignIn)
    } else {
        decide::need(server, &request, None, session, now).await
    };
    match need {
        Ok(Need::Nothing) => answer(server, &request, None, session, false, now).await,
        Ok(need) => Ok(match keep(server, encoded, browser, now).await {
            Ok(request) => Outcome::Ask { need, request },
            Err(failure) => Outcome::Answer(request.return_to.error(server, failure)),
        }),
        Err(failure) => Ok(Outcome::Answer(request.return_to.error(server, failure))),
    }
}

/// A pending request, read and checked again.
pub struct Resumed {
    /// The record.
    pub pending: PendingRequest,
    /// What it asks for.
    pub request: AuthorizationRequest,
    /// What is still missing.
    pub need: Need,
}

/// Goes on with a pending request on behalf of `browser`. An answer of error ends the request.
pub async fn resume(
    server: &AuthorizationServer,
    pending: PendingRequest,
    session: Option<&SessionView>,
    now: Timestamp,
) -> Result<Result<Resumed, AuthorizationResponse>, Failure> {
    let parameters = open(server, &pending)?;
    let params = Params::parse(&parameters)?;
    let request = match check(server, &params, now).await? {
        Ok(request) => request,
        Err(answer) => return end(server, pending.id, answer, now).await.map(Err),
    };
    match decide::need(server, &request, Some(&pending), session, now).await {
        Ok(need) => Ok(Ok(Resumed { pending, request, need })),
        Err(failure) => {
            let answer = request.return_to.error(server, failure);
            end(server, pending.id, answer, now).await.map(Err)
        }
    }
}

/// Answers a pending request that needs nothing more, or that the person has just `consented` to.
pub async fn finish(
    server: &AuthorizationServer,
    resumed: &Resumed,
    session: Option<&SessionView>,
    consented: bool,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let answers = Some(resumed.pending.id);
    answer(server, &resumed.request, answers, session, consented, now).await
}

/// Answers a pending request to which the person said no.
// RFC 6749 §4.1.2.1: access_denied
pub async fn deny(
    server: &AuthorizationServer,
    resumed: &Resumed,
    now: Timestamp,
) -> Result<AuthorizationResponse, Failure> {
    refuse(server, resumed, Refusal::Denied {}, now).await
}

/// Answers a pending request that cannot be met, and why.
pub async fn refuse(
    server: &AuthorizationServer,
    resumed: &Resumed,
    why: Refusal,
    now: Timestamp,
) -> Result<AuthorizationResponse, Failure> {
    let answer = resumed.request.return_to.error(server, why.into());
    end(server, resumed.pending.id, answer, now).await
}

/// What a pending request asks for; `None` when it is not good any more.
pub(crate) async fn read_pending(
    server: &AuthorizationServer,
    pending: &PendingRequest,
    now: Timestamp,
) -> Result<Option<AuthorizationRequest>, Failure> {
    let parameters = open(server, pending)?;
    let params = Params::parse(&parameters)?;
    Ok(check(server, &params, now).await?.ok())
}

/// The steps. Where a request may come from (a query, a form, later a pushed request or a request
/// object) is the caller's business; what it may ask is decided here, top to bottom.
async fn check(
    server: &AuthorizationServer,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<Result<AuthorizationRequest, AuthorizationResponse>, Failure> {
    // Until here a failure is a page …
    let client = known_client(server, params).await?;
    let (return_to, redirect_uri_given) = redirect_uri::resolve(&client, params)?;
    // … from here on it goes back to the client.
    let checked = (|| {
        params.refuse_any_doubled()?;
        request::refuse_objects(params)?;
        let response_type = request::response_type(&client, params)?;
        respond::check_mode(response_type, params)?;
        let scope = scope::requested(&server.policy, &client, params)?;
        let resource = resource::requested(&server.policy, params)?;
        resource::scope_for(&server.policy, &resource, &scope)?;
        let claims = claims::parse(params)?;
        Ok::<_, Failure>(AuthorizationRequest {
            challenge: pkce::check(&client, response_type, params)?,
            resource,
            prompt: prompt::parse(params)?,
            max_age: request::max_age(params)?,
            nonce: request::nonce(response_type, &scope, params)?,
            login_hint: request::text(params, "login_hint", 320)?,
            ui_locales: request::text(params, "ui_locales", 200)?,
            subject: hint::subject(server, params, &claims, now)?,
            acr_values: request::acr_values(params, &claims),
            claims: claims.requested,
            response_type,
            scope,
            redirect_uri_given,
            return_to: return_to.clone(),
            client,
        })
    })();
    Ok(checked.map_err(|failure| return_to.error(server, failure)))
}

async fn known_client(
    server: &AuthorizationServer,
    params: &Params<'_>,
) -> Result<Arc<Client>, Failure> {
    params.refuse_doubled("client_id")?;
    let client = server.store.client(params.required("client_id")?).await?;
    Ok(client.ok_or(Refusal::UnknownClient {})?)
}

async fn keep(
    server: &AuthorizationServer,
    encoded: &str,
    browser: Option<&Digest>,
    now: Timestamp,
) -> Result<RequestId, Failure> {
    let id = RequestId(server.new_id());
    let sealed = server.seal(encoded.as_bytes(), &place(&id))?;
    let pending = PendingRequest {
        id,
        parameters: URL_SAFE_NO_PAD.encode(sealed),
        browser: browser.copied(),
        account_chosen: false,
        created_at: now,
        expires_at: now.plus(server.policy.lifetimes.pending_request),
    };
    server.store.add_request(pending).await?;
    Ok(id)
}

/// The parameters of a pending request.
fn open(server: &AuthorizationServer, pending: &PendingRequest) -> Result<Vec<u8>, Failure> {
    let sealed = URL_SAFE_NO_PAD.decode(&pending.parameters);
    let sealed = sealed.map_err(|error| Broken::Corrupt(error.to_string()))?;
    Ok(server.ring.open(&sealed, &place(&pending.id))?.to_vec())
}

const fn place(id: &RequestId) -> Place<'_> {
    Place { table: "pending_request", column: "parameters", row: id.0.as_bytes() }
}

async fn answer(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    answers: Option<RequestId>,
    session: Option<&SessionView>,
    consented: bool,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let Some(session) = session else {
        return Err(Refusal::SignInNeeded {}.into());
    };
    match issue::answer(server, request, answers, session, consented, now).await {
        Ok(answer) => Ok(Outcome::Answer(answer)),
        // Whoever answered first has sent the browser back; a second answer would not be taken.
        Err(Failure::Refused(refusal)) => Err(refusal.into()),
        Err(broken @ Failure::Broken(_)) => {
            Ok(Outcome::Answer(request.return_to.error(server, broken)))
        }
    }
}

async fn end(
    server: &AuthorizationServer,
    id: RequestId,
    answer: AuthorizationResponse,
    now: Timestamp,
) -> Result<AuthorizationResponse, Failure> {
    if server.store.take_request(id, now).await? {
        Ok(answer)
    } else {
        Err(Refusal::RequestGone {}.into())
    }
}
