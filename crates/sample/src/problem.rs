//! Everything that can go wrong for a person or a program: one reason, from which status, code and
//! words follow in one place.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request could not be served. Internal detail is logged where it is known, never shown.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// No session, or one that is not known here.
    SignedOut,
    /// The provider ended the sign-in: the refresh token is spent, revoked or too old.
    Ended,
    /// The sign-in reached its end here, with nothing to refresh it.
    Expired,
    ProviderAway,
    /// The provider answered a request of this backend with an OAuth error.
    ProviderRefused(OAuthError),
    /// The provider answered, but not in a way that can be trusted.
    ProviderWrong,
    /// The authorization response carries an error.
    SignInRefused(OAuthError),
    /// A state that is unknown, used or too old.
    UnknownState,
    ForeignBrowser,
    WrongIssuer,
    BadCallback,
    BadParameter(&'static str),
    NoRefreshToken,
    /// This application is not set up to play a television.
    NoTelevision,
    /// The provider has no device authorization endpoint.
    NoDevices,
    /// The person said no to the television.
    TelevisionDenied,
    /// Nobody entered the television's code in time.
    CodeExpired,
    /// This application has no API key for a vault.
    NoCalendar,
    /// The vault answered a request of this backend with an error.
    VaultRefused(OAuthError),
    /// The vault answered, but not in a way that can be used.
    VaultWrong,
    /// The person came back without having connected an account; the vault's `error`.
    NotConnected(String),
    ApiAway,
    CrossSite,
    NotFound,
    WrongMethod,
    Storage,
}

/// `error` and `error_description` of RFC 6749 §4.1.2.1 and §5.2, bounded.
#[derive(Clone, Debug)]
pub(crate) struct OAuthError {
    pub(crate) error: String,
    pub(crate) description: Option<String>,
}

impl OAuthError {
    pub(crate) fn new(error: &str, description: Option<&str>) -> Self {
        let bounded = |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect();
        Self { error: bounded(error), description: description.map(bounded) }
    }

    fn declined(&self) -> bool {
        self.error == "access_denied"
    }

    fn sentence(&self) -> String {
        match &self.description {
            Some(description) => format!("It said: {} ({description})", self.error),
            None => format!("It said: {}", self.error),
        }
    }
}

/// What a person or a program is told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    /// The `error` code in JSON.
    pub(crate) code: String,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    /// What to do next.
    pub(crate) next: &'static str,
    pub(crate) action: Action,
}

/// The main button of an error page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    SignIn,
    Home,
}

