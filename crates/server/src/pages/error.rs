//! Dead ends: what happened, what to do next, and a request id to quote.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// A page without a way on inside the server. Its texts come from [`ErrorKind`].
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErrorPage {
    kind: ErrorKind,
    error: Option<String>,
    detail: Option<String>,
    reason: Option<String>,
    wait_seconds: Option<u64>,
    application: Option<String>,
    return_url: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ErrorKind {
    /// The application is not known here.
    InvalidClient,
    /// The application's return address is not registered.
    RedirectUri,
    /// The request is not complete or not right.
    BadRequest,
    /// The pending request was used already or is too old.
    Spent,
    /// The form does not belong to this browser or is too old.
    Csrf,
    /// The account may not be used.
    Refused,
    /// The person is not known here.
    NoAccount,
    /// The operator's own page said no.
    SignInRefused,
    /// No such page.
    NotFound,
    /// Over a limit.
    TooManyRequests,
    /// Something is broken here.
    Internal,
    /// The server cannot answer now.
    Unavailable,
}

impl ErrorKind {
    const ALL: [Self; 12] = [
        Self::InvalidClient,
        Self::RedirectUri,
        Self::BadRequest,
        Self::Spent,
        Self::Csrf,
        Self::Refused,
        Self::NoAccount,
        Self::SignInRefused,
        Self::NotFound,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];
}

impl ErrorPage {
    /// The page for `kind`, with nothing but its texts.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            error: None,
            detail: None,
            reason: None,
            wait_seconds: None,
            application: None,
            return_url: None,
        }
    }

    /// Adds the protocol's error code, in small mono.
    #[must_use]
    pub(crate) fn code(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Adds the public description of a refusal, marked as meant for the application's developer.
    #[must_use]
    pub(crate) fn detail(mut self, description: impl Into<String>) -> Self {
        self.detail = Some(description.into());
        self
    }

    /// Adds the reason that somebody gave, for the person.
    #[must_use]
    pub(crate) fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// Adds how long to wait before the next try.
    #[must_use]
    pub(crate) fn wait(mut self, seconds: u64) -> Self {
        self.wait_seconds = Some(seconds);
        self
    }

    /// Adds a link back to the application: a registered address only.
    #[must_use]
    pub(crate) fn back_to(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.application = Some(name.into());
        self.return_url = Some(url.into());
        self
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let mut samples: Vec<_> = ErrorKind::ALL.map(Self::new).to_vec();
        samples.push(
            Self::new(ErrorKind::BadRequest)
                .code("invalid_request")
                .detail("The parameter scope appears twice."),
        );
        samples.push(Self::new(ErrorKind::TooManyRequests).wait(90));
        let reason = Some("Your contract ended in May.".to_owned());
        samples.push(Self::new(ErrorKind::SignInRefused).reason(reason));
        samples
            .push(Self::new(ErrorKind::Spent).back_to("Acme Notes", "https://notes.example.com/"));
        samples.push(
            Self::new(ErrorKind::RedirectUri)
                .code(HOSTILE)
                .detail(HOSTILE)
                .reason(Some(HOSTILE.to_owned()))
                .back_to(HOSTILE, "javascript:alert(1)"),
        );
        samples
    }
}
