//! An authorization request that waits for a person.

use crate::id::RequestId;
use crate::secret::Digest;
use crate::time::Timestamp;

/// What `/authorize` was asked, kept while the person signs in and consents. The parameters are
/// kept as they came and checked again at each step, so that nothing is allowed on old grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// The `request` parameter of the pages; one for each tab. A session with a later id is a sign-in
    /// for this request, which satisfies `prompt=login`.
    pub id: RequestId,
    /// The parameters in `application/x-www-form-urlencoded` form, sealed (they may hold an ID token
    /// as a hint) and in base64url.
    pub parameters: String,
    /// The browser that answers: a digest of its cookie, set by the first page that is shown.
    pub browser: Option<Digest>,
    /// Whether the person has chosen to go on with the account that is signed in.
    pub account_chosen: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}
