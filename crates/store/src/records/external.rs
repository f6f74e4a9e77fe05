//! Sign-ins on the operator's own page that are half done: the rows of `external_sign_in`.

use grantor_core::id::{ExternalId, RequestId};
use grantor_core::model::ExternalSignIn;

use crate::columns::{Columns, Unreadable, Value, json_column, values};

/// The columns of a sign-in elsewhere, those of the table that is named: `""`, or `"x."`.
macro_rules! external_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, request_id, then_path, browser, answer, verifier, created_at,
            expires_at
        )
    };
}
pub(crate) use external_columns;

/// What is bound for [`external_columns`].
pub(crate) fn row(sign_in: &ExternalSignIn) -> Result<[Value<'_>; 8], Unreadable> {
    Ok(values![
        sign_in.id.0,
        sign_in.request.map(|request| request.0),
        sign_in.then.as_deref(),
        sign_in.browser,
        sign_in.answer.as_ref().map(json_column).transpose()?,
        sign_in.verifier,
        sign_in.created_at,
        sign_in.expires_at,
    ])
}

/// Reads [`external_columns`].
pub(crate) fn sign_in(columns: &mut Columns<'_>) -> Result<ExternalSignIn, Unreadable> {
    Ok(ExternalSignIn {
        id: ExternalId(columns.id()?),
        request: columns.optional_id()?.map(RequestId),
        then: columns.value()?,
        browser: columns.digest()?,
        answer: columns.optional_json()?,
        verifier: columns.optional_digest()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
