//! Devices that wait for a person: the rows of `device_authorization`.

use grantor_core::id::{DeviceId, FamilyId, SessionId, UserId};
use grantor_core::model::{Approval, DeviceAuthorization, DeviceState};
use grantor_core::time::Seconds;

use crate::columns::{
    AUTHENTICATION, Columns, Unreadable, Value, authentication, list_column, values,
};

/// The columns of a device, those of the table that is named: `""`, or `"x."`.
macro_rules! device_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, digest, user_code, client_id, scope, resource, state, redeemed_as,
            user_id, session_id, auth_time, method, amr, acr, interval, polled_at,
            created_at, expires_at
        )
    };
}
pub(crate) use device_columns;

/// What is bound for [`device_columns`].
pub(crate) fn row(device: &DeviceAuthorization) -> Result<[Value<'_>; 18], Unreadable> {
    let (state, approval, family) = match &device.state {
        DeviceState::Pending => ("pending", None, None),
        DeviceState::Approved(approval) => ("approved", Some(approval), None),
        DeviceState::Denied => ("denied", None, None),
        DeviceState::Redeemed { family } => ("redeemed", None, Some(family)),
    };
    let [auth_time, method, amr, acr] = authentication(approval.map(|own| &own.authentication));
    Ok(values![
        device.id.0,
        device.digest,
        &device.user_code,
        &device.client_id,
        device.scope.as_str(),
        list_column(&device.resource)?,
        state,
        family.map(|family| family.0),
        approval.map(|approval| approval.user.0),
        approval.map(|approval| approval.session.0),
        auth_time,
        method,
        amr,
        acr,
        device.interval.0,
        device.polled_at,
        device.created_at,
        device.expires_at,
    ])
}

/// What is bound for an answer: `state`, `user_id`, `session_id`, `auth_time`, `method`, `amr` and
/// `acr`.
pub(crate) fn answer(approval: Option<&Approval>) -> [Value<'_>; 7] {
    let [auth_time, method, amr, acr] = authentication(approval.map(|own| &own.authentication));
    values![
        if approval.is_some() { "approved" } else { "denied" },
        approval.map(|approval| approval.user.0),
        approval.map(|approval| approval.session.0),
        auth_time,
        method,
        amr,
        acr,
    ]
}

/// Reads [`device_columns`].
pub(crate) fn device(columns: &mut Columns<'_>) -> Result<DeviceAuthorization, Unreadable> {
    Ok(DeviceAuthorization {
        id: DeviceId(columns.id()?),
        digest: columns.digest()?,
        user_code: columns.value()?,
        client_id: columns.value()?,
        scope: columns.scope()?,
        resource: columns.json_or_none()?,
        state: state(columns)?,
        interval: Seconds(columns.value()?),
        polled_at: columns.optional_time()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}

/// From `state` to `acr`.
fn state(columns: &mut Columns<'_>) -> Result<DeviceState, Unreadable> {
    let name = columns.text()?;
    let family = columns.optional_id()?.map(FamilyId);
    let approval = columns.optional(2 + AUTHENTICATION, approval)?;
    match (&*name, family, approval) {
        ("pending", _, _) => Ok(DeviceState::Pending),
        ("denied", _, _) => Ok(DeviceState::Denied),
        ("approved", _, Some(approval)) => Ok(DeviceState::Approved(approval)),
        ("redeemed", Some(family), _) => Ok(DeviceState::Redeemed { family }),
        (other, _, _) => Err(Unreadable(format!("not a state of a device: {other:?}"))),
    }
}

fn approval(columns: &mut Columns<'_>) -> Result<Approval, Unreadable> {
    Ok(Approval {
        user: UserId(columns.id()?),
        session: SessionId(columns.id()?),
        authentication: columns.authentication()?,
    })
}
