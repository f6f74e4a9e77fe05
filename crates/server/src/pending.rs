//! A pending authorization request, picked up by one of its pages.

use axum::response::Response;
use grantor_core::authorize::{self, Resumed};
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::RequestId;
use grantor_core::store::Bound;

use crate::endpoints::authorize::send;
use crate::visit::Visit;

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
