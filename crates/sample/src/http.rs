//! The HTTP client for the provider and the API: no redirects, time limits, a cap on what it reads.

use std::pin::Pin;
use std::time::Duration;

use axum::http::StatusCode;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::config::{Settings, StartError, is_loopback};

/// The largest answer that is read, in bytes: discovery documents and key sets stay far below.
const MAX_ANSWER: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What the `openidconnect` crate sends its requests through.
#[derive(Clone, Debug)]
pub(crate) struct Http(reqwest::Client);

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("{0}")]
    Transport(#[from] reqwest::Error),
    #[error("{0}")]
    Message(#[from] axum::http::Error),
    #[error("the answer is larger than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("the answer is {0}: not now")]
    NotNow(StatusCode),
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, StartError> {
        let timeout = settings.config.request_timeout;
        let mut builder = reqwest::Client::builder()
            // RFC 9700 §4.11: a followed redirect would carry codes and secrets to another place.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .user_agent(concat!("fieldnotes/", env!("CARGO_PKG_VERSION")));
        let both = [&settings.issuer, &settings.protected_url];
        if both.into_iter().all(is_loopback) {
            // No proxy stands between two programs on one machine, whatever the environment says.
            builder = builder.no_proxy();
        }
        if both.into_iter().all(|url| url.scheme() == "http") {
            // A machine without root certificates can still run the demo.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self(builder.build()?))
    }

    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut response = axum::http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// The same for whoever goes on asking: an answer that only says "later" is an error there, like a
/// connection that fails.
#[derive(Clone, Debug)]
pub(crate) struct Patient(pub(crate) Http);

impl<'c> AsyncHttpClient<'c> for Patient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async {
            let answer = self.0.send(request).await?;
            let status = answer.status();
            match status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                true => Err(HttpError::NotNow(status)),
                false => Ok(answer),
            }
        })
    }
}
