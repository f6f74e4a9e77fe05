//! The service behind a request: its API key.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::model::{ApiKey, ApiKeyRights};
use grantor_core::vault::api_key;
use grantor_core::vault::audit::Actor;

use crate::app::App;
use crate::authenticate::throttled;
use crate::extract::{Caller, authorization};
use crate::respond::{ApiError, Challenge};

/// A service that has shown a key that works.
pub(crate) struct Service {
    /// The key.
    pub(crate) key: Arc<ApiKey>,
    /// What the audit log calls it.
    pub(crate) actor: Actor,
}

impl Service {
    /// Finds out which service calls. A key that works is let through from everywhere: many services
    /// may share an address, and one of them with a dead key must not stop the others. Attempts that
    /// fail are counted per source and answered 429 when there are too many. Each costs the read of
    /// one record at most, and 256 random bits are not found by trying.
    pub(crate) async fn of(
        app: &App,
        caller: Caller,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let presented = api_key::presented(authorization(headers))?;
        let found = api_key::authenticate(&app.server, presented, caller.now).await;
        if let Err(Failure::Refused(refusal)) = &found
            && refusal.is_failed_authentication()
        {
            app.limits.client_auth(caller.source).map_err(throttled)?;
            app.limits.client_auth_failed(caller.source);
        }
        let key = found?;
        let actor = caller.actor(format!("api_key:{}", key.id));
        Ok(Self { key, actor })
    }

    /// What it may do.
    pub(crate) fn rights(&self) -> &ApiKeyRights {
        &self.key.rights
    }
}

impl Caller {
    /// Who calls, for the audit log.
    pub(crate) fn actor(self, name: String) -> Actor {
        let address = Some(self.source.to_string());
        Actor { name, address, request_id: Some(self.request_id.to_string()) }
    }
}

/// The answer to a service, or why there is none: who lacks a key is asked for one (RFC 6750 §3).
pub(crate) fn answer(caller: Caller, answered: Result<Response, Failure>) -> Response {
    answered.unwrap_or_else(|failure| {
        let challenge = match &failure {
            Failure::Refused(refusal) if refusal.code().status() == 401 => Challenge::Bearer,
            Failure::Refused(_) | Failure::Broken(_) => Challenge::None,
        };
        ApiError::new(failure, challenge, caller.request_id).into_response()
    })
}
