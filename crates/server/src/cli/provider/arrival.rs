//! How the browser's way back comes to the terminal: to a port of this machine, or pasted.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use axum::Router;
use axum::http::{StatusCode, Uri};
use grantor_core::params::Params;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::listen;

/// What the person sees in the browser.
const DONE: &str = "Grantor has what it needs. You can close this window.\n";
/// How long a browser may take to read that.
const GOODBYE: Duration = Duration::from_secs(2);

/// Listens on `port` of this machine.
pub(super) fn listen(port: u16) -> anyhow::Result<Vec<TcpListener>> {
    listen::bind("localhost", port).map_err(|_| {
        anyhow!(
            "port {port} of this machine cannot be used: give another one with --port, and \
                 register its redirect URI, or leave --port out and paste the address"
        )
    })
}

/// Waits for a request to the path of the redirect URI; its query.
pub(super) async fn at(listeners: Vec<TcpListener>, redirect_uri: &str) -> anyhow::Result<String> {
    let wanted = Url::parse(redirect_uri).context("--redirect-uri is not a URL")?.path().to_owned();
    let (found, mut arrived) = mpsc::channel(1);
    let answer = move |uri: Uri| {
        let (found, wanted) = (found.clone(), wanted.clone());
        async move {
            match uri.query().filter(|_| uri.path() == wanted) {
                Some(query) => {
                    // The first one counts; a reload finds the channel full.
                    let _taken = found.try_send(query.to_owned());
                    (StatusCode::OK, DONE)
                }
                None => (StatusCode::NOT_FOUND, "There is nothing here.\n"),
            }
        }
    };
    let router = Router::new().fallback(answer);
    let (stop, stopped) = watch::channel(());
    let mut servers = JoinSet::new();
    for listener in listeners {
        let mut stopped = stopped.clone();
        let served = axum::serve(listener, router.clone());
        let served = served.with_graceful_shutdown(async move {
            let _dropped = stopped.changed().await;
        });
        servers.spawn(async move { served.await });
    }
    let query = arrived.recv().await.context("nothing listens any more")?;
    // The person should see the answer, which is on its way as long as its connection is.
    drop(stop);
    let _late = timeout(GOODBYE, servers.join_all()).await;
    Ok(query)
}

/// Reads the address at which the browser has ended; its query.
pub(super) async fn pasted() -> anyhow::Result<String> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await??;
    let line = line.trim();
    if line.is_empty() {
        let how = if std::io::stdin().is_terminal() { "" } else { " on standard input" };
        bail!("there was no address{how}; run it again and paste the one that the browser shows");
    }
    let query = line.split_once('?').map(|(_, rest)| rest.split('#').next().unwrap_or_default());
    query.map(ToOwned::to_owned).context("the address has no `?`: paste the whole of it")
}

/// The code, if the browser comes from the attempt that sent it away.
pub(super) fn code<'q>(
    params: &'q Params<'_>,
    state: &str,
    issuer: Option<&str>,
) -> anyhow::Result<&'q str> {
    // RFC 6749 §10.12
    if params.get("state") != Some(state) {
        bail!("the state is not the one that was sent: this address is from another attempt");
    }
    // RFC 9207 §2.4
    if let Some(issuer) = issuer.filter(|own| params.get("iss") != Some(*own)) {
        bail!(
            "iss is {:?}, and the description says {issuer:?}: another provider has answered, or \
             authorize.issuer is wrong",
            params.get("iss").unwrap_or_default()
        );
    }
    if let Some(error) = params.get("error") {
        let description = params.get("error_description").unwrap_or_default();
        bail!("the provider says {error:?}: {description}");
    }
    params.get("code").context("the address has neither code nor error")
}
