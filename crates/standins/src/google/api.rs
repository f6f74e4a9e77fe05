//! What tokens open: userinfo (OpenID Connect Core 1.0 §5.3), a list of calendars, when they are
//! busy, and a drive, with the errors of Google's APIs, which have another shape than those of its token endpoint.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use serde_json::{Map, Value, json};

use super::app::{App, Asked};
use super::config::Person;
use super::id_token::who;
use super::scopes::{self, PREFIX};
use super::state::Condition;
use crate::http::{Answer, bearer};

const CALENDAR_SERVICE: &str = "calendar-json.googleapis.com";
/// Scopes that open the list of calendars, behind the prefix.
const CALENDAR: [&str; 4] =
    ["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"];
/// Scopes that say when a calendar is busy, behind the prefix.
const FREE_BUSY: [&str; 4] =
    ["calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"];
/// Scopes that open the drive, behind the prefix.
const DRIVE: [&str; 6] = [
    "drive",
    "drive.readonly",
    "drive.file",
    "drive.metadata",
    "drive.metadata.readonly",
    "drive.appdata",
];

pub(super) fn userinfo(app: &App, asked: &Asked) -> Answer {
    let Some((person, scopes)) = holder(app, asked) else {
        let body = json!({"error": "invalid_request", "error_description": "Invalid Credentials"});
        return challenge(Answer::json(StatusCode::UNAUTHORIZED, body));
    };
    if !scopes.iter().any(|own| scopes::is_for_signing_in(own)) {
        return forbidden("openidconnect.googleapis.com");
    }
    let mut claims = json!({"sub": person.sub});
    who(&person, &scopes, &mut claims);
    if let Some(hd) = &person.hd {
        claims["hd"] = hd.as_str().into();
    }
    Answer::json(StatusCode::OK, claims)
}

pub(super) fn calendars(app: &App, asked: &Asked) -> Answer {
    behind(app, asked, &CALENDAR, CALENDAR_SERVICE, |person| {
        json!({
            "kind": "calendar#calendarList",
            "items": [{
                "kind": "calendar#calendarListEntry",
                "id": person.email,
                "summary": person.email,
                "timeZone": "Etc/UTC",
                "accessRole": "owner",
                "primary": true,
            }],
        })
    })
}

/// Nobody has an appointment. It is read by POST: what is asked is in the body, JSON.
pub(super) fn free_busy(app: &App, asked: &Asked) -> Answer {
    let bounds = ["timeMin", "timeMax"].map(|name| (name, asked.json[name].as_str()));
    let lacks = bounds.iter().find(|(_, at)| at.is_none());
    let answer = behind(app, asked, &FREE_BUSY, CALENDAR_SERVICE, |_| {
        let wanted = asked.json["items"].as_array().into_iter().flatten();
        let ids = wanted.filter_map(|own| own["id"].as_str());
        let calendars = ids.map(|id| (id.to_owned(), json!({"busy": []})));
        json!({
            "kind": "calendar#freeBusy",
            "timeMin": bounds[0].1,
            "timeMax": bounds[1].1,
            "calendars": calendars.collect::<Map<_, _>>(),
        })
    });
    match lacks.filter(|_| answer.status == StatusCode::OK) {
        Some((name, _)) => incomplete(&format!("Missing {name} parameter.")),
        None => answer,
    }
}

fn incomplete(message: &str) -> Answer {
    let error = json!({"message": message, "domain": "global", "reason": "required"});
    let body = json!({"error": {"code": 400, "message": message, "errors": [error]}});
    Answer::json(StatusCode::BAD_REQUEST, body)
}

pub(super) fn drive(app: &App, asked: &Asked) -> Answer {
    behind(app, asked, &DRIVE, "drive.googleapis.com", |person| {
        json!({
            "kind": "drive#about",
            "user": {
                "kind": "drive#user",
                "displayName": person.name,
                "me": true,
                "permissionId": person.sub,
                "emailAddress": person.email,
            },
        })
    })
}

fn behind(
    app: &App,
    asked: &Asked,
    opened_by: &[&str],
    service: &str,
    show: impl FnOnce(&Person) -> Value,
) -> Answer {
    let Some((person, scopes)) = holder(app, asked) else { return unauthenticated() };
    let opens =
        |scope: &String| scope.strip_prefix(PREFIX).is_some_and(|name| opened_by.contains(&name));
    match scopes.iter().any(opens) {
        true => Answer::json(StatusCode::OK, show(&person)),
        false => forbidden(service),
    }
}

/// Whose token was sent, and what it is good for.
fn holder(app: &App, asked: &Asked) -> Option<(Person, BTreeSet<String>)> {
    let token = bearer(&asked.headers).or(asked.form.first("access_token"))?;
    let state = app.state();
    let access = state.tokens.access(token, app.now())?;
    let client = state.clients.get(&access.client_id)?;
    let person = state.account(&access.sub)?.person.clone();
    (client.condition == Condition::Good).then(|| (person, access.scopes.clone()))
}

fn unauthenticated() -> Answer {
    challenge(Answer::json(
        StatusCode::UNAUTHORIZED,
        json!({"error": {
            "code": 401,
            "message": "Request had invalid authentication credentials. Expected OAuth 2 access \
                token, login cookie or other valid authentication credential.",
            "errors": [{
                "message": "Invalid Credentials",
                "domain": "global",
                "reason": "authError",
                "location": "Authorization",
                "locationType": "header",
            }],
            "status": "UNAUTHENTICATED",
        }}),
    ))
}

// RFC 6750 §3: a 401 names the scheme and the error.
fn challenge(answer: Answer) -> Answer {
    let how = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    answer.with(header::WWW_AUTHENTICATE, how)
}

fn forbidden(service: &str) -> Answer {
    Answer::json(
        StatusCode::FORBIDDEN,
        json!({"error": {
            "code": 403,
            "message": "Request had insufficient authentication scopes.",
            "errors": [{
                "message": "Insufficient Permission",
                "domain": "global",
                "reason": "insufficientPermissions",
            }],
            "status": "PERMISSION_DENIED",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {"service": service},
            }],
        }}),
    )
}
