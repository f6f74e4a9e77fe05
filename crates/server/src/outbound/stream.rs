//! Calls that are passed on: bodies stream both ways, nothing is kept of them here.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::{HeaderMap, Method, Response};
use reqwest::{Client, ClientBuilder, Request};
use url::Url;

use super::{Reach, builder, cause};

/// For a connection to be made, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(15);

/// Passes calls on to hosts of others, under the same guard as everything that goes out.
pub(crate) struct Streams {
    reach: Arc<Reach>,
    /// Made when it is first used: that reads the root certificates of the system.
    client: OnceLock<Result<Client, String>>,
}

/// Why there is no answer; for the log, never for the caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The other side has surely not seen the request.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have.
    #[error("broken off: {0}")]
    Broken(String),
}

impl Streams {
    /// One that goes where `reach` says.
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach: Arc::new(reach), client: OnceLock::new() }
    }

    /// Sends a request and answers the head, with a body that can be read. No redirect is followed.
    /// Dropping the future, or the body, ends the call. How long it may take is for the caller to
    /// say.
    pub(crate) async fn send<B>(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: B,
    ) -> Result<Response<Body>, Unanswered>
    where
        B: HttpBody<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
        B: Send + Sync + 'static,
    {
        self.reach.check(&url).map_err(Unanswered::NotSent)?;
        let client = self.client.get_or_init(|| client(builder(&self.reach)?)).as_ref();
        let client = client.map_err(|why| Unanswered::NotSent(why.clone()))?;
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let answer = client.execute(request).await.map_err(|error| {
            match error.is_connect() || error.is_builder() {
                true => Unanswered::NotSent(cause(error)),
                false => Unanswered::Broken(cause(error)),
            }
        })?;
        Ok(Response::<reqwest::Body>::from(answer).map(Body::new))
    }
}

fn client(builder: ClientBuilder) -> Result<Client, String> {
    builder.connect_timeout(CONNECT).pool_idle_timeout(IDLE).build().map_err(cause)
}
