//! Signing in: to the provider and back. RFC 6749 §4.1, RFC 9207, OpenID Connect Core §3.1.2.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use url::form_urlencoded;

use crate::app::App;
use crate::browser::{Cookie, on_wrong_name};
use crate::flow::random_secret;
use crate::problem::{OAuthError, Problem};
use crate::provider::Asked;

/// The longest value that is passed on to the provider, in bytes.
const MAX_VALUE: usize = 256;
const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];

/// `GET /signin[?prompt=…&login_hint=…&acr_values=…&max_age=…]`
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    if on_wrong_name(&headers, &app.settings) {
        let here = format!("{}signin?{query}", app.settings.base);
        return Ok(Redirect::to(here.trim_end_matches('?')).into_response());
    }
    let (url, state, pending) = app.provider.authorize(asked(&query)?).await?;
    let browser = match Cookie::Browser.read(&headers, &app.settings) {
        Some(browser) => browser.to_owned(),
        None => random_secret()?,
    };
    app.flows.begin(&state, &browser, pending);
    let cookie = (header::SET_COOKIE, Cookie::Browser.set(&browser, &app.settings));
    Ok((AppendHeaders([cookie]), Redirect::to(url.as_str())).into_response())
}

/// `GET /callback`: the authorization response.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = once_each(query.as_deref().unwrap_or_default()).ok_or(Problem::BadCallback)?;
    let part = |name: &str| answer.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let state = part("state").ok_or(Problem::BadCallback)?;
    let pending = app.flows.take(state, Cookie::Browser.read(&headers, &app.settings))?;
    app.provider.check_sender(part("iss")).await?;
    if let Some(error) = part("error") {
        return Err(Problem::SignInRefused(OAuthError::new(error, part("error_description"))));
    }
    let code = part("code").ok_or(Problem::BadCallback)?;
    let (person, tokens) = app.provider.redeem(code, pending).await?;
    forget_earlier(&app, &headers).await;
    let id = app.sessions.begin(person, tokens).await?;
    let cookie = (header::SET_COOKIE, Cookie::Session.set(&id, &app.settings));
    Ok((AppendHeaders([cookie]), Redirect::to("/")).into_response())
}

/// A sign-in replaces the one that this browser had before.
async fn forget_earlier(app: &Arc<App>, headers: &HeaderMap) {
    if let Ok(earlier) = super::session(app, headers).await {
        super::signout::forget(app.clone(), earlier).await;
    }
}

fn asked(query: &str) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    for (name, value) in once_each(query).ok_or(Problem::BadParameter("that is there twice"))? {
        let (name, fits) = match name.as_str() {
            "prompt" => ("prompt", value.split(' ').all(|prompt| PROMPTS.contains(&prompt))),
            "login_hint" => ("login_hint", value.len() <= MAX_VALUE),
            "acr_values" => ("acr_values", value.len() <= MAX_VALUE),
            "max_age" => {
                asked.max_age = value.parse::<u32>().ok().map(u64::from);
                ("max_age", asked.max_age.is_some())
            }
            // RFC 6749 §3.1: what is not known is ignored; nothing else is passed on.
            _ => continue,
        };
        if !fits {
            return Err(Problem::BadParameter(name));
        }
        asked.passed_on.push((name, value));
    }
    Ok(asked)
}

// RFC 6749 §3.1: parameters must not be included more than once.
fn once_each(query: &str) -> Option<HashMap<String, String>> {
    let mut parts = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if parts.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_and_sane_parameters_are_passed_on() {
        let good = asked("prompt=login+consent&login_hint=a%40b&redirect_uri=x&max_age=60");
        let good = good.expect("sane");
        assert_eq!((good.passed_on.len(), good.max_age), (3, Some(60)));
        for bad in ["prompt=evil", "max_age=-1", "prompt=login&prompt=none", "max_age=x"] {
            assert!(asked(bad).is_err(), "{bad}");
        }
        assert!(asked(&format!("login_hint={}", "a".repeat(300))).is_err());
    }
}
