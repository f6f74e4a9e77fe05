//! The person's calendar at Google, opened with a token that this application does not keep: it
//! shows its API key to the vault each time, and gets a fresh one, or a link by which the person
//! connects an account.

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Request, StatusCode};
use openidconnect::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::config::Calendar;
use crate::problem::{OAuthError, Problem};

/// What the calendar page needs to read.
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.readonly";

/// What the vault answers for a person.
pub(crate) enum Asked {
    Token(Box<Token>),
    /// There is no account, or none that works: why, as the vault's `error`.
    Connect(OAuthError),
}

/// A token for one call, and what the vault tells about it.
#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    access_token: String,
    /// Seconds.
    pub(crate) expires_in: Option<u64>,
    #[serde(default)]
    pub(crate) scope: String,
    pub(crate) connection_id: String,
    pub(crate) account: Account,
    /// Whether it was refreshed for this answer.
    #[serde(default)]
    pub(crate) refreshed: bool,
    /// There when refreshing fails and an older token still works.
    pub(crate) warning: Option<Value>,
}

/// The account at the provider.
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    sub: String,
    email: Option<String>,
}

impl Account {
    /// The address, or the provider's id where there is none.
    pub(crate) fn name(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.sub)
    }
}

/// What the calendar answered.
pub(crate) struct Calendars {
    pub(crate) status: StatusCode,
    pub(crate) names: Vec<String>,
}

/// A token for the person's account; a `new` one even if the vault has one that still works.
pub(crate) async fn token(app: &App, sub: &str, new: bool) -> Result<Asked, Problem> {
    let own = settings(app)?;
    let path = if new { "oauth/refresh" } else { "oauth/token" };
    let asked = json!({ "provider": own.integration, "subject": sub, "scopes": [SCOPE] });
    let answer = post(app, own, path, &asked).await?;
    match answer.status() {
        StatusCode::OK => {
            let token = serde_json::from_slice(answer.body()).map_err(|_| Problem::VaultWrong)?;
            Ok(Asked::Token(Box::new(token)))
        }
        // Not connected, not enough granted, or to be granted again: each is mended by the person.
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::FORBIDDEN => {
            Ok(Asked::Connect(error(&answer)))
        }
        _ => Err(refused(&answer)),
    }
}

/// Where to send the browser so that the person connects an account.
pub(crate) async fn connect(app: &App, sub: &str) -> Result<String, Problem> {
    let own = settings(app)?;
    let asked = json!({
        "integration": own.integration,
        "subject": sub,
        // The address is shown.
        "scopes": [SCOPE, "openid", "email"],
        "mode": "bound",
        "return_url": format!("{}calendar/connected", app.settings.base),
    });
    let answer = post(app, own, "connect/sessions", &asked).await?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match (answer.status().is_success(), body["connect_url"].as_str()) {
        (true, Some(url)) => Ok(url.to_owned()),
        (true, None) => Err(Problem::VaultWrong),
        (false, _) => Err(refused(&answer)),
    }
}

/// Confirms that whoever came back is the person who is signed in here: without that, a link could
/// be sent to somebody else, whose account would then be attached to the sender.
pub(crate) async fn complete(app: &App, sub: &str, code: &str) -> Result<(), Problem> {
    let own = settings(app)?;
    let asked = json!({ "connect_code": code, "subject": sub });
    let answer = post(app, own, "connect/complete", &asked).await?;
    if answer.status().is_success() { Ok(()) } else { Err(refused(&answer)) }
}

/// The names of the person's calendars.
pub(crate) async fn calendars(app: &App, token: &Token) -> Result<Calendars, Problem> {
    let own = settings(app)?;
    let request = Request::get(&own.api_url)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer(&token.access_token)?)
        .body(Vec::new())
        .map_err(|_| Problem::ApiAway)?;
    let answer = app.http.send(request).await.map_err(|error| {
        tracing::warn!(%error, "the calendar does not answer");
        Problem::ApiAway
    })?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let items = body["items"].as_array().into_iter().flatten();
    let names = items.filter_map(|item| item["summary"].as_str()).map(str::to_owned).collect();
    Ok(Calendars { status: answer.status(), names })
}

fn settings(app: &App) -> Result<&Calendar, Problem> {
    app.settings.config.calendar.as_ref().ok_or(Problem::NoCalendar)
}

async fn post(
    app: &App,
    own: &Calendar,
    path: &str,
    body: &Value,
) -> Result<HttpResponse, Problem> {
    let url = format!("{}/{path}", app.settings.config.issuer.trim_end_matches('/'));
    let request = Request::post(url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, bearer(own.api_key.expose())?)
        .body(body.to_string().into_bytes())
        .map_err(|_| Problem::VaultWrong)?;
    let answer = app.http.send(request).await.map_err(|error| {
        tracing::warn!(%error, "the vault does not answer");
        Problem::ProviderAway
    })?;
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(Problem::ProviderAway)
        }
        _ => Ok(answer),
    }
}

fn bearer(secret: &str) -> Result<HeaderValue, Problem> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {secret}")).map_err(|_| Problem::VaultWrong)?;
    value.set_sensitive(true);
    Ok(value)
}

fn error(answer: &HttpResponse) -> OAuthError {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let code = body["error"].as_str().unwrap_or("unknown_error");
    OAuthError::new(code, body["error_description"].as_str())
}

fn refused(answer: &HttpResponse) -> Problem {
    let error = error(answer);
    tracing::warn!(status = answer.status().as_u16(), ?error, "the vault refused");
    Problem::VaultRefused(error)
}
