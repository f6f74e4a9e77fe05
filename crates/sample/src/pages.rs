//! The pages: each has a type, a template and samples; one test renders them all.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::calendar::{Calendars, Token};
use crate::config::Settings;
use crate::problem::{Action, OAuthError, Told};
use crate::provider::Invitation;
use crate::sessions::Record;
use crate::television::Screen;
use crate::tokens::now;

/// The one style sheet.
pub(crate) const STYLE: &str = include_str!("../assets/fieldnotes.css");
/// The mark, also the icon of the tab.
pub(crate) const MARK: &str = include_str!("../assets/mark.svg");

pub(crate) struct Pages(Environment<'static>);

/// The start page, without and with a signed-in person.
#[derive(Debug, Serialize)]
pub(crate) struct Home {
    pub(crate) provider: String,
    pub(crate) note: Option<&'static str>,
    pub(crate) signed_in: Option<SignedIn>,
    pub(crate) answer: Option<ApiAnswer>,
    /// Whether there is a television to link to.
    pub(crate) television: bool,
    /// Whether there is a calendar to link to.
    pub(crate) calendar: bool,
}

/// The page that plays a television.
#[derive(Debug, Serialize)]
pub(crate) struct Television {
    provider: String,
    code: Option<OpenCode>,
    guest: Option<SignedIn>,
    over: Option<Ending>,
}

/// A code that waits for its person.
#[derive(Debug, Serialize)]
struct OpenCode {
    user_code: String,
    /// The address as a link, and as somebody would type it.
    href: String,
    address: String,
    scannable: bool,
    left: Moment,
    /// Seconds until the page looks again.
    look_again: u64,
}

/// Why a code led to nothing.
#[derive(Debug, Serialize)]
struct Ending {
    title: &'static str,
    text: String,
    next: &'static str,
}

/// What a signed-in person sees of the own sign-in.
#[derive(Debug, Serialize)]
pub(crate) struct SignedIn {
    initial: String,
    name: String,
    email: Option<String>,
    sub: String,
    since: Moment,
    access: Moment,
    id: Moment,
    can_refresh: bool,
    refreshes: u64,
    scopes: Vec<String>,
}

/// The calendar page, without and with an account.
#[derive(Debug, Serialize)]
pub(crate) struct Calendar {
    provider: String,
    note: Option<&'static str>,
    /// What to tell somebody without an account that works, and whether there was one.
    text: &'static str,
    again: bool,
    token: Option<Borrowed>,
}

/// A token from the vault, and what it opened.
#[derive(Debug, Serialize)]
struct Borrowed {
    account: String,
    access: Moment,
    scopes: Vec<String>,
    connection: String,
    refreshed: bool,
    warning: bool,
    status: String,
    good: bool,
    names: Vec<String>,
}

/// A point in time in words, with the exact one beside it.
#[derive(Debug, Serialize)]
pub(crate) struct Moment {
    words: String,
    exact: String,
    over: bool,
}

/// What the protected API answered.
#[derive(Debug, Serialize)]
pub(crate) struct ApiAnswer {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) good: bool,
    pub(crate) body: String,
    pub(crate) refreshed: bool,
}

/// A dead end, with the way out.
#[derive(Debug, Serialize)]
pub(crate) struct Dead {
    title: &'static str,
    text: String,
    next: &'static str,
    action: &'static str,
    href: &'static str,
    request_id: String,
}

impl Pages {
    pub(crate) fn new() -> Self {
        let mut pages = Environment::new();
        pages.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in [
            ("base.html", include_str!("../templates/base.html")),
            ("home.html", include_str!("../templates/home.html")),
            ("dead.html", include_str!("../templates/dead.html")),
            ("device.html", include_str!("../templates/device.html")),
            ("calendar.html", include_str!("../templates/calendar.html")),
        ] {
            // The templates are part of the program; the tests render every one of them.
            if let Err(error) = pages.add_template(name, source) {
                tracing::error!(%error, name, "a template is broken");
            }
        }
        Self(pages)
    }

    pub(crate) fn home(&self, view: &Home) -> String {
        self.render("home.html", view)
    }

    pub(crate) fn dead(&self, view: &Dead) -> String {
        self.render("dead.html", view)
    }

    pub(crate) fn television(&self, view: &Television) -> String {
        self.render("device.html", view)
    }

    pub(crate) fn calendar(&self, view: &Calendar) -> String {
        self.render("calendar.html", view)
    }

    fn render(&self, name: &str, view: &impl Serialize) -> String {
        let context = context!(view => Value::from(Serde(view)));
        let page = self.0.get_template(name).and_then(|page| page.render(context));
        page.unwrap_or_else(|error| {
            tracing::error!(%error, name, "a page could not be rendered");
            "This page could not be shown.".to_owned()
        })
    }
}

