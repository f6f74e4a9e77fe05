//! A sign-in on the operator's own page, half done.

use crate::id::{ExternalId, RequestId};
use crate::secret::Digest;
use crate::time::Timestamp;

/// A sign-in that was handed to the operator's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSignIn {
    /// Names it in the challenge.
    pub id: ExternalId,
    /// The authorization request that it belongs to; `None` when the page was opened by itself.
    pub request: Option<RequestId>,
    /// Where the browser goes on after the sign-in, if there is no authorization request: a path of
    /// this server.
    pub then: Option<String>,
    /// The browser that signs in: a digest of its cookie.
    pub browser: Digest,
    /// What the application has answered.
    pub answer: Option<ExternalAnswer>,
    /// Of the credential that the browser returns with, once there is an answer.
    pub verifier: Option<Digest>,
    /// When it was handed over.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// What the application says about the person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum ExternalAnswer {
    /// It knows who it is.
    Accepted(ExternalIdentity),
    /// It does not, or says no.
    Rejected {
        /// Why, for the person; up to 200 characters.
        reason: Option<String>,
    },
}

/// A person as the operator's application knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExternalIdentity {
    /// The application's own name for the person, never given to anybody else; up to 200 characters.
    pub subject: String,
    /// The address, if it is known; lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proved to be the person's.
    #[serde(default)]
    pub email_verified: bool,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the person signed in there, if that was before now: with a session of its own, the
    /// application may know a person without asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// RFC 8176 values.
    #[serde(default)]
    pub amr: Vec<String>,
    /// The `acr` claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}
