//! Which page tells a person about a failure.

use grantor_core::error::{Broken, Code, Failure, Refusal};
use grantor_core::store::StoreError;

use crate::pages::{ErrorKind, ErrorPage};

/// The page of a dead end.
pub(crate) fn page(failure: &Failure) -> ErrorPage {
    match failure {
        Failure::Refused(refusal) => refused(refusal),
        Failure::Broken(Broken::Store(StoreError::Unavailable(_))) => {
            ErrorPage::new(ErrorKind::Unavailable)
        }
        Failure::Broken(
            Broken::Store(StoreError::Corrupt(_))
            | Broken::Key(_)
            | Broken::NoSigningKey(_)
            | Broken::Corrupt(_),
        ) => ErrorPage::new(ErrorKind::Internal),
    }
}

fn refused(refusal: &Refusal) -> ErrorPage {
    let page = ErrorPage::new(kind(refusal)).code(refusal.code().as_str());
    match refusal {
        Refusal::Throttled { wait, .. } => page.wait(wait.0.into()),
        Refusal::RequestGone {}
        | Refusal::ExternalGone {}
        | Refusal::NoAccount {}
        | Refusal::AccountDisabled {}
        | Refusal::CsrfMismatch {} => page,
        other => page.detail(other.to_string()),
    }
}

fn kind(refusal: &Refusal) -> ErrorKind {
    match (refusal, refusal.code()) {
        (Refusal::RedirectUriMismatch {} | Refusal::RedirectUriMissing {}, _) => {
            ErrorKind::RedirectUri
        }
        (
            Refusal::RequestGone {} | Refusal::RequestOfOtherBrowser {} | Refusal::ExternalGone {},
            _,
        ) => ErrorKind::Spent,
        (Refusal::NoAccount {}, _) => ErrorKind::NoAccount,
        (Refusal::ExternalRejected {}, _) => ErrorKind::SignInRefused,
        (Refusal::CsrfMismatch {}, _) => ErrorKind::Csrf,
        (_, Code::TooManyRequests) => ErrorKind::TooManyRequests,
        (_, Code::InvalidClient) => ErrorKind::InvalidClient,
        (_, Code::AccessDenied | Code::DeviceDenied) => ErrorKind::Refused,
        (_, Code::TemporarilyUnavailable) => ErrorKind::Unavailable,
        (_, Code::ServerError) => ErrorKind::Internal,
        (
            _,
            Code::InvalidRequest
            | Code::InvalidGrant
            | Code::UnauthorizedClient
            | Code::UnsupportedGrantType
            | Code::UnsupportedTokenType
            | Code::InvalidTarget
            | Code::AuthorizationPending
            | Code::SlowDown
            | Code::ExpiredToken
            | Code::InvalidRedirectUri
            | Code::InvalidClientMetadata
            | Code::UnapprovedSoftwareStatement
            | Code::InvalidScope
            | Code::UnsupportedResponseType
            | Code::LoginRequired
            | Code::ConsentRequired
            | Code::RequestNotSupported
            | Code::RequestUriNotSupported
            | Code::RegistrationNotSupported
            | Code::InvalidToken
            | Code::MissingToken
            | Code::InsufficientScope
            | Code::ConnectionNotFound
            | Code::AmbiguousConnection
            | Code::ReauthRequired
            | Code::ConnectSessionNotFound
            | Code::MethodNotAllowed
            | Code::BadGateway
            | Code::GatewayTimeout,
        ) => ErrorKind::BadRequest,
    }
}