impl Home {
    /// The page as everybody sees it.
    pub(crate) fn of(settings: &Settings) -> Self {
        let television = settings.config.tv_client_id.is_some();
        let provider = settings.provider_name();
        let calendar = settings.config.calendar.is_some();
        Self { provider, note: None, signed_in: None, answer: None, television, calendar }
    }
}

impl Television {
    /// What is on the screen, with the time until which its code works.
    pub(crate) fn of(provider: String, shown: Option<(Screen, u64)>) -> Self {
        let mut view = Self { provider, code: None, guest: None, over: None };
        match shown {
            Some((Screen::Code(invitation), until)) => {
                view.code = Some(OpenCode::of(&invitation, until));
            }
            Some((Screen::Guest(record), _)) => view.guest = Some(SignedIn::of(&record)),
            Some((Screen::Over(problem), _)) => {
                let Told { title, text, next, .. } = problem.told(&view.provider);
                view.over = Some(Ending { title, text, next });
            }
            None => {}
        }
        view
    }
}

impl OpenCode {
    fn of(invitation: &Invitation, until: u64) -> Self {
        let href = invitation.verification_uri();
        let bare = href.split_once("://").map_or(href, |(_, rest)| rest);
        Self {
            user_code: invitation.user_code().to_owned(),
            href: href.to_owned(),
            address: bare.trim_end_matches('/').to_owned(),
            scannable: invitation.complete_uri().is_some(),
            left: Moment::of(until, now()),
            look_again: invitation.interval().as_secs().clamp(2, 30),
        }
    }
}

impl Calendar {
    /// For somebody who has connected no account, or one that does not work any more.
    pub(crate) fn unconnected(provider: String, reason: &OAuthError) -> Self {
        let (again, text) = match reason.error.as_str() {
            "connection_not_found" => (false, "Then your calendars are shown here."),
            "insufficient_scope" => {
                (true, "You have not allowed Fieldnotes to read your calendars yet.")
            }
            _ => (true, "Your account has to be connected again before it can be used."),
        };
        Self { provider, note: None, text, again, token: None }
    }

    /// For somebody whose account works.
    pub(crate) fn of(
        provider: String,
        token: &Token,
        calendars: &Calendars,
        note: Option<&'static str>,
    ) -> Self {
        let access = token.expires_in.map_or_else(Moment::unsaid, |left| {
            let now = now();
            Moment::of(now + left, now)
        });
        let borrowed = Borrowed {
            account: token.account.name().to_owned(),
            access,
            scopes: token.scope.split_whitespace().map(str::to_owned).collect(),
            connection: token.connection_id.clone(),
            refreshed: token.refreshed,
            warning: token.warning.is_some(),
            status: calendars.status.to_string(),
            good: calendars.status.is_success(),
            names: calendars.names.clone(),
        };
        Self { provider, note, text: "", again: false, token: Some(borrowed) }
    }
}

impl SignedIn {
    pub(crate) fn of(record: &Record) -> Self {
        let (person, tokens) = (&record.person, &record.tokens);
        let name = person.display_name().to_owned();
        let now = now();
        Self {
            initial: name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default(),
            email: person.email.clone().filter(|email| *email != name),
            name,
            sub: person.sub.clone(),
            since: Moment {
                words: ago(record.signed_in_at, now),
                ..Moment::of(record.signed_in_at, now)
            },
            access: tokens.expires_at.map_or_else(Moment::unsaid, |at| Moment::of(at, now)),
            id: Moment::of(tokens.id_token_expires_at, now),
            can_refresh: tokens.refresh_token.is_some(),
            refreshes: record.refreshes,
            scopes: tokens.scopes.clone(),
        }
    }
}

impl Moment {
    fn of(at: u64, now: u64) -> Self {
        let left = at.saturating_sub(now);
        let words = match left {
            0 => "expired".to_owned(),
            left => format!("{} left", amount(left)),
        };
        Self { words, exact: exact(at), over: left == 0 }
    }

    fn unsaid() -> Self {
        Self { words: "not stated".into(), exact: "The provider did not say.".into(), over: false }
    }
}

impl Dead {
    pub(crate) fn of(told: Told, request_id: &str) -> Self {
        let (action, href) = match told.action {
            Action::SignIn => ("Sign in", "/signin"),
            Action::Home => ("Go to the start page", "/"),
        };
        let Told { title, text, next, .. } = told;
        Self { title, text, next, action, href, request_id: request_id.to_owned() }
    }
}

/// A point in time as RFC 3339 in UTC.
pub(crate) fn exact(at: u64) -> String {
    let second = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    second.map(|second| second.to_string()).unwrap_or_default()
}

fn ago(at: u64, now: u64) -> String {
    match now.saturating_sub(at) {
        0..60 => "just now".to_owned(),
        passed => format!("{} ago", amount(passed)),
    }
}

