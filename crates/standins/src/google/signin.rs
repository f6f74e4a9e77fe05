//! The two pages a person sees: which account, and what of it an application may have, scope by
//! scope. Google, "How to handle granular permissions"; OpenID Connect Core 1.0 §3.1.2.3, §3.1.2.4.

use std::collections::BTreeSet;

use super::app::{App, Asked, with_browser};
use super::back::{self, Allowed};
use super::config::{Client, Person};
use super::pages::{AccountsPage, ConsentPage, Problem};
use super::scopes::is_for_signing_in;
use super::state::{Pending, State};
use crate::http::Answer;
use crate::random;

/// Where a request stands: at a page, or back at the application.
pub(super) fn go_on(app: &App, state: &mut State, id: &str, browser: Option<&str>) -> Answer {
    let Some((pending, client)) = waiting(state, id) else {
        return app.pages.problem(&Problem::over());
    };
    let people = signed_in(state, browser, &pending);
    let sub = |own: &Person| own.sub.clone();
    let account = people.iter().find(|own| pending.account.as_ref() == Some(&own.sub));
    let hinted = |own: &&&Person| pending.login_hint.is_none() || is_hinted(own, &pending);
    let meant: Vec<String> = people.iter().filter(hinted).map(|own| sub(own)).collect();
    let sub = match (account.map(|own| sub(own)), meant.as_slice()) {
        (Some(sub), _) => sub,
        (None, [one]) if !pending.prompt.select_account => one.clone(),
        (None, others) if pending.prompt.none => {
            state.requests.remove(id);
            // OpenID Connect Core 1.0 §3.1.2.6.
            let error = if others.is_empty() { "login_required" } else { "interaction_required" };
            return back::refused(app, &pending, error);
        }
        (None, _) => return Answer::see_other(&format!("/v3/signin/accountchooser?request={id}")),
    };
    if let Some(problem) = forbidden(state, &client, &sub, &pending) {
        state.requests.remove(id);
        return app.pages.problem(&problem.of(&client));
    }
    let granted = state.granted(&client, &sub);
    let shows_consent = pending.prompt.consent || !pending.scopes.is_subset(&granted);
    if !shows_consent {
        let (scopes, sub) = (pending.scopes.clone(), sub.as_str());
        return finish(app, state, id, Outcome { sub, browser, scopes, consent_shown: false });
    }
    if pending.prompt.none {
        state.requests.remove(id);
        return back::refused(app, &pending, "consent_required");
    }
    if let Some(own) = state.requests.get_mut(id) {
        own.account = Some(sub);
    }
    Answer::see_other(&format!("/signin/oauth/consent?request={id}"))
}

/// The page that asks which account.
pub(super) fn accounts(app: &App, asked: &Asked) -> Answer {
    let state = app.state();
    let id = asked.form.first("request").unwrap_or_default();
    let Some((pending, client)) = waiting(&state, id) else {
        return app.pages.problem(&Problem::over());
    };
    let people = state.people.values().filter(|own| !own.deleted).map(|own| &own.person);
    let mut people: Vec<&Person> = people.filter(|own| is_of(own, &pending)).collect();
    // The hinted one stands first.
    people.sort_by_key(|own| !is_hinted(own, &pending));
    app.pages.accounts(&AccountsPage::new(id, &client, &people, pending.hd.as_deref()))
}

/// Somebody said who it is; a stand-in asks for no password.
pub(super) fn choose(app: &App, asked: &Asked) -> Answer {
    let mut state = app.state();
    let id = asked.form.first("request").unwrap_or_default();
    let who = asked.form.first("account").unwrap_or_default();
    let Some(sub) = state.account(who).map(|own| own.person.sub.clone()) else {
        return app.pages.problem(&Problem::over());
    };
    let Some(pending) = state.requests.get_mut(id) else {
        return app.pages.problem(&Problem::over());
    };
    pending.account = Some(sub.clone());
    // The account was chosen, and is not asked for again.
    pending.prompt.select_account = false;
    if let Some(account) = state.people.get_mut(&sub) {
        account.must_sign_in = false;
    }
    let known = asked.browser().filter(|own| state.browsers.contains_key(*own));
    let browser = known.map_or_else(|| random::text(43), ToOwned::to_owned);
    let accounts = state.browsers.entry(browser.clone()).or_default();
    if !accounts.contains(&sub) {
        accounts.push(sub);
    }
    with_browser(go_on(app, &mut state, id, Some(&browser)), &browser)
}

