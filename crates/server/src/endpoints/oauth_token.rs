//! `POST /oauth/token` and `POST /oauth/refresh`: a provider's token for a service that shows an API
//! key, or what has to be done to get one.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use grantor_core::error::{Failure, Refusal};
use grantor_core::model::ApiKeyAction;
use grantor_core::time::Timestamp;
use grantor_core::vault::ask::{self, Asked, Given, Warning};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::app::App;
use crate::extract::{Caller, members};
use crate::respond::{Rejection, json};
use crate::service::{self, Service};

/// How the body is read.
type Reader = fn(&Map<String, Value>) -> Result<Asked, Refusal>;

/// `POST /oauth/token`: the stored token while it is good, else a new one.
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    answer(&app, caller, request, Asked::token).await
}

/// `POST /oauth/refresh`: a new one.
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    answer(&app, caller, request, Asked::refresh).await
}

async fn answer(app: &App, caller: Caller, request: Request, read: Reader) -> Response {
    let (parts, body) = request.into_parts();
    let service = match Service::of(app, caller, &parts.headers).await {
        Ok(service) => service,
        Err(failure) => {
            ask::refused(&app.server, None, &failure);
            return service::answer(caller, Err(failure));
        }
    };
    let asked = match selected(app, &parts, body).await {
        Ok(members) => read(&members).map_err(Rejection::from),
        Err(rejection) => Err(rejection),
    };
    match asked {
        Ok(asked) => {
            let given = given(app, caller, &service, &asked).await;
            service::answer(caller, given.map(|given| json(StatusCode::OK, &Answer::of(&given))))
        }
        Err(rejection) => unread(app, caller, &service, rejection),
    }
}

/// The answer to a body that says nothing.
fn unread(app: &App, caller: Caller, service: &Service, rejection: Rejection) -> Response {
    let status = rejection.status();
    let failure = Failure::from(rejection.into_refusal());
    ask::refused(&app.server, Some(service.rights()), &failure);
    let mut response = service::answer(caller, Err(failure));
    *response.status_mut() = status;
    response
}

/// What the body says. A selector in the URL, which is not read, would be missing.
async fn selected(app: &App, parts: &Parts, body: Body) -> Result<Map<String, Value>, Rejection> {
    match parts.uri.query() {
        None | Some("") => members(&parts.headers, body, app).await,
        Some(_) => Err(Refusal::QueryUnread {}.into()),
    }
}

async fn given(
    app: &App,
    caller: Caller,
    service: &Service,
    asked: &Asked,
) -> Result<Given, Failure> {
    let (rights, actor) = (service.rights(), &service.actor);
    let by = ask::Caller { rights, action: ApiKeyAction::Token, actor, mode: None };
    ask::token(&app.server, asked, by, caller.now).await
}

/// What is answered.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    scope: &'a str,
    connection_id: String,
    provider: &'a str,
    account: Account<'a>,
    refreshed: bool,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "warning")]
    warning: Option<&'a Warning>,
}

/// Whose token it is.
#[derive(Serialize)]
struct Account<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(given: &'a Given) -> Self {
        let connection = &given.connection;
        Self {
            access_token: &given.access_token,
            token_type: &given.token_type,
            expires_in: given.expires_in(),
            expires_at: connection.expires_at.map(Timestamp::rfc3339),
            scope: connection.scope.as_str(),
            connection_id: connection.id.shown(),
            provider: &given.integration.provider.name,
            account: Account {
                sub: &connection.account.sub,
                email: connection.account.email.as_deref(),
            },
            refreshed: given.refreshed,
            warning: given.warning.as_ref(),
        }
    }
}

fn warning<S: Serializer>(own: &Option<&Warning>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written<'a> {
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempts: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    let (code, attempts, reason) = match own {
        Some(Warning::RefreshFailing { attempts }) => ("refresh_failing", Some(*attempts), None),
        Some(Warning::RefreshDelayed { reason }) => ("refresh_delayed", None, Some(*reason)),
        Some(Warning::ReauthRequired { reason }) => ("reauth_required", None, Some(*reason)),
        None => return to.serialize_none(),
    };
    Written { code, attempts, reason }.serialize(to)
}
