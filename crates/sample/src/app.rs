//! The application as one value, and how it is served and stopped.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, Settings, StartError};
use crate::flow::Flows;
use crate::http::Http;
use crate::pages::Pages;
use crate::provider::Provider;
use crate::routes;
use crate::sessions::Sessions;
use crate::television::Televisions;

const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long requests under way may take once it is time to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

pub(crate) struct App {
    pub(crate) settings: Arc<Settings>,
    pub(crate) http: Http,
    pub(crate) provider: Provider,
    pub(crate) flows: Flows,
    pub(crate) sessions: Sessions,
    pub(crate) televisions: Televisions,
    pub(crate) pages: Pages,
}

impl App {
    fn new(config: Config) -> Result<Self, StartError> {
        let settings = Arc::new(Settings::check(config)?);
        let http = Http::new(&settings)?;
        Ok(Self {
            provider: Provider::new(settings.clone(), http.clone()),
            sessions: Sessions::open(&settings)?,
            flows: Flows::default(),
            televisions: Televisions::default(),
            pages: Pages::new(),
            settings,
            http,
        })
    }
}

/// Serves the sample on every listener until `shutdown` completes, then finishes what is under way.
///
/// The provider need not be there yet: it is asked at the first sign-in. Fails when the settings or
/// the data folder cannot be used, or when a listener breaks.
pub async fn serve(
    config: Config,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), StartError> {
    let app = Arc::new(App::new(config)?);
    let (stop, stopped) = watch::channel(());
    let mut servers = JoinSet::new();
    for listener in listeners {
        let (router, mut stopped) = (routes::router(app.clone()), stopped.clone());
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error means that the sender is gone, which is a reason to stop as well.
            let _ = stopped.changed().await;
        });
        servers.spawn(async move { server.await });
    }
    let sweeper = tokio::spawn(sweep(app));
    let result = tokio::select! {
        () = shutdown => Ok(()),
        Some(ended) = servers.join_next() => ended.unwrap_or_else(|e| Err(std::io::Error::other(e))),
    };
    sweeper.abort();
    stop.send_replace(());
    let rest = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_REQUESTS, rest).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(result?)
}

async fn sweep(app: Arc<App>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        app.flows.sweep();
        app.televisions.sweep();
        app.sessions.sweep().await;
    }
}