/// The page that asks what the application may have.
pub(super) fn consent(app: &App, asked: &Asked) -> Answer {
    let state = app.state();
    let id = asked.form.first("request").unwrap_or_default();
    match at_consent(&state, id, asked.browser()) {
        Some((pending, client, person)) => {
            let granted = state.granted(&client, &person.sub);
            app.pages.consent(&ConsentPage::new(id, &client, &person, &pending, &granted))
        }
        None => app.pages.problem(&Problem::over()),
    }
}

/// What the person ticked.
pub(super) fn answer(app: &App, asked: &Asked) -> Answer {
    let mut state = app.state();
    let id = asked.form.first("request").unwrap_or_default();
    let Some((pending, client, person)) = at_consent(&state, id, asked.browser()) else {
        return app.pages.problem(&Problem::over());
    };
    let ticked: BTreeSet<&str> = asked.form.all("scope").collect();
    let is_allowed = |scope: &&String| is_for_signing_in(scope) || ticked.contains(scope.as_str());
    let scopes: BTreeSet<String> = pending.scopes.iter().filter(is_allowed).cloned().collect();
    if asked.form.first("decision") != Some("allow") || scopes.is_empty() {
        state.requests.remove(id);
        return back::refused(app, &pending, "access_denied");
    }
    let key = (client.project.clone(), person.sub.clone());
    let granted = state.grants.entry(key).or_default();
    granted.append(&mut scopes.clone());
    let (sub, browser) = (person.sub.as_str(), asked.browser());
    finish(app, &mut state, id, Outcome { sub, browser, scopes, consent_shown: true })
}

/// What came of a request at the pages.
#[derive(Debug)]
struct Outcome<'a> {
    sub: &'a str,
    browser: Option<&'a str>,
    scopes: BTreeSet<String>,
    consent_shown: bool,
}

fn finish(app: &App, state: &mut State, id: &str, outcome: Outcome<'_>) -> Answer {
    let Outcome { sub, browser, mut scopes, consent_shown } = outcome;
    let Some((pending, client)) = waiting(state, id) else {
        return app.pages.problem(&Problem::over());
    };
    let Some(person) = state.account(sub).map(|own| own.person.clone()) else {
        return app.pages.problem(&Problem::over());
    };
    if pending.include_granted {
        scopes.append(&mut state.granted(&client, sub));
    }
    let accounts = browser.and_then(|browser| state.browsers.get(browser));
    let authuser = accounts.and_then(|own| own.iter().position(|one| one == sub)).unwrap_or(0);
    state.requests.remove(id);
    let allowed = Allowed { person: &person, authuser, scopes, consent_shown };
    back::allowed(app, state, &pending, allowed)
}

fn waiting(state: &State, id: &str) -> Option<(Pending, Client)> {
    let pending = state.requests.get(id)?;
    let application = state.clients.get(&pending.client_id)?;
    Some((pending.clone(), application.client.clone()))
}

/// A request whose person is signed in in this browser.
fn at_consent(state: &State, id: &str, browser: Option<&str>) -> Option<(Pending, Client, Person)> {
    let (pending, client) = waiting(state, id)?;
    let sub = pending.account.clone()?;
    let is_here = state.browsers.get(browser?)?.contains(&sub);
    let person = state.account(&sub)?.person.clone();
    is_here.then_some((pending, client, person))
}

/// Who is signed in in a browser, of those whom `hd` lets in.
fn signed_in<'s>(state: &'s State, browser: Option<&str>, pending: &Pending) -> Vec<&'s Person> {
    let subs = browser.and_then(|browser| state.browsers.get(browser)).into_iter().flatten();
    let people = subs.filter_map(|sub| state.account(sub)).filter(|own| !own.must_sign_in);
    people.map(|own| &own.person).filter(|own| is_of(own, pending)).collect()
}

/// Whether `hd` lets somebody in: `*` is any organisation.
fn is_of(person: &Person, pending: &Pending) -> bool {
    match (pending.hd.as_deref(), person.hd.as_deref()) {
        (None, _) | (Some("*"), Some(_)) => true,
        (Some(wanted), own) => own == Some(wanted),
    }
}

fn is_hinted(person: &Person, pending: &Pending) -> bool {
    let hint = pending.login_hint.as_deref();
    hint.is_some_and(|hint| hint == person.sub || hint == person.email)
}

fn forbidden(state: &State, client: &Client, sub: &str, pending: &Pending) -> Option<Problem> {
    let person = &state.people.get(sub)?.person;
    if client.internal_to.is_some() && client.internal_to != person.hd {
        return Some(Problem::internal(person));
    }
    let blocked = state.is_blocked(sub, &client.id, &pending.scopes);
    blocked.then(|| Problem::administrator(person))
}
