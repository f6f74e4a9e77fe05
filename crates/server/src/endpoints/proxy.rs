//! `/proxy/{integration}/{path}`: calls of a provider's API, with a token that the caller never sees.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::extract::Caller;
use crate::proxy::{self, Stopped};
use crate::service::{self, Service};

/// Passes a call on, whatever its method.
pub(crate) async fn pass(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    match answer(&app, caller, request).await {
        Ok(response) => response,
        Err(Stopped::Rejected(rejection)) => rejection.into_response(),
        Err(Stopped::Failed(failure)) => service::answer(caller, Err(failure)),
    }
}

async fn answer(app: &Arc<App>, caller: Caller, request: Request) -> Result<Response, Stopped> {
    let service = Service::of(app, caller, request.headers()).await?;
    proxy::pass(app, &service, request, caller.now).await
}
