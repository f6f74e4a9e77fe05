//! A pending authorization request, picked up by one of its pages.

use axum::response::Response;
use grantor_core::authorize::{self, Resumed};
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::RequestId;
use grantor_core::params::Params;
use grantor_core::store::Bound;

use crate::endpoints::authorize::send;
use crate::extract::Form;
use crate::visit::{Visit, pending_id};

/// Picks up the request that the query of a page names.
pub(crate) async fn named_in(visit: &mut Visit, query: Option<&str>) -> Result<Resumed, Response> {
    let query = query.unwrap_or_default();
    match Params::parse(query.as_bytes()).and_then(|params| pending_id(&params)) {
        Ok(Some(id)) => pick_up(visit, id).await,
        Ok(None) | Err(_) => Err(visit.fail(Refusal::RequestGone {})),
    }
}

/// Picks up the request that a form is about, if it is our form for the person who is signed in,
/// and says what the form's button `name` was.
pub(crate) async fn answered_by(
    visit: &mut Visit,
    form: &Form,
    name: &str,
) -> Result<(Resumed, String), Response> {
    let read = form.params().and_then(|params| {
        let id = pending_id(&params)?.ok_or(Refusal::RequestGone {})?;
        visit.check_csrf(&params, &id.to_string(), true)?;
        Ok((id, params.get(name).unwrap_or_default().to_owned()))
    });
    match read {
        Ok((id, answer)) => Ok((pick_up(visit, id).await?, answer)),
        Err(refusal) => Err(visit.fail(refusal)),
    }
}

/// Ties the request to the browser of this visit and reads what it still needs. The error is the
/// answer that the browser gets instead of a page.
pub(crate) async fn pick_up(visit: &mut Visit, id: RequestId) -> Result<Resumed, Response> {
    match resume(visit, id).await {
        Ok(Ok(resumed)) => {
            visit.speak(&resumed.request);
            Ok(resumed)
        }
        Ok(Err(answer)) => Err(send(visit, &answer)),
        Err(failure) => Err(visit.fail(failure)),
    }
}

async fn resume(
    visit: &Visit,
    id: RequestId,
) -> Result<Result<Resumed, authorize::AuthorizationResponse>, Failure> {
    let (server, now) = (&visit.app.server, visit.caller.now);
    let pending = match server.store.bind_request(id, &visit.browser, now).await? {
        Bound::Done(pending) => pending,
        Bound::Foreign => return Err(Refusal::RequestOfOtherBrowser {}.into()),
        Bound::Gone => return Err(Refusal::RequestGone {}.into()),
    };
    authorize::resume(server, pending, visit.session.as_ref(), now).await
}
