//! The pages: who you are, what you allow, what you allowed, and what cannot be. Each has a type
//! and a template; one test renders them all.

use std::collections::BTreeSet;

use axum::http::{HeaderName, StatusCode, header};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::config::{Client, Person};
use super::scopes::{PREFIX, is_for_signing_in, words};
use super::state::Pending;
use crate::http::Answer;

/// The one style sheet.
pub(super) const STYLE: &str = include_str!("../../assets/standin.css");
/// The mark, also the icon of the tab.
pub(super) const MARK: &str = include_str!("../../assets/standin.svg");

#[derive(Debug)]
pub(super) struct Pages(Environment<'static>);

/// Which account is it?
#[derive(Debug, Serialize)]
pub(super) struct AccountsPage {
    request: String,
    client: ClientView,
    people: Vec<PersonView>,
    hd: Option<String>,
}

/// What may the application have?
#[derive(Debug, Serialize)]
pub(super) struct ConsentPage {
    request: String,
    client: ClientView,
    person: PersonView,
    who: Vec<ScopeView>,
    asked: Vec<ScopeView>,
    return_host: String,
}

/// What the accounts have allowed.
#[derive(Debug, Serialize)]
pub(super) struct ConnectionsPage {
    pub(super) accounts: Vec<AccountView>,
    /// How far the clock was moved, in words; none where it is right.
    pub(super) ahead: Option<String>,
}

/// An account with the projects that it allowed something.
#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    pub(super) person: PersonView,
    pub(super) projects: Vec<ProjectView>,
}

/// What one account allowed one project.
#[derive(Debug, Serialize)]
pub(super) struct ProjectView {
    pub(super) project: String,
    pub(super) names: String,
    pub(super) scopes: Vec<ScopeView>,
    pub(super) refresh_tokens: usize,
}

#[derive(Debug, Serialize)]
struct ClientView {
    name: String,
    initial: String,
}

#[derive(Debug, Serialize)]
pub(super) struct PersonView {
    sub: String,
    name: String,
    email: String,
    initial: String,
    hd: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScopeView {
    scope: String,
    /// The scope in two parts, between which a line may break.
    parts: (String, String),
    words: &'static str,
    granted: bool,
}

/// A request that cannot go on, as Google's own page of errors tells it.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    status: u16,
    error: &'static str,
    title: String,
    text: String,
    /// For the developer.
    details: Vec<String>,
    client: Option<String>,
}

impl Pages {
    pub(super) fn new() -> Self {
        let mut pages = Environment::new();
        pages.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in [
            ("base.html", include_str!("../../templates/google/base.html")),
            ("accounts.html", include_str!("../../templates/google/accounts.html")),
            ("consent.html", include_str!("../../templates/google/consent.html")),
            ("connections.html", include_str!("../../templates/google/connections.html")),
            ("problem.html", include_str!("../../templates/google/problem.html")),
        ] {
            // The templates are part of the program; the tests render every one of them.
            if let Err(error) = pages.add_template(name, source) {
                tracing::error!(%error, name, "a template is broken");
            }
        }
        Self(pages)
    }

    pub(super) fn accounts(&self, view: &AccountsPage) -> Answer {
        self.render(StatusCode::OK, "accounts.html", view)
    }

    pub(super) fn consent(&self, view: &ConsentPage) -> Answer {
        self.render(StatusCode::OK, "consent.html", view)
    }

    pub(super) fn connections(&self, view: &ConnectionsPage) -> Answer {
        self.render(StatusCode::OK, "connections.html", view)
    }

    pub(super) fn problem(&self, view: &Problem) -> Answer {
        let status = StatusCode::from_u16(view.status).unwrap_or(StatusCode::BAD_REQUEST);
        self.render(status, "problem.html", view)
    }

