//! A server from its first listener to its last answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use grantor_core::ports::Entropy as _;
use grantor_core::time::Seconds;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{App, Demo};
use crate::background;
use crate::clock::SystemEntropy;
use crate::config::{Config, LogFormat};
use crate::listen::{self, Tls};
use crate::mail::{Mailer, Smtp};
use crate::router;
use crate::telemetry::{self, Leaving, Metrics, Observe};

/// A server that is ready to answer: its ports are taken and its data is open.
pub(crate) struct Prepared {
    app: Arc<App>,
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    mailer: Option<(Arc<dyn Mailer>, Seconds)>,
    metrics: Option<(TcpListener, Metrics)>,
    config: Config,
}

/// Takes the ports first, so that a second start on the same port does not touch the data.
pub(crate) async fn prepare(config: Config, demo: Option<Demo>) -> anyhow::Result<Prepared> {
    // The random generator gathers its seed for some 30 ms; the first request need not wait for it.
    tokio::task::spawn_blocking(|| SystemEntropy.fill(&mut [0]));
    let mut listeners = Vec::new();
    for address in &config.listen.address {
        listeners.extend(listen::bind(address, config.listen.port)?);
    }
    let tls = config.listen.tls.as_ref();
    let tls = tls.map(|files| Tls::load(&files.certificate, &files.key)).transpose()?;
    let (metrics, metrics_listener) = metrics(&config).await?;
    let mailer = mailer(&config, demo.as_ref())?;
    let app = App::open(&config, metrics.clone(), demo).await?;
    let metrics = metrics_listener.map(|listener| (listener, metrics));
    Ok(Prepared { app, listeners, tls, mailer, metrics, config })
}

impl Prepared {
    /// The application, for what is put into it before it answers.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Answers until `stop`, then finishes what was begun, and closes the store.
    pub(crate) async fn serve(self, stop: watch::Receiver<bool>) {
        let settings = self.config.listen.settings();
        let stop = drained(stop, self.app.leaving.clone(), self.config.listen.drain.duration());
        let observe = Observe::new(
            self.app.metrics.clone(),
            self.config.listen.trusted_proxies.clone(),
            self.app.leaving.clone(),
        );
        let routes = router::routes(self.app.clone()).layer(observe);
        let tasks = background::start(&self.app, self.mailer, stop.clone());
        let metrics = self.metrics.map(|(listener, metrics)| {
            let upkeep = tokio::spawn(metrics.upkeep());
            let served = listen::serve(
                vec![listener],
                None,
                metrics.router(),
                settings,
                stopped(stop.clone()),
            );
            (tokio::spawn(served), upkeep)
        });
        listen::serve(self.listeners, self.tls, routes, settings, stopped(stop)).await;
        tasks.finish(&self.app).await;
        if let Some((served, upkeep)) = metrics {
            upkeep.abort();
            let _ = served.await;
        }
        if let Err(error) = self.app.backend.clone().close().await {
            tracing::error!(cause = %error, "the store could not be closed");
        }
    }
}

/// Becomes true `drain` after `stop` did. In between the server is leaving.
fn drained(
    stop: watch::Receiver<bool>,
    leaving: Leaving,
    drain: Duration,
) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        stopped(stop).await;
        leaving.begin();
        tokio::time::sleep(drain).await;
        sender.send_replace(true);
    });
    receiver
}

/// Ready when the server is to stop.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left to say stop, which is a reason to stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Becomes true at the first signal to stop; a second one ends the process at once.
pub(crate) fn stop_on_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        signal().await;
        sender.send_replace(true);
        signal().await;
        std::process::exit(130);
    });
    receiver
}

/// Logs as the configuration says.
pub(crate) fn start_logs(config: &Config) {
    telemetry::start_logs(config.log.format == LogFormat::Json, config.log.level.filter());
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn metrics(config: &Config) -> anyhow::Result<(Metrics, Option<TcpListener>)> {
    let Some(address) = &config.listen.metrics else {
        return Ok((Metrics::off(), None));
    };
    let address: SocketAddr = address.parse().context("listen.metrics")?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address} for metrics"))?;
    Ok((Metrics::on(), Some(listener)))
}

/// SMTP where it is configured, else the demo's mailbox, else nothing; and how long one mail may be
/// in the hands of whoever sends it.
fn mailer(
    config: &Config,
    demo: Option<&Demo>,
) -> anyhow::Result<Option<(Arc<dyn Mailer>, Seconds)>> {
    if let Some(own) = &config.mail.smtp {
        let smtp =
            Smtp::new(own.settings()).map_err(|error| anyhow::anyhow!("mail.smtp: {error}"))?;
        let claim = Seconds(own.timeout.seconds().0.saturating_add(10));
        return Ok(Some((Arc::new(smtp), claim)));
    }
    let mailbox = demo.and_then(|demo| demo.mailbox.clone());
    Ok(mailbox.map(|mailbox| (mailbox as Arc<dyn Mailer>, Seconds(10))))
}
