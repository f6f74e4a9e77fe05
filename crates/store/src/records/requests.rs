//! Authorization requests that wait for a person: the rows of `pending_request`.

use grantor_core::id::RequestId;
use grantor_core::model::PendingRequest;
use grantor_core::secret::Digest;
use grantor_core::store::Bound;
use grantor_core::time::Timestamp;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a request, those of the table that is named: `""`, or `"x."`.
macro_rules! request_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, parameters, browser, account_chosen, created_at, expires_at
        )
    };
}
pub(crate) use request_columns;

/// What is bound for [`request_columns`].
pub(crate) fn row(request: &PendingRequest) -> [Value<'_>; 6] {
    values![
        request.id.0,
        &request.parameters,
        request.browser,
        request.account_chosen,
        request.created_at,
        request.expires_at,
    ]
}

/// How the request that was found stands to `browser`, or the request when it is tied to none.
pub(crate) fn look(
    found: Option<PendingRequest>,
    browser: &Digest,
    now: Timestamp,
) -> Result<Bound, PendingRequest> {
    match found.filter(|request| now < request.expires_at) {
        None => Ok(Bound::Gone),
        Some(request) => match request.browser {
            None => Err(request),
            Some(own) if own == *browser => Ok(Bound::Done(request)),
            Some(_) => Ok(Bound::Foreign),
        },
    }
}

/// Reads [`request_columns`].
pub(crate) fn request(columns: &mut Columns<'_>) -> Result<PendingRequest, Unreadable> {
    Ok(PendingRequest {
        id: RequestId(columns.id()?),
        parameters: columns.value()?,
        browser: columns.optional_digest()?,
        account_chosen: columns.value()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