impl Problem {
    /// The words for this problem; `provider` is how people know the provider.
    pub(crate) fn told(&self, provider: &str) -> Told {
        let (status, code) = self.status_and_code();
        let (title, text, next) = (self.title(), self.text(provider), self.next());
        Told { status, code, title, text, next, action: self.action() }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::SignedOut => "Sign in first",
            Self::Ended => "You have been signed out",
            Self::Expired => "Your sign-in has run out",
            Self::ProviderAway => "The sign-in service does not answer",
            Self::ProviderRefused(_) => "The sign-in service refused",
            Self::ProviderWrong => "The sign-in could not be verified",
            Self::SignInRefused(error) if error.declined() => "You did not allow it",
            Self::SignInRefused(_) => "The sign-in did not work",
            Self::UnknownState => "This sign-in is no longer open",
            Self::ForeignBrowser => "This sign-in belongs to another browser",
            Self::WrongIssuer => "The answer came from someone else",
            Self::BadCallback => "The answer is not complete",
            Self::BadParameter(_) => "The address is not right",
            Self::NoRefreshToken => "There is nothing to refresh with",
            Self::NoTelevision => "There is no television here",
            Self::NoDevices => "The sign-in service knows no televisions",
            Self::TelevisionDenied => "It was not allowed",
            Self::CodeExpired => "The code has run out",
            Self::NoCalendar => "There is no calendar here",
            Self::VaultRefused(_) | Self::VaultWrong => "The vault refused",
            Self::NotConnected(error) if error == "access_denied" => "You did not allow it",
            Self::NotConnected(_) => "No account was connected",
            Self::ApiAway => "The API does not answer",
            Self::CrossSite => "That came from another site",
            Self::NotFound => "There is no such page",
            Self::WrongMethod => "That is not how this works",
            Self::Storage => "Your sign-in could not be kept",
        }
    }

    fn text(&self, provider: &str) -> String {
        let fixed = match self {
            Self::Ended => {
                return format!(
                    "{provider} ended this sign-in. Its tokens no longer work and were removed here."
                );
            }
            Self::ProviderAway => {
                return format!(
                    "{provider} could not be reached, or answered with an error of its own."
                );
            }
            Self::ProviderRefused(error) => {
                return format!(
                    "{provider} refused the request of this application. {}",
                    error.sentence()
                );
            }
            Self::ProviderWrong => {
                return format!(
                    "{provider} sent an answer that does not fit this sign-in, so it was not used."
                );
            }
            Self::SignInRefused(error) if error.declined() => {
                return format!(
                    "{provider} says that the sign-in was declined. Nothing was shared."
                );
            }
            Self::SignInRefused(error) => {
                return format!("{provider} did not sign you in. {}", error.sentence());
            }
            Self::WrongIssuer => {
                return format!("It does not name {provider} as its sender, so it was not used.");
            }
            Self::BadParameter(name) => {
                return format!("The parameter {name} is not one that can be used here.");
            }
            Self::NoRefreshToken => {
                return format!(
                    "{provider} gave no refresh token. The access token works until it runs out."
                );
            }
            Self::NoDevices => {
                return format!(
                    "{provider} does not offer a sign-in for devices without a keyboard."
                );
            }
            Self::TelevisionDenied => {
                return format!("Somebody said no at {provider}. This television got nothing.");
            }
            Self::VaultRefused(error) => {
                return format!("{provider} gave no token. {}", error.sentence());
            }
            Self::VaultWrong => {
                return format!("{provider} sent an answer that this application cannot read.");
            }
            Self::NoCalendar => "This application has no API key for a vault.",
            Self::NotConnected(_) => "You came back without it. Nothing was changed.",
            Self::NoTelevision => "This application has no client id for one.",
            Self::CodeExpired => "Nobody entered it in time. It is good for nothing any more.",
            Self::SignedOut => "You are not signed in here.",
            Self::Expired => "It reached the end of its life and could not be renewed.",
            Self::UnknownState => {
                "It was finished already, is older than ten minutes, or did not start here."
            }
            Self::ForeignBrowser => "It was started elsewhere, or this browser keeps no cookies.",
            Self::BadCallback => "A part of it is missing or there twice, so it was not used.",
            Self::ApiAway => "It could not be reached, or took too long.",
            Self::CrossSite => "Only pages of this application may do this. Nothing was done.",
            Self::NotFound => "The address may be mistyped.",
            Self::WrongMethod => "This address answers to another method.",
            Self::Storage => "The data folder of this application cannot be written.",
        };
        fixed.to_owned()
    }

    /// What to do.
    fn next(&self) -> &'static str {
        match self {
            Self::SignedOut | Self::Ended | Self::Expired => "Sign in to go on.",
            Self::ProviderAway => "Check that it is running, then try again. Nothing is lost.",
            Self::ProviderRefused(_) => {
                "Check the client id, the client secret and the redirect URI on both sides."
            }
            Self::SignInRefused(error) if error.declined() => {
                "Sign in again if that was not what you wanted."
            }
            Self::ProviderWrong
            | Self::SignInRefused(_)
            | Self::UnknownState
            | Self::WrongIssuer
            | Self::BadCallback => "Start the sign-in again from here.",
            Self::ForeignBrowser => "Start and finish the sign-in in the same browser.",
            Self::BadParameter(_) => "Remove it from the address and try again.",
            Self::NoRefreshToken => "Sign in again when it has run out.",
            Self::NoTelevision => "Start it with --tv-client-id, or sign in with the browser.",
            Self::NoCalendar => "Start it with --vault-api-key-file.",
            Self::VaultRefused(_) | Self::VaultWrong => {
                "Check the API key of this application and what it may do."
            }
            Self::NotConnected(_) => "Go to the calendar page to try again.",
            Self::NoDevices => "Sign in with the browser.",
            Self::TelevisionDenied => "Get a new code if that was a mistake.",
            Self::CodeExpired => "Get a new code and enter it on your phone or computer.",
            Self::ApiAway => "Try again in a moment. Nothing is lost.",
            Self::CrossSite | Self::WrongMethod => "Go to the start page and use the button there.",
            Self::NotFound => "Go to the start page.",
            Self::Storage => "Tell the people who run this application.",
        }
    }

    fn action(&self) -> Action {
        match self {
            Self::SignedOut
            | Self::Ended
            | Self::Expired
            | Self::ProviderWrong
            | Self::SignInRefused(_)
            | Self::UnknownState
            | Self::ForeignBrowser
            | Self::WrongIssuer
            | Self::BadCallback => Action::SignIn,
            Self::ProviderAway
            | Self::ProviderRefused(_)
            | Self::BadParameter(_)
            | Self::NoRefreshToken
            | Self::NoTelevision
            | Self::NoDevices
            | Self::NoCalendar
            | Self::VaultRefused(_)
            | Self::VaultWrong
            | Self::NotConnected(_)
            | Self::TelevisionDenied
            | Self::CodeExpired
            | Self::ApiAway
            | Self::CrossSite
            | Self::NotFound
            | Self::WrongMethod
            | Self::Storage => Action::Home,
        }
    }

    fn status_and_code(&self) -> (StatusCode, String) {
        let (status, code) = match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "login_required"),
            Self::Ended | Self::Expired => (StatusCode::UNAUTHORIZED, "session_ended"),
            Self::ProviderAway => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::ProviderRefused(_) | Self::ProviderWrong => {
                (StatusCode::BAD_GATEWAY, "provider_error")
            }
            Self::SignInRefused(error) => return (StatusCode::BAD_REQUEST, error.error.clone()),
            Self::UnknownState | Self::ForeignBrowser => (StatusCode::BAD_REQUEST, "invalid_state"),
            Self::WrongIssuer => (StatusCode::BAD_REQUEST, "invalid_issuer"),
            Self::BadCallback | Self::BadParameter(_) => {
                (StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::NoRefreshToken => (StatusCode::CONFLICT, "no_refresh_token"),
            Self::NoTelevision => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoDevices => (StatusCode::BAD_GATEWAY, "provider_error"),
            Self::TelevisionDenied => (StatusCode::FORBIDDEN, "access_denied"),
            Self::NoCalendar => (StatusCode::NOT_FOUND, "not_found"),
            Self::VaultRefused(_) | Self::VaultWrong => (StatusCode::BAD_GATEWAY, "vault_error"),
            Self::NotConnected(_) => (StatusCode::FORBIDDEN, "access_denied"),
            Self::CodeExpired => (StatusCode::GONE, "expired_token"),
            Self::ApiAway => (StatusCode::BAD_GATEWAY, "api_unavailable"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "cross_site_request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Storage => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        (status, code.to_owned())
    }
}

/// The bare answer carries the problem; the outermost layer gives it its page or its JSON.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, _) = self.status_and_code();
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