    fn render(&self, status: StatusCode, name: &str, view: &impl Serialize) -> Answer {
        let context = context!(view => Value::from(Serde(view)));
        let page = self.0.get_template(name).and_then(|page| page.render(context));
        match page {
            Ok(page) => protect(Answer::html(status, page)),
            Err(error) => {
                tracing::error!(%error, name, "a page could not be rendered");
                crate::faults::broken()
            }
        }
    }
}

// No form-action: browsers apply it to the redirect after a form too, and consent leads to
// applications.
fn protect(answer: Answer) -> Answer {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
        frame-ancestors 'none'";
    answer
        .with(header::CONTENT_SECURITY_POLICY, policy)
        .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with(header::REFERRER_POLICY, "same-origin")
        .with(HeaderName::from_static("cross-origin-opener-policy"), "same-origin")
}

impl AccountsPage {
    pub(super) fn new(
        request: &str,
        client: &Client,
        people: &[&Person],
        hd: Option<&str>,
    ) -> Self {
        Self {
            request: request.to_owned(),
            client: ClientView::new(client),
            people: people.iter().map(|own| PersonView::new(own)).collect(),
            hd: hd.filter(|hd| *hd != "*").map(ToOwned::to_owned),
        }
    }
}

impl ConsentPage {
    pub(super) fn new(
        request: &str,
        client: &Client,
        person: &Person,
        pending: &Pending,
        granted: &BTreeSet<String>,
    ) -> Self {
        let scopes = pending.scopes.iter().map(|scope| ScopeView::new(scope, granted));
        let (who, asked) = scopes.partition(|own| is_for_signing_in(&own.scope));
        let host = url::Url::parse(&pending.redirect_uri).ok();
        let host = host.map(|url| url.origin().ascii_serialization());
        Self {
            request: request.to_owned(),
            client: ClientView::new(client),
            person: PersonView::new(person),
            who,
            asked,
            return_host: host.unwrap_or_else(|| pending.redirect_uri.clone()),
        }
    }
}

impl ClientView {
    fn new(client: &Client) -> Self {
        Self { name: client.name.clone(), initial: initial(&client.name) }
    }
}

impl PersonView {
    pub(super) fn new(person: &Person) -> Self {
        let Person { sub, email, name, hd } = person.clone();
        Self { initial: initial(&name), sub, name, email, hd }
    }
}

impl ScopeView {
    pub(super) fn new(scope: &str, granted: &BTreeSet<String>) -> Self {
        let at = if scope.starts_with(PREFIX) { PREFIX.len() } else { 0 };
        let (front, name) = scope.split_at(at);
        Self {
            scope: scope.to_owned(),
            parts: (front.to_owned(), name.to_owned()),
            words: words(scope),
            granted: granted.contains(scope),
        }
    }
}

fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

impl Problem {
    fn new(status: u16, error: &'static str, text: &str) -> Self {
        Self {
            status,
            error,
            title: "Access blocked: the request is not right".to_owned(),
            text: text.to_owned(),
            details: Vec::new(),
            client: None,
        }
    }

    /// A request that cannot be used at all.
    pub(super) fn request(detail: &str) -> Self {
        let text = "The application sent a request that cannot be used. Tell its developer.";
        Self { details: vec![detail.to_owned()], ..Self::new(400, "invalid_request", text) }
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::request(&format!("Missing required parameter: {name}"))
    }

    pub(super) fn value(name: &str, value: &str) -> Self {
        Self::request(&format!("Invalid parameter value for {name}: {value}"))
    }

    /// The application is not registered, or not any more.
    pub(super) fn client(error: &'static str, text: &str) -> Self {
        let title = "Access blocked: authorization error".to_owned();
        Self { title, ..Self::new(401, error, text) }
    }

    pub(super) fn redirect_uri(client: &Client, asked: &str) -> Self {
        let text = "You cannot sign in, because the address to which this application wants to \
            send you is not registered for it.";
        let registered = client.redirect_uris.iter().map(|uri| format!("registered: {uri}"));
        let details = [format!("redirect_uri={asked}")].into_iter().chain(registered).collect();
        Self { details, ..Self::new(400, "redirect_uri_mismatch", text) }.of(client)
    }

