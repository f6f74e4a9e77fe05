//! Calling the protected API with the access token: RFC 6750 §2.1 and §3.1.

use std::sync::Arc;

use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderValue, Request, StatusCode};
use openidconnect::HttpResponse;
use serde_json::Value;

use crate::app::App;
use crate::problem::Problem;
use crate::refresh::{renewed, usable};
use crate::sessions::Session;
use crate::tokens::TokenSet;

/// What the API said, and whether the tokens had to be refreshed for it.
pub(crate) struct Called {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    pub(crate) refreshed: bool,
}

impl Called {
    /// The body as JSON, or as a JSON string where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| self.text().into())
    }

    /// The body for a person to read.
    pub(crate) fn pretty(&self) -> String {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) => format!("{value:#}"),
            Err(_) => self.text(),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Calls the API. A 401 is answered by one refresh and one more try, never by a loop.
pub(crate) async fn call(app: &Arc<App>, session: &Arc<Session>) -> Result<Called, Problem> {
    let before = session.record()?.refreshes;
    let record = usable(app, session).await?;
    let first = get(app, &record.tokens).await?;
    let called = |answer: HttpResponse, refreshes: u64| Called {
        status: answer.status(),
        refreshed: refreshes != before,
        body: answer.into_body(),
    };
    if first.status() != StatusCode::UNAUTHORIZED || record.tokens.refresh_token.is_none() {
        return Ok(called(first, record.refreshes));
    }
    match renewed(app, session, &record).await {
        Ok(newer) => Ok(called(get(app, &newer.tokens).await?, newer.refreshes)),
        Err(Problem::Ended) => Err(Problem::Ended),
        Err(_) => Ok(called(first, record.refreshes)),
    }
}

async fn get(app: &App, tokens: &TokenSet) -> Result<HttpResponse, Problem> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", tokens.access_token))
        .map_err(|_| Problem::ProviderWrong)?;
    bearer.set_sensitive(true);
    let request = Request::get(app.settings.protected_url.as_str())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer)
        .body(Vec::new())
        .map_err(|_| Problem::ApiAway)?;
    app.http.send(request).await.map_err(|error| {
        tracing::warn!(%error, "the API does not answer");
        Problem::ApiAway
    })
}
