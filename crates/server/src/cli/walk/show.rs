//! How the walk prints a step: the request, then the answer, secrets cut short.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::http::Answer;
use crate::cli::output::say;

/// Counts the steps.
#[derive(Default)]
pub(super) struct Show {
    step: u32,
}

impl Show {
    pub(super) fn title(&mut self, text: &str) {
        self.step += 1;
        say(&format!("\n{:>2}. {text}\n", self.step));
    }

    pub(super) fn exchange(
        &self,
        verb: &str,
        path: &str,
        form: &[(&str, String)],
        answer: &Answer,
    ) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        say(&format!("    {verb} {path}"));
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            say(&format!("        {name} = {}", short(&name, &value)));
        }
        if path == "/token" {
            say("        Authorization: Basic sample:grt_cs_…");
        }
        for (name, value) in form {
            say(&format!("        {name} = {}", short(name, value)));
        }
        self.answer(answer);
    }

    pub(super) fn bearer(&self, path: &str, token: Option<&str>, answer: &Answer) {
        say(&format!("    GET {path}"));
        if let Some(token) = token {
            say(&format!("        Authorization: Bearer {}", cut(token)));
        }
        self.answer(answer);
    }

    pub(super) fn redirect(&self, location: &str) {
        let (uri, query) = location.split_once('?').unwrap_or((location, ""));
        say(&format!("    {uri}"));
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            say(&format!("        {name} = {}", short(&name, &value)));
        }
    }

    pub(super) fn mail(&self, to: &str, token: &str) {
        say(&format!("    To: {to}\n        {}…", token.split('-').next().unwrap_or_default()));
    }

    /// What an ID token says. The walk has it straight from the token endpoint; a client verifies it.
    pub(super) fn claims(&self, id_token: &str) {
        let payload = id_token.split('.').nth(1).unwrap_or_default();
        let claims = URL_SAFE_NO_PAD.decode(payload).ok();
        let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(claims) = claims {
            say("\n    The ID token says");
            members(&claims);
        }
    }

    pub(super) fn end(&self) {
        say("\n    Every step answered as it must.\n");
    }

    fn answer(&self, answer: &Answer) {
        let line = match (&answer.location, &answer.challenge) {
            (Some(location), _) => {
                let (uri, query) = location.split_once('?').unwrap_or((location, ""));
                let names: Vec<_> =
                    form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name).collect();
                let query =
                    if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
                format!("to {uri}{query}")
            }
            (None, Some(challenge)) => format!("WWW-Authenticate: {challenge}"),
            (None, None) => answer.content_type.clone(),
        };
        say(&format!("    → {} {line}", answer.status));
        if let Ok(body) = serde_json::from_str::<Value>(&answer.body) {
            members(&body);
        }
    }
}

fn members(value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        say(&format!("        {name}: {}", short(name, &text)));
    }
}

/// Names whose values let somebody in, and the long random ones.
fn short(name: &str, value: &str) -> String {
    match name {
        "access_token" | "refresh_token" | "id_token" | "id_token_hint" | "code"
        | "code_verifier" | "code_challenge" | "csrf" | "token" | "state" | "nonce" | "at_hash" => {
            cut(value)
        }
        _ => value.to_owned(),
    }
}

fn cut(secret: &str) -> String {
    let keep = if secret.starts_with("grt_") { 12 } else { 4 };
    format!("{}…", secret.chars().take(keep).collect::<String>())
}
