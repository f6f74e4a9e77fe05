//! A device that waits for a person: RFC 8628.

use crate::id::{DeviceId, FamilyId, SessionId, UserId};
use crate::model::{Authentication, Scope};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// A device authorization request: RFC 8628 §3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAuthorization {
    /// Names the row; part of the device code.
    pub id: DeviceId,
    /// Of the device code.
    pub digest: Digest,
    /// What the person types: letters only, no dash, upper case; unique among those that wait.
    pub user_code: String,
    /// The client on the device.
    pub client_id: String,
    /// What it asks for.
    pub scope: Scope,
    /// The resources that it asks for (RFC 8707).
    pub resource: Vec<String>,
    /// What has become of it.
    pub state: DeviceState,
    /// The least time between two polls; grows with each that came too soon (RFC 8628 §3.5).
    pub interval: Seconds,
    /// When the device last asked.
    pub polled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What a person has said to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nothing yet.
    Pending,
    /// Yes.
    Approved(Approval),
    /// No.
    Denied,
    /// Yes, and the tokens were fetched.
    Redeemed {
        /// The tokens.
        family: FamilyId,
    },
}

/// Who said yes, and how they had signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub user: UserId,
    /// In which browser session.
    pub session: SessionId,
    /// How the person had signed in.
    pub authentication: Authentication,
}