fn amount(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::tokens::{Person, TokenSet};

    fn record() -> Record {
        let person = Person {
            sub: "248289761001".into(),
            name: Some("<b>Ada</b> Lovelace".into()),
            preferred_username: None,
            email: Some("ada@example.com".into()),
            email_verified: Some(true),
        };
        let tokens = TokenSet {
            access_token: "secret-access".into(),
            token_type: "Bearer".into(),
            refresh_token: Some("secret-refresh".into()),
            id_token: "secret-id".into(),
            id_token_expires_at: 0,
            scopes: vec!["openid".into(), "read".into()],
            received_at: now(),
            expires_at: Some(now() + 3590),
        };
        Record { person, tokens, signed_in_at: now(), refreshes: 2 }
    }

    fn homes() -> Vec<Home> {
        let provider = "localhost:5050".to_owned();
        let answer = ApiAnswer {
            url: "http://localhost:5050/protected".into(),
            status: 200,
            reason: "OK",
            good: true,
            body: "{\"data\": \"<script>\"}".into(),
            refreshed: true,
        };
        let signed_in = || Some(SignedIn::of(&record()));
        let home = |note, signed_in, answer| Home {
            provider: provider.clone(),
            note,
            signed_in,
            answer,
            television: true,
            calendar: true,
        };
        vec![
            home(None, None, None),
            home(Some("Fresh."), signed_in(), None),
            home(None, signed_in(), Some(answer)),
        ]
    }

    fn televisions() -> Vec<Television> {
        let of = |shown| Television::of("localhost:5050".to_owned(), shown);
        let code = OpenCode {
            user_code: "<b>WDJB-MJHT".to_owned(),
            href: "http://localhost:5050/device".to_owned(),
            address: "localhost:5050/device".to_owned(),
            scannable: true,
            left: Moment::of(now() + 600, now()),
            look_again: 5,
        };
        vec![
            of(None),
            Television { code: Some(code), ..of(None) },
            of(Some((Screen::Guest(Box::new(record())), 0))),
            of(Some((Screen::Over(Problem::TelevisionDenied), 0))),
            of(Some((Screen::Over(Problem::CodeExpired), 0))),
        ]
    }

    fn calendars() -> Vec<Calendar> {
        let provider = || "localhost:5050".to_owned();
        let token: Token = serde_json::from_value(serde_json::json!({
            "access_token": "secret-token",
            "expires_in": 3300,
            "scope": "https://www.googleapis.com/auth/calendar.readonly openid",
            "connection_id": "con_0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d",
            "account": { "sub": "1", "email": "<b>Ada@example.com" },
            "warning": { "code": "refresh_failing" },
        }))
        .expect("an answer of the vault");
        let of = |status, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let found = Calendars { status, names };
            Calendar::of(provider(), &token, &found, Some("Your account is connected."))
        };
        let without = |code| Calendar::unconnected(provider(), &OAuthError::new(code, None));
        vec![
            of(axum::http::StatusCode::OK, &["<i>no", "Holidays"]),
            of(axum::http::StatusCode::OK, &[]),
            of(axum::http::StatusCode::UNAUTHORIZED, &[]),
            without("connection_not_found"),
            without("reauth_required"),
            without("insufficient_scope"),
        ]
    }

    fn problems() -> Vec<Problem> {
        let error = || OAuthError::new("access_denied", Some("<i>no</i>"));
        vec![
            Problem::Ended,
            Problem::ProviderAway,
            Problem::SignInRefused(error()),
            Problem::ProviderRefused(error()),
            Problem::UnknownState,
            Problem::Storage,
            Problem::NoCalendar,
            Problem::VaultRefused(error()),
            Problem::NotConnected("access_denied".into()),
        ]
    }

    #[test]
    fn every_page_renders_escaped_and_without_secrets_or_scripts() {
        let pages = Pages::new();
        let dead = problems().into_iter().map(|p| Dead::of(p.told("localhost:5050"), "4f2a"));
        let all = homes().iter().map(|view| pages.home(view)).collect::<Vec<_>>();
        let all =
            all.into_iter().chain(televisions().into_iter().map(|view| pages.television(&view)));
        let all = all.chain(calendars().into_iter().map(|view| pages.calendar(&view)));
        for page in all.chain(dead.map(|view| pages.dead(&view))).collect::<Vec<_>>() {
            assert!(page.contains("<title>") && page.contains("lang=\"en\""), "{page}");
            for unwanted in
                ["secret-", "<script", "style=", "<b>Ada", "<i>no", "could not be shown"]
            {
                assert!(!page.contains(unwanted), "{unwanted} in {page}");
            }
        }
    }

    #[test]
    fn lifetimes_are_said_in_words() {
        let words = |left: u64| Moment::of(1000 + left, 1000).words;
        assert_eq!(
            [0, 45, 3599, 86_400, 13 * 86_400].map(words),
            ["expired", "45 s left", "59 min left", "24 h left", "13 days left"]
        );
        assert_eq!(exact(0), "1970-01-01T00:00:00Z");
    }
}