    pub(super) fn scope(valid: &[&str], invalid: &[&str]) -> Self {
        let text = "The application asks for something that does not exist.";
        let both = format!("{{valid={valid:?}, invalid={invalid:?}}}");
        let detail = format!("Some requested scopes were invalid. {both}");
        Self { details: vec![detail], ..Self::new(400, "invalid_scope", text) }
    }

    /// The application is for another organisation.
    pub(super) fn internal(person: &Person) -> Self {
        let text = format!(
            "This application is for the people of one organisation. {} is not of it. Sign in with \
             an account of that organisation.",
            person.email
        );
        let title = "Access blocked: this application is for another organisation".to_owned();
        Self { title, ..Self::new(403, "org_internal", &text) }
    }

    /// The administrator said no.
    pub(super) fn administrator(person: &Person) -> Self {
        let text = format!(
            "The administrator of {} does not allow this application, or what it asks for. Ask \
             your administrator.",
            person.hd.as_deref().unwrap_or("your organisation")
        );
        let title = "Access blocked: your organisation does not allow this".to_owned();
        Self { title, ..Self::new(400, "admin_policy_enforced", &text) }
    }

    /// Too late, another browser, or nothing that ever began here.
    pub(super) fn over() -> Self {
        let text = "This page belongs to a request that is over. Start again from the application.";
        let title = "Start again".to_owned();
        Self { title, ..Self::new(400, "invalid_request", text) }
    }

    /// With the application's name.
    pub(super) fn of(self, client: &Client) -> Self {
        Self { client: Some(client.name.clone()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google::Config;
    use crate::http::Body;

    #[test]
    fn every_page_renders_and_escapes_what_others_named() {
        let pages = Pages::new();
        let mut client = Client::new("id", "secret", "https://app.example/<cb>?a=1");
        client.name = "<b>App</b>".to_owned();
        let mut person = Config::default().people.remove(0);
        person.name = "<i>Ada".to_owned();
        let granted = BTreeSet::from(["openid".to_owned()]);
        let scopes = ["openid", "https://www.googleapis.com/auth/calendar"].map(ToOwned::to_owned);
        let pending = Pending {
            client_id: "id".to_owned(),
            redirect_uri: "https://app.example/<cb>?a=1".to_owned(),
            scopes: scopes.into(),
            state: None,
            nonce: None,
            challenge: None,
            offline: true,
            include_granted: false,
            prompt: crate::google::state::Prompt::default(),
            login_hint: None,
            hd: None,
            account: None,
            expires_at: 0,
        };
        let connections = ConnectionsPage {
            accounts: vec![AccountView {
                person: PersonView::new(&person),
                projects: vec![ProjectView {
                    project: "<p>".to_owned(),
                    names: client.name.clone(),
                    scopes: vec![ScopeView::new("openid", &granted)],
                    refresh_tokens: 2,
                }],
            }],
            ahead: Some("2 hours".to_owned()),
        };
        for answer in [
            pages.accounts(&AccountsPage::new("r", &client, &[&person], Some("<hd>"))),
            pages.consent(&ConsentPage::new("r", &client, &person, &pending, &granted)),
            pages.connections(&connections),
            pages.problem(&Problem::redirect_uri(&client, "<script>")),
            pages.problem(&Problem::scope(&["openid"], &["<x>"]).of(&client)),
            pages.problem(&Problem::internal(&person).of(&client)),
        ] {
            let Body::Text(page) = answer.body else { unreachable!("a page is text") };
            assert!(page.contains("<title>") && page.contains("Stand-in for Google"), "{page}");
            assert!(page.contains("</html>"), "{page}");
            for raw in ["<b>App", "<i>Ada", "<p>\"", "<script", "<x>", "<hd>", "<cb>"] {
                assert!(!page.contains(raw), "{raw} in {page}");
            }
        }
    }
}
