//! The stand-in as one value, every URL of it, and how it is served.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::MethodFilter;
use axum::routing::{MethodRouter, get, on};
use serde_json::Value;
use tokio::net::TcpListener;

use super::config::Config;
use super::keys::Keys;
use super::pages::{MARK, Pages, STYLE};
use super::state::State;
use super::{api, authorize, control, discovery, people, revoke, signin, token};
use crate::calls::{self, Call, Desk};
use crate::http::{Answer, Form};
use crate::wire::Wire;
use crate::{control as common, http};

/// The name of the cookie that tells who is signed in in a browser.
const COOKIE: &str = "google_standin_browser";

#[derive(Debug)]
pub(super) struct App {
    pub(super) desk: Arc<Desk>,
    /// The issuer, and what is in front of every path; without a slash at the end.
    pub(super) base: String,
    pub(super) keys: Arc<Keys>,
    pub(super) pages: Pages,
    config: Config,
    state: Mutex<State>,
}

/// A request as its handler needs it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) headers: HeaderMap,
    pub(super) form: Form,
    /// The body where it is JSON.
    pub(super) json: Value,
}

/// Serves the stand-in on every listener until `stop` completes, then finishes what is under way.
///
/// Everything is in memory, and gone with it. Fails when a listener breaks.
pub async fn serve(
    config: Config,
    listeners: Vec<TcpListener>,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let base = match (&config.base_url, listeners.first()) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(listener)) => format!("http://{}", listener.local_addr()?),
        (None, None) => return Ok(()),
    };
    let desk = Arc::new(Desk::default());
    let app = Arc::new(App {
        desk: desk.clone(),
        base,
        keys: Arc::default(),
        pages: Pages::new(),
        state: Mutex::new(State::new(&config)),
        config,
    });
    let stop = async {
        stop.await;
        desk.reset();
    };
    http::serve(router(&app), listeners, stop).await
}

fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", read("discovery", discovery::metadata))
        .route("/oauth2/v3/certs", read("certs", discovery::keys))
        .route("/o/oauth2/v2/auth", both("auth", authorize::begin))
        // What the file says that a developer downloads from the console.
        .route("/o/oauth2/auth", both("auth", authorize::begin))
        .route(
            "/v3/signin/accountchooser",
            read("accountchooser", signin::accounts).merge(write("accountchooser", signin::choose)),
        )
        .route(
            "/signin/oauth/consent",
            read("consent", signin::consent).merge(write("consent", signin::answer)),
        )
        .route("/token", write("token", token::token))
        .route("/revoke", both("revoke", revoke::revoke))
        .route("/v1/userinfo", both("userinfo", api::userinfo))
        .route("/calendar/v3/users/me/calendarList", read("calendar", api::calendars))
        .route("/calendar/v3/freeBusy", write("calendar", api::free_busy))
        .route("/drive/v3/about", read("drive", api::drive))
        .route(
            "/connections",
            read("connections", people::connections).merge(write("connections", people::change)),
        )
        .route("/", get(|| async { axum::response::Redirect::to("/connections") }))
        .route("/standin.css", get(|| async { ([(header::CONTENT_TYPE, "text/css")], STYLE) }))
        .route("/standin.svg", get(|| async { ([(header::CONTENT_TYPE, "image/svg+xml")], MARK) }))
        .merge(control::router())
        .with_state(app.clone())
        .merge(common::router(app.desk.clone()))
}

fn read(name: &'static str, work: fn(&App, &Asked) -> Answer) -> MethodRouter<Arc<App>> {
    endpoint(MethodFilter::GET, name, work)
}

fn write(name: &'static str, work: fn(&App, &Asked) -> Answer) -> MethodRouter<Arc<App>> {
    endpoint(MethodFilter::POST, name, work)
}

fn both(name: &'static str, work: fn(&App, &Asked) -> Answer) -> MethodRouter<Arc<App>> {
    endpoint(MethodFilter::GET.or(MethodFilter::POST), name, work)
}

fn endpoint(
    methods: MethodFilter,
    name: &'static str,
    work: fn(&App, &Asked) -> Answer,
) -> MethodRouter<Arc<App>> {
    let handler = async move |Shared(app): Shared<Arc<App>>,
                              ConnectInfo(wire): ConnectInfo<Wire>,
                              request: Request|
                -> Response {
        let headers = request.headers().clone();
        let (form, json) = Form::or_json(request).await;
        let asked = Asked { headers, form, json };
        let form = &asked.form;
        let call = match name {
            "token" => Call::of_token(form.first("grant_type"), form.first("refresh_token")),
            _ => Call::of(name),
        };
        match name {
            "auth" | "discovery" | "certs" => app.keys.prepare(),
            _ => {}
        }
        if matches!(name, "token" | "certs") {
            app.keys.settled().await;
        }
        let desk = app.desk.clone();
        calls::answer(&desk, wire, call, move || work(&app, &asked)).await
    };
    on(methods, handler)
}

impl App {
    /// What is remembered; never kept across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970, by the clock that can be moved.
    pub(super) fn now(&self) -> i64 {
        self.desk.clock.now()
    }

    /// Everything as at the start.
    pub(super) fn reset(&self) {
        self.desk.reset();
        *self.state() = State::new(&self.config);
    }
}

impl Asked {
    /// The browser's cookie.
    pub(super) fn browser(&self) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).into_iter();
        let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
    }
}

/// An answer that gives the browser its cookie.
pub(super) fn with_browser(answer: Answer, browser: &str) -> Answer {
    let line = format!("{COOKIE}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600");
    answer.with(header::SET_COOKIE, &line)
}
