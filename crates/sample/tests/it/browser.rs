//! A running sample, and a browser that follows what it is told and keeps cookies.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::StatusCode;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder};
use sample::{Calendar, Config, Secret};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::provider::{Provider, SECRET};
use crate::vault::API_KEY;

pub(crate) struct Sample {
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Sample {
    pub(crate) async fn start(issuer: &str, data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let mut config = Config::new(issuer, "sample", &base, data);
        config.client_secret = Some(Secret::new(SECRET));
        config.tv_client_id = Some("sample-tv".to_owned());
        config.calendar = Some(Calendar {
            api_key: Secret::new(API_KEY),
            integration: "google".to_owned(),
            api_url: format!("{issuer}/calendars"),
        });
        Self::start_with(config, listener).await
    }

    pub(crate) async fn start_with(config: Config, listener: TcpListener) -> Self {
        let base = config.base_url.clone();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            sample::serve(config, vec![listener], stopped).await.expect("serves");
        });
        Self { base, stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("is running");
        self.task.await.expect("stops cleanly");
    }
}

/// A provider, a sample on a folder of its own, and a browser at its start page.
pub(crate) async fn everything() -> (Provider, Sample, Browser, TempDir) {
    let provider = crate::provider::start().await;
    let data = tempfile::tempdir().expect("a folder");
    let sample = Sample::start(&provider.issuer, data.path()).await;
    let browser = Browser::at(&sample.base);
    (provider, sample, browser, data)
}

/// One answer, read to its end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) base: String,
    pub(crate) cookies: BTreeMap<String, String>,
    client: Client,
}

impl Browser {
    pub(crate) fn at(base: &str) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.build().expect("a client");
        Self { base: base.to_owned(), cookies: BTreeMap::new(), client }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(self.address(path));
        self.send(request).await
    }

    /// A form of the application's own page.
    pub(crate) async fn post(&mut self, path: &str) -> Page {
        let origin = self.base.clone();
        let request = self.client.post(self.address(path)).header("origin", origin);
        self.send(request).await
    }

    /// A POST with the given header, or with none at all as from curl.
    pub(crate) async fn post_with(&mut self, path: &str, header: Option<(&str, &str)>) -> Page {
        let mut request = self.client.post(self.address(path));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        self.send(request).await
    }

    /// To the provider and up to the callback address, which is returned and not opened.
    pub(crate) async fn reach_callback(&mut self) -> String {
        let start = self.get("/signin").await;
        assert_eq!(start.status, StatusCode::SEE_OTHER, "{}", start.body);
        let at_provider = self.get(&start.location.expect("leads to the provider")).await;
        at_provider.location.expect("leads back")
    }

    /// A whole sign-in.
    pub(crate) async fn sign_in(&mut self) {
        let callback = self.reach_callback().await;
        let done = self.get(&callback).await;
        assert_eq!((done.status, done.location.as_deref()), (StatusCode::SEE_OTHER, Some("/")));
    }

    fn address(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => format!("{}{path}", self.base),
            false => path.to_owned(),
        }
    }

    async fn send(&mut self, request: RequestBuilder) -> Page {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let answer = request.header("cookie", cookies).send().await.expect("an answer");
        for line in answer.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().expect("plain").split(';').next().expect("a pair");
            let (name, value) = pair.split_once('=').expect("a pair");
            match value.is_empty() {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let location = answer.headers().get(LOCATION);
        Page {
            status: answer.status(),
            location: location.map(|value| value.to_str().expect("plain").to_owned()),
            headers: answer.headers().clone(),
            body: answer.text().await.expect("a body"),
        }
    }
}
