//! Authorization codes: the rows of `authorization_code`.

use grantor_core::id::{CodeId, FamilyId, SessionId, UserId};
use grantor_core::model::{Challenge, Code};
use grantor_core::secret::Digest;
use grantor_core::store::CodeView;

use super::users::{USER_COLUMNS, user};
use crate::columns::{
    Columns, Unreadable, Value, authentication, claims_column, list_column, values,
};

/// The columns of a code, those of the table that is named: `""`, or `"x."`.
macro_rules! code_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, digest, client_id, user_id, session_id, redirect_uri,
            redirect_uri_given, scope, resource, claims, nonce, challenge,
            auth_time, method, amr, acr, created_at, expires_at, redeemed_as
        )
    };
}
pub(crate) use code_columns;

/// What is bound for [`code_columns`] and `spent_at`.
pub(crate) fn row(code: &Code) -> Result<[Value<'_>; 20], Unreadable> {
    let [auth_time, method, amr, acr] = authentication(Some(&code.authentication));
    Ok(values![
        code.id.0,
        code.digest,
        &code.client_id,
        code.user.0,
        code.session.0,
        &code.redirect_uri,
        code.redirect_uri_given,
        code.scope.as_str(),
        list_column(&code.resource)?,
        claims_column(&code.claims)?,
        code.nonce.as_deref(),
        code.challenge.as_ref().map(|challenge| challenge.0),
        auth_time,
        method,
        amr,
        acr,
        code.created_at,
        code.expires_at,
        code.redeemed_as.map(|family| family.0),
        code.redeemed_as.map(|_| code.created_at),
    ])
}

/// Reads [`code_columns`] and the columns of an account.
pub(crate) fn view(columns: &mut Columns<'_>) -> Result<CodeView, Unreadable> {
    Ok(CodeView { code: code(columns)?, user: columns.optional(USER_COLUMNS, user)? })
}

fn code(columns: &mut Columns<'_>) -> Result<Code, Unreadable> {
    Ok(Code {
        id: CodeId(columns.id()?),
        digest: columns.digest()?,
        client_id: columns.value()?,
        user: UserId(columns.id()?),
        session: SessionId(columns.id()?),
        redirect_uri: columns.value()?,
        redirect_uri_given: columns.value()?,
        scope: columns.scope()?,
        resource: columns.json_or_none()?,
        claims: columns.json_or_none()?,
        nonce: columns.value()?,
        challenge: columns.optional_digest()?.map(Challenge),
        authentication: columns.authentication()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        redeemed_as: columns.optional_id()?.map(FamilyId),
    })
}

/// What is known of a code that cannot be spent.
pub(crate) struct State {
    pub(crate) digest: Digest,
    pub(crate) redeemed_as: Option<FamilyId>,
}

/// Reads the columns `digest` and `redeemed_as`.
pub(crate) fn state(columns: &mut Columns<'_>) -> Result<State, Unreadable> {
    Ok(State { digest: columns.digest()?, redeemed_as: columns.optional_id()?.map(FamilyId) })
}
