//! Documents of others, by HTTP: the one client that fetches what a registration names.
//!
//! Whoever registers a client chooses the address, so it may be meant for what only this server can
//! reach: its own ports, its network, the metadata service of its cloud. Every address is looked at
//! after the name is resolved and right before the connection, so that a name cannot change what it
//! means in between; no redirect is followed. Calls at providers go the same way.

mod addresses;
mod call;
mod stream;

use std::collections::HashMap;
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use grantor_core::outbound::{self, CallError, FetchError, Outbound, Request};
use grantor_core::time::Seconds;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Proxy, Response, header, redirect};
use tokio::sync::watch;
use url::{Host, Url};

use addresses::is_public;
pub(crate) use stream::{Streams, Unanswered};

/// From the first packet to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a document at most.
const MOST_BYTES: usize = 64 * 1024;
/// Documents that are fetched at once at most.
const MOST_FLIGHTS: usize = 64;

/// Where requests may go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// Also to addresses that are not public.
    pub(crate) allow_private: bool,
    /// Hosts that may be anywhere, and without TLS; lower case.
    pub(crate) allowed_hosts: Vec<String>,
    /// The proxy that all requests go through.
    pub(crate) proxy: Option<Url>,
}

/// Fetches documents of others.
pub(crate) struct Web(Arc<Inner>);

struct Inner {
    reach: Arc<Reach>,
    /// Made when it is first used: that reads the root certificates of the system.
    client: OnceLock<Result<Client, String>>,
    /// The same for calls, which bring their own deadline.
    caller: OnceLock<Result<Client, String>>,
    flights: Mutex<HashMap<String, Flight>>,
}

/// A fetch that others may wait for too.
type Flight = watch::Receiver<Option<Result<Arc<[u8]>, FetchError>>>;

impl Web {
    /// One that goes where `reach` says.
    pub(crate) fn new(reach: Reach) -> Self {
        let (client, caller) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { reach: Arc::new(reach), client, caller, flights: Mutex::default() }))
    }
}

#[async_trait]
impl Outbound for Web {
    async fn json(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let mut flight = self.0.flight(url)?;
        let landed = flight.wait_for(Option::is_some).await;
        let answer = landed.ok().and_then(|answer| answer.clone());
        answer.unwrap_or_else(|| Err(failed(url, "the fetch was broken off"))).map(|b| b.to_vec())
    }

    async fn call(
        &self,
        request: Request,
        deadline: Seconds,
    ) -> Result<outbound::Response, CallError> {
        self.0.make(request, deadline).await
    }
}

impl Inner {
    /// The fetch of `url` that is going on, or a new one. It goes on when nobody waits for it.
    fn flight(self: &Arc<Self>, url: &str) -> Result<Flight, FetchError> {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(url).filter(|flight| flight.has_changed().is_ok()) {
            return Ok(flight.clone());
        }
        if flights.len() >= MOST_FLIGHTS {
            return Err(failed(url, "too many documents are being fetched"));
        }
        let (landed, flight) = watch::channel(None);
        flights.insert(url.to_owned(), flight.clone());
        let (inner, url) = (Arc::clone(self), url.to_owned());
        tokio::spawn(async move {
            let answer = inner.fetch(&url).await.map_err(|why| failed(&url, why));
            if let Err(error) = &answer {
                tracing::warn!(%error, "cannot fetch a document");
            }
            inner.flights().remove(&url);
            landed.send_replace(Some(answer.map(Arc::from)));
        });
        Ok(flight)
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.reach.check(&url)?;
        let client = self
            .client
            .get_or_init(|| builder(&self.reach)?.timeout(TIMEOUT).build().map_err(cause));
        let request = client.as_ref().map_err(Clone::clone)?.get(url);
        let request = request.header(header::ACCEPT, "application/json, application/jwk-set+json");
        let answer = request.send().await.map_err(cause)?;
        if answer.status().as_u16() != 200 {
            return Err(format!("it answered {}, not 200", answer.status().as_u16()));
        }
        read(answer, MOST_BYTES).await
    }
}

impl Reach {
    /// From the settings; refuses a proxy that is no URL.
    pub(crate) fn new(
        allow_private: bool,
        allowed_hosts: &[String],
        proxy: Option<&str>,
    ) -> Result<Self, url::ParseError> {
        let host = |host: &String| match host.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => host.to_ascii_lowercase(),
        };
        let allowed_hosts = allowed_hosts.iter().map(host).collect();
        Ok(Self { allow_private, allowed_hosts, proxy: proxy.map(Url::parse).transpose()? })
    }

    /// Refuses what can be refused by the address alone, with the reason.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        let host = url.host().ok_or("it names no host")?;
        let allowed = self.allows(&plain(&host));
        match url.scheme() {
            "https" => {}
            "http" if allowed => {}
            _ => return Err("it must be https, or of a host in outbound.allowed_hosts".into()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not hold a password".into());
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match literal {
            Some(address) if !allowed && !self.allow_private && !is_public(address) => {
                Err(not_public(address))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn allows(&self, host: &str) -> bool {
        self.allowed_hosts.iter().any(|own| own == host)
    }

    /// Of the addresses of a name those that requests may go to.
    fn fitting(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let proxy = self.proxy.as_ref().and_then(Url::host_str).is_some_and(|own| own == name);
        if self.allow_private || proxy || self.allows(name) {
            return Ok(found);
        }
        let hidden = found.iter().map(SocketAddr::ip).find(|address| !is_public(*address));
        let fitting: Vec<_> = found.into_iter().filter(|own| is_public(own.ip())).collect();
        match (fitting.is_empty(), hidden) {
            (true, Some(address)) => Err(not_public(address)),
            (_, _) => Ok(fitting),
        }
    }
}

/// Resolves names with the system, and keeps to itself what may not be reached.
struct Guarded(Arc<Reach>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_ascii_lowercase();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let fitting = reach.fitting(name.trim_end_matches('.'), found)?;
            Ok(Box::new(fitting.into_iter()) as Addrs)
        })
    }
}

fn builder(reach: &Arc<Reach>) -> Result<ClientBuilder, String> {
    let mut builder = Client::builder()
        // What the environment says is meant for other programs.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .user_agent(concat!("grantor/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Guarded(Arc::clone(reach)));
    if let Some(proxy) = &reach.proxy {
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(cause)?);
    }
    Ok(builder)
}

async fn read(mut answer: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(cause)? {
        if body.len() + chunk.len() > most {
            return Err(format!("it is longer than {} KiB", most / 1024));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A host as it is written in the settings: IPv6 without brackets.
fn plain(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

fn not_public(address: IpAddr) -> String {
    format!(
        "{address} is not a public address; if it is meant to be reached, add the host to \
         outbound.allowed_hosts"
    )
}

/// The innermost reason, which is the one that says something.
fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_none() { error.without_url().to_string() } else { cause.to_string() }
}

fn failed(url: &str, why: impl Into<String>) -> FetchError {
    FetchError { url: url.to_owned(), why: why.into() }
}

#[cfg(test)]
mod tests;
