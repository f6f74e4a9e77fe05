//! Access and refresh tokens: the rows of `access_token` and `token_family`.

use grantor_core::id::{AccessTokenId, FamilyId, SessionId, UserId};
use grantor_core::model::{AccessToken, Family, Refresh};
use grantor_core::secret::Digest;
use grantor_core::store::{AccessView, FamilyView, JwtView, Renewal, Rotated, Rotation};
use grantor_core::time::Timestamp;

use super::consents::{CONSENT_COLUMNS, consent};
use super::users::{USER_COLUMNS, user};
use crate::columns::{
    AUTHENTICATION, Columns, Unreadable, Value, authentication, claims_column, json_column,
    list_column, values,
};

/// The columns of a family, those of the table that is named: `""`, or `"x."`.
macro_rules! family_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, client_id, user_id, session_id, scope, resource, claims, auth_time,
            method, amr, acr, refresh_current, refresh_previous, refresh_generation,
            refresh_rotated_at, refresh_idle_expires_at, refresh_expires_at,
            refresh_uses_left, sole_access, created_at, expires_at, revoked_at
        )
    };
}
pub(crate) use family_columns;

/// How many they are, and how many of them are about the refresh token.
const FAMILY_COLUMNS: usize = 22;
const REFRESH_COLUMNS: usize = 7;

/// The columns of an access token, those of the table that is named: `""`, or `"x."`.
macro_rules! access_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, digest, family_id, client_id, scope, audience, exchanged, issued_at,
            expires_at
        )
    };
}
pub(crate) use access_columns;

/// How many they are.
pub(crate) const ACCESS_COLUMNS: usize = 9;

/// What is bound for [`family_columns`].
pub(crate) fn family_row(family: &Family) -> Result<[Value<'_>; FAMILY_COLUMNS], Unreadable> {
    let [auth_time, method, amr, acr] = authentication(family.authentication.as_ref());
    let refresh = family.refresh.as_ref();
    Ok(values![
        family.id.0,
        &family.client_id,
        family.user.map(|user| user.0),
        family.session.map(|session| session.0),
        family.scope.as_str(),
        list_column(&family.resource)?,
        claims_column(&family.claims)?,
        auth_time,
        method,
        amr,
        acr,
        refresh.map(|refresh| refresh.current),
        refresh.and_then(|refresh| refresh.previous),
        refresh.map(|refresh| refresh.generation),
        refresh.map(|refresh| refresh.rotated_at),
        refresh.map(|refresh| refresh.idle_expires_at),
        refresh.map(|refresh| refresh.expires_at),
        refresh.and_then(|refresh| refresh.uses_left),
        family.sole_access.map(|access| access.0),
        family.created_at,
        family.expires_at,
        family.revoked_at,
    ])
}

/// What is bound for [`access_columns`].
pub(crate) fn access_row(access: &AccessToken) -> Result<[Value<'_>; ACCESS_COLUMNS], Unreadable> {
    Ok(values![
        access.id.0,
        access.digest,
        access.family.map(|family| family.0),
        &access.client_id,
        access.scope.as_str(),
        list_column(&access.audience)?,
        access.exchanged.as_ref().map(json_column).transpose()?,
        access.issued_at,
        access.expires_at,
    ])
}

/// Reads the columns of a family, its person and the consent.
pub(crate) fn family_view(columns: &mut Columns<'_>) -> Result<FamilyView, Unreadable> {
    Ok(FamilyView {
        family: family(columns)?,
        user: columns.optional(USER_COLUMNS, user)?,
        consent: columns.optional(CONSENT_COLUMNS, consent)?,
    })
}

/// Reads the columns of an access token, its family and its person.
pub(crate) fn access_view(columns: &mut Columns<'_>) -> Result<AccessView, Unreadable> {
    let token = AccessToken {
        id: AccessTokenId(columns.id()?),
        digest: columns.digest()?,
        family: columns.optional_id()?.map(FamilyId),
        client_id: columns.value()?,
        scope: columns.scope()?,
        audience: columns.json_or_none()?,
        exchanged: columns.optional_json()?,
        issued_at: columns.time()?,
        expires_at: columns.time()?,
    };
    let family = columns.optional(FAMILY_COLUMNS, family)?;
    Ok(AccessView { token, family, user: columns.optional(USER_COLUMNS, user)? })
}

