//! Why a person cannot go on, and what can be done about it.

use crate::error::{Broken, Failure};
use crate::jose::JoseError;
use crate::model::{Account, ConnectSession, Scope};
use crate::registration::text::misleads;
use crate::store::StoreError;
use crate::vault::answer::{FailureClass, ProviderFailure};

/// Characters of a text of the provider that are shown.
const LONGEST_TEXT: usize = 300;

/// Why a person cannot go on. Each has a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The link is not one of ours, or its time is over.
    LinkGone,
    /// The link has done its work, or was declined.
    LinkUsed,
    /// What the browser came back with is used, too old, or of a flow that was begun anew since.
    StateGone,
    /// The same, and the account is connected: a page was loaded twice.
    AlreadyDone,
    /// The flow was begun in another browser.
    OtherBrowser,
    /// Somebody else is signed in than the link is for.
    OtherPerson,
    /// The connection that was to be granted again is not there any more.
    ConnectionGone,
    /// The integration was taken out of the settings, or may not be connected in this way any more.
    NotOffered,
    /// The person said no, here or at the provider.
    Denied,
    /// The provider told another error.
    Provider {
        /// Its code.
        error: String,
        /// Its words.
        description: Option<String>,
    },
    /// The provider takes the code for used or expired.
    CodeRefused,
    /// The provider refuses our client: the operator has to do something.
    Misconfigured,
    /// The provider does not answer as it should.
    Away,
    /// The answer is not from the provider, or not for us; why, for the log.
    Untrusted(String),
    /// Another account than the one that is connected.
    OtherAccount(Box<Mismatch>),
    /// Scopes were not granted without which a connection is of no use.
    ScopesMissing {
        /// Those.
        missing: Scope,
    },
}

/// Two accounts that should be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The one that is connected.
    pub expected: Account,
    /// The one that was signed in with.
    pub given: Account,
}

impl Stop {
    /// Its name in records, and for the application.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::LinkGone => "link_gone",
            Self::LinkUsed => "link_used",
            Self::StateGone => "state_gone",
            Self::AlreadyDone => "already_done",
            Self::OtherBrowser => "other_browser",
            Self::OtherPerson => "other_person",
            Self::ConnectionGone => "connection_gone",
            Self::NotOffered => "not_offered",
            Self::Denied => "access_denied",
            Self::Provider { .. } => "provider_error",
            Self::CodeRefused => "code_refused",
            Self::Misconfigured => "client_refused",
            Self::Away => "provider_away",
            Self::Untrusted(_) => "untrusted_answer",
            Self::OtherAccount(_) => "other_account",
            Self::ScopesMissing { .. } => "scopes_missing",
        }
    }

    /// More about it, for the operator.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Untrusted(why) => Some(why.clone()),
            Self::Provider { error, description } => {
                Some(format!("{error}: {}", description.as_deref().unwrap_or_default()))
            }
            Self::OtherAccount(own) => {
                Some(format!("{} instead of {}", own.given.sub, own.expected.sub))
            }
            Self::ScopesMissing { missing } => Some(missing.to_string()),
            Self::LinkGone
            | Self::LinkUsed
            | Self::StateGone
            | Self::AlreadyDone
            | Self::OtherBrowser
            | Self::OtherPerson
            | Self::ConnectionGone
            | Self::NotOffered
            | Self::Denied
            | Self::CodeRefused
            | Self::Misconfigured
            | Self::Away => None,
        }
    }

    /// Whether the same link may lead further the next time.
    pub(super) const fn may_be_tried_again(&self) -> bool {
        match self {
            Self::Denied
            | Self::Provider { .. }
            | Self::CodeRefused
            | Self::Away
            | Self::Untrusted(_)
            | Self::OtherAccount(_)
            | Self::ScopesMissing { .. } => true,
            Self::LinkGone
            | Self::LinkUsed
            | Self::StateGone
            | Self::AlreadyDone
            | Self::OtherBrowser
            | Self::OtherPerson
            | Self::ConnectionGone
            | Self::NotOffered
            | Self::Misconfigured => false,
        }
    }

    /// What a failed call at the provider means to the person who waits for it.
    pub(super) fn of(failure: ProviderFailure) -> Self {
        match failure.class {
            FailureClass::GrantDead => Self::CodeRefused,
            FailureClass::ClientBroken => Self::Misconfigured,
            FailureClass::BadRequest => Self::Provider {
                error: failure.error.unwrap_or_else(|| "invalid_request".to_owned()),
                description: Some(failure.detail).filter(|text| !text.is_empty()),
            },
            FailureClass::Throttled | FailureClass::Transient | FailureClass::UnknownOutcome => {
                Self::Away
            }
        }
    }
}

/// The end of a person's way, with what can be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadEnd {
    /// Why.
    pub why: Stop,
    /// What people call the provider, once that is known.
    pub provider: Option<String>,
    /// The link to try again with, if that may help.
    pub retry: Option<String>,
    /// Where the application waits, told what happened.
    pub back: Option<String>,
}

impl DeadEnd {
    /// An end about which nothing more is known.
    pub(super) const fn new(why: Stop) -> Self {
        Self { why, provider: None, retry: None, back: None }
    }

    /// The end of `session`.
    pub(super) fn of(session: &ConnectSession, label: Option<&str>, why: Stop) -> Self {
        let back = session.return_url.as_deref().map(|url| returning(url, "error", why.as_str()));
        Self { why, provider: label.map(ToOwned::to_owned), retry: None, back }
    }

    /// The same, with the link to try again.
    #[must_use]
    pub(super) fn retry(mut self, link: String) -> Self {
        self.retry = Some(link);
        self
    }
}

/// `url` with one more parameter.
pub(super) fn returning(url: &str, name: &str, value: &str) -> String {
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{pair}")
}

/// A text of somebody else, as it may be shown: short, and without what misleads.
pub(super) fn readable(text: &str) -> String {
    text.chars().filter(|c| !misleads(*c)).take(LONGEST_TEXT).collect()
}

/// What ends a flow: a dead end, or a server that cannot do its part.
pub(super) enum Halt {
    /// The person cannot go on.
    Stop(Stop),
    /// The server cannot.
    Failure(Failure),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Self {
        Self::Failure(broken.into())
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<JoseError> for Halt {
    fn from(error: JoseError) -> Self {
        Self::Failure(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_a_query_or_begin_one() {
        assert_eq!(
            returning("https://a.example/x", "error", "a b"),
            "https://a.example/x?error=a+b"
        );
        assert_eq!(
            returning("https://a.example/x?y=1", "error", "z"),
            "https://a.example/x?y=1&error=z"
        );
    }
}
