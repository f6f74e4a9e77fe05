//! What is still missing before a request can be answered: OpenID Connect Core 1.0 §3.1.2.3, §3.1.2.4.

use super::prompt::Prompt;
use super::request::AuthorizationRequest;
use crate::error::{Failure, Refusal};
use crate::model::{PendingRequest, UserStatus};
use crate::server::AuthorizationServer;
use crate::signin;
use crate::store::SessionView;
use crate::time::Timestamp;

/// The page that a person must answer next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// None: a code can be issued.
    Nothing,
    /// The sign-in page.
    SignIn,
    /// The choice of an account.
    SelectAccount,
    /// The consent page.
    Consent,
}

/// Asks in order: who is it, which account, is it allowed. An error means that the request cannot
/// be met, because it forbids the page that would be needed.
pub(super) async fn need(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    pending: Option<&PendingRequest>,
    session: Option<&SessionView>,
    now: Timestamp,
) -> Result<Need, Failure> {
    // OpenID Connect Core 1.0 §3.1.2.1: somebody else signed in than the hint names.
    if let Some(view) = session.filter(|view| signed_in_since(pending, view))
        && request.subject.is_some_and(|subject| subject != view.user.id)
    {
        return Err(Refusal::OtherPerson {}.into());
    }
    let Some(session) = session.filter(|view| signs_in(server, request, pending, view, now)) else {
        if request.prompt.none {
            return Err(who_refusal(request, session).into());
        }
        if signin::offered(server, Some(request)).is_empty() {
            return Err(Refusal::NoMethodLeft {}.into());
        }
        return Ok(Need::SignIn);
    };
    if wants_choice(request.prompt, pending, session) {
        return Ok(Need::SelectAccount);
    }
    if request.prompt.consent {
        return Ok(Need::Consent);
    }
    let consent = server.store.consent(session.user.id, &request.client.client_id).await?;
    let asked = request.scope_to_consent();
    let covers = consent.is_some_and(|given| asked.first_outside(&given.scope).is_none());
    if covers && identity_is_assured(request) {
        return Ok(Need::Nothing);
    }
    if request.prompt.none {
        return Err(Refusal::ConsentNeeded {}.into());
    }
    Ok(Need::Consent)
}

/// RFC 8252 §8.6, RFC 6749 §10.2: any program on the machine can take the name of a public client
/// that listens on loopback or has a scheme of its own, so a person is asked each time.
fn identity_is_assured(request: &AuthorizationRequest) -> bool {
    !request.client.is_public() || request.return_to.uri().starts_with("https:")
}

/// Whether the session is one that this request takes.
fn signs_in(
    server: &AuthorizationServer,
    request: &AuthorizationRequest,
    pending: Option<&PendingRequest>,
    view: &SessionView,
    now: Timestamp,
) -> bool {
    let signed_in_for_this = signed_in_since(pending, view);
    let authentication = &view.session.authentication;
    let age = authentication.auth_time.until(now);
    let oldest = [request.max_age, request.client.lifetimes.session].into_iter().flatten().min();
    // OpenID Connect Core 1.0 §3.1.2.1: an older sign-in than max_age must be renewed.
    let fresh = signed_in_for_this || oldest.is_none_or(|oldest| age <= oldest);
    // OpenID Connect Core 1.0 §3.1.2.1: prompt=login asks for a new sign-in.
    let asked_again = request.prompt.login && !signed_in_for_this;
    view.user.status == UserStatus::Active
        && request.subject.is_none_or(|subject| subject == view.user.id)
        && signin::accepts(server, request, authentication.method)
        && fresh
        && !asked_again
}

fn wants_choice(prompt: Prompt, pending: Option<&PendingRequest>, view: &SessionView) -> bool {
    let chosen = pending.is_some_and(|pending| pending.account_chosen);
    prompt.select_account && !chosen && !signed_in_since(pending, view)
}

fn signed_in_since(pending: Option<&PendingRequest>, view: &SessionView) -> bool {
    // Ids are ordered by millisecond, finer than auth_time.
    pending.is_some_and(|pending| view.session.id.0 > pending.id.0)
}

fn who_refusal(request: &AuthorizationRequest, session: Option<&SessionView>) -> Refusal {
    match session {
        Some(view) if request.subject.is_some_and(|subject| subject != view.user.id) => {
            Refusal::OtherPerson {}
        }
        _ => Refusal::SignInNeeded {},
    }
}