/// Reads whether a token was revoked, its family and its person.
pub(crate) fn jwt_view(columns: &mut Columns<'_>) -> Result<JwtView, Unreadable> {
    Ok(JwtView {
        revoked: columns.value()?,
        family: columns.optional(FAMILY_COLUMNS, family)?,
        user: columns.optional(USER_COLUMNS, user)?,
    })
}

fn family(columns: &mut Columns<'_>) -> Result<Family, Unreadable> {
    Ok(Family {
        id: FamilyId(columns.id()?),
        client_id: columns.value()?,
        user: columns.optional_id()?.map(UserId),
        session: columns.optional_id()?.map(SessionId),
        scope: columns.scope()?,
        resource: columns.json_or_none()?,
        claims: columns.json_or_none()?,
        authentication: columns.optional(AUTHENTICATION, Columns::authentication)?,
        refresh: columns.optional(REFRESH_COLUMNS, refresh)?,
        sole_access: columns.optional_id()?.map(AccessTokenId),
        created_at: columns.time()?,
        expires_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

fn refresh(columns: &mut Columns<'_>) -> Result<Refresh, Unreadable> {
    Ok(Refresh {
        current: columns.digest()?,
        previous: columns.optional_digest()?,
        generation: columns.value()?,
        rotated_at: columns.time()?,
        idle_expires_at: columns.time()?,
        expires_at: columns.time()?,
        uses_left: columns.value()?,
    })
}

/// Whether an access token that was found by its id works: not whether one that it was exchanged for
/// was revoked.
pub(crate) fn works(view: &AccessView, id: AccessTokenId, digest: &Digest, now: Timestamp) -> bool {
    let kept = match (view.token.family, &view.family) {
        (None, _) => true,
        (Some(_), family) => {
            let from = view.token.exchanged.as_ref().map_or(&[][..], |own| &own.from);
            family.as_ref().is_some_and(|family| family.keeps(id, from))
        }
    };
    view.token.digest == *digest && now < view.token.expires_at && kept
}

/// The columns that [`alive`] reads.
macro_rules! alive_columns {
    () => {
        "id, refresh_current, refresh_previous, refresh_rotated_at, refresh_expires_at, \
         refresh_uses_left, sole_access"
    };
}
pub(crate) use alive_columns;

/// The refresh token of a family that can still be used.
pub(crate) struct Alive {
    pub(crate) family: FamilyId,
    pub(crate) current: Digest,
    previous: Option<Digest>,
    rotated_at: Timestamp,
    expires_at: Timestamp,
    pub(crate) uses_left: Option<u32>,
    sole_access: Option<AccessTokenId>,
}

impl Alive {
    /// What becomes of a rotation; never [`Rotated::Gone`].
    pub(crate) fn rotated(&self, rotation: &Rotation, now: Timestamp) -> Rotated {
        if self.current == rotation.presented {
            return Rotated::Done;
        }
        let lasts = now < self.rotated_at.plus(rotation.grace);
        let same = self.previous.as_ref() == Some(&rotation.presented);
        if lasts && same && self.current == rotation.successor {
            return Rotated::SameAgain;
        }
        // RFC 9700 §4.14.2: a spent refresh token came back, so one of two holders is a thief.
        Rotated::Reused
    }

    /// When the family ends: it lasts as long as anything that it has given out.
    pub(crate) fn end(&self, renewal: &Renewal) -> Timestamp {
        renewal.idle_expires_at.min(self.expires_at).max(renewal.access_expires_at)
    }

    /// The one access token that works from now on. Tokens that were ended stay so, even if the
    /// client has been told to keep its tokens since.
    pub(crate) fn sole_access(&self, renewal: &Renewal) -> Option<AccessTokenId> {
        let new = renewal.access.as_ref().map(|access| access.id);
        renewal.sole.or_else(|| self.sole_access.and(new))
    }
}

/// Reads [`alive_columns`].
pub(crate) fn alive(columns: &mut Columns<'_>) -> Result<Alive, Unreadable> {
    Ok(Alive {
        family: FamilyId(columns.id()?),
        current: columns.digest()?,
        previous: columns.optional_digest()?,
        rotated_at: columns.time()?,
        expires_at: columns.time()?,
        uses_left: columns.value()?,
        sole_access: columns.optional_id()?.map(AccessTokenId),
    })
}
