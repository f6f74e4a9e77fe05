//! `/connections`: what the accounts have allowed, to take back, and the clock, to move. For
//! people; programs use `/_control/`.

use std::collections::BTreeSet;

use axum::http::{HeaderValue, StatusCode};

use super::app::{App, Asked};
use super::pages::{AccountView, ConnectionsPage, PersonView, ProjectView, ScopeView};
use super::state::{Account, State};
use crate::http::Answer;

pub(super) fn connections(app: &App, _: &Asked) -> Answer {
    let (state, now) = (app.state(), app.now());
    let people = state.people.values().filter(|own| !own.deleted);
    let accounts = people.map(|account| view(&state, account, now)).collect();
    let ahead = app.desk.clock.ahead();
    let ahead = (ahead > 0).then(|| in_words(ahead));
    app.pages.connections(&ConnectionsPage { accounts, ahead })
}

/// Takes back what somebody allowed a project, or moves the clock.
pub(super) fn change(app: &App, asked: &Asked) -> Answer {
    // Browsers say where a form comes from; one on another site's page must not move anything here.
    let site = asked.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Answer::html(StatusCode::FORBIDDEN, "This form was on a page of another site.");
    }
    let text = |name: &str| asked.form.first(name).unwrap_or_default();
    match text("do") {
        "revoke" => app.state().revoke(text("project"), text("account")),
        "advance" => app.desk.clock.advance(text("seconds").parse().unwrap_or(0)),
        _ => {}
    }
    Answer::see_other("/connections")
}

fn view(state: &State, account: &Account, now: i64) -> AccountView {
    let sub = &account.person.sub;
    let grants = state.grants.iter().filter(|((_, own), _)| own == sub);
    let project = |((project, _), scopes): (&(String, String), &BTreeSet<String>)| {
        let clients = state.clients.values().filter(|own| own.client.project == *project);
        let clients: Vec<_> = clients.map(|own| &own.client).collect();
        let live = clients.iter().map(|own| state.tokens.live(&own.id, sub, now).len()).sum();
        let names: Vec<&str> = clients.iter().map(|own| own.name.as_str()).collect();
        ProjectView {
            project: project.clone(),
            names: names.join(", "),
            scopes: scopes.iter().map(|scope| ScopeView::new(scope, scopes)).collect(),
            refresh_tokens: live,
        }
    };
    AccountView {
        person: PersonView::new(&account.person),
        projects: grants.map(project).collect(),
    }
}

/// "3 days 1 hour", to the minute.
fn in_words(seconds: i64) -> String {
    let parts = [(86_400, 1000, "day"), (3600, 24, "hour"), (60, 60, "minute")];
    let parts = parts.map(|(unit, of, name)| {
        let count = if unit == 86_400 { seconds / unit } else { seconds / unit % of };
        match count {
            0 => String::new(),
            1 => format!("1 {name} "),
            more => format!("{more} {name}s "),
        }
    });
    let text = parts.concat();
    match text.trim_end() {
        "" => "less than a minute".to_owned(),
        text => text.to_owned(),
    }
}
