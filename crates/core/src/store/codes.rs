//! Authorization codes: RFC 6749 §4.1.

use async_trait::async_trait;

use super::{Issued, StoreError};
use crate::id::{CodeId, FamilyId, RequestId};
use crate::model::{Code, Consent, User};
use crate::secret::Digest;
use crate::time::Timestamp;

/// What a request at the authorization endpoint is answered with: a code, tokens, or both.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The code.
    pub code: Option<Code>,
    /// Tokens that go through the browser: RFC 6749 §4.2.
    pub tokens: Option<Issued>,
}

/// The outcome of answering a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The code and the tokens work from now on.
    Done,
    /// The pending request was answered before or has expired; nothing was written.
    Gone,
}

/// A code with the person who granted it, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeView {
    /// The code.
    pub code: Code,
    /// The person, who may be disabled; `None` when the account is gone.
    pub user: Option<User>,
}

/// The outcome of redeeming a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The code is spent and the tokens work.
    Done,
    /// The code was spent before. What it was spent for is already revoked.
    Replayed {
        /// What was revoked.
        family: FamilyId,
    },
    /// Unknown, wrong or expired; or spent without tokens.
    Gone,
}

/// Authorization codes.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Answers a pending request, in one step: ends the request (if there is one), remembers the
    /// consent (widening the scope of an earlier one) and stores code and tokens.
    async fn answer_request(
        &self,
        answer: Answer,
        request: Option<RequestId>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<Answered, StoreError>;

    /// The code with this id and digest, spent and expired ones included as long as they are kept.
    async fn code(&self, id: CodeId, digest: &Digest) -> Result<Option<CodeView>, StoreError>;

    /// Spends the code and stores what it is exchanged for. Of any number of callers, one gets
    /// `Done`; each later one `Replayed`, also when the code has expired since, which revokes the
    /// family (RFC 6749 §4.1.2).
    async fn redeem_code(
        &self,
        id: CodeId,
        digest: &Digest,
        issued: Issued,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError>;

    /// Spends the code for nothing, after a wrong verifier or a wrong client. A code that was
    /// spent before is `Replayed`; otherwise `Gone`, and later redeeming is `Gone`.
    async fn spend_code(
        &self,
        id: CodeId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError>;
}
