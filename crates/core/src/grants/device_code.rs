//! The device authorization grant: RFC 8628 §3.4 and §3.5.

use crate::error::{Failure, Refusal};
use crate::id::DeviceId;
use crate::model::{Approval, ClaimsRequest, Client, DeviceAuthorization, DeviceState, Scope};
use crate::params::Params;
use crate::resource;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::Polled;
use crate::time::{Seconds, Timestamp};
use crate::tokens::{Granted, TokenResponse, issue, subject_active};

/// RFC 8628 §3.5: slow_down makes the interval five seconds longer.
const SLOWER: Seconds = Seconds(5);

/// Answers a poll: with tokens once the person has said yes.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let credential = Credential::parse(Kind::DeviceCode, params.required("device_code")?);
    let credential = credential.ok_or(Refusal::DeviceCodeUnknown {})?;
    let (id, digest) = (DeviceId(credential.id()), credential.digest());
    match server.store.poll_device(id, &digest, &client.client_id, SLOWER, now).await? {
        Polled::Pending => Err(Refusal::DevicePending {}.into()),
        Polled::SlowDown => Err(Refusal::DeviceSlowDown {}.into()),
        Polled::Denied => Err(Refusal::DeviceDenied {}.into()),
        Polled::Expired => Err(Refusal::DeviceExpired {}.into()),
        Polled::Replayed { .. } => Err(Refusal::DeviceReplayed {}.into()),
        Polled::Gone => Err(Refusal::DeviceCodeUnknown {}.into()),
        Polled::Approved(device) => redeem(server, client, *device, params, now).await,
    }
}

async fn redeem(
    server: &AuthorizationServer,
    client: &Client,
    device: DeviceAuthorization,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let DeviceState::Approved(Approval { user, session, authentication }) = device.state else {
        return Err(Refusal::DeviceCodeUnknown {}.into());
    };
    let user = server.store.user(user).await?;
    let user = subject_active(user.as_ref()).ok_or(Refusal::PersonGone {})?;
    // What was allowed may have been withdrawn since.
    let consent = server.store.consent(user.id, &client.client_id).await?;
    let covers = |given: &Scope| device.scope.first_outside(given).is_none();
    if !consent.is_some_and(|consent| covers(&consent.scope)) {
        return Err(Refusal::ConsentGone {}.into());
    }
    let audience = resource::narrowed(&server.policy, &device.resource, params)?;
    let granted = Granted {
        client,
        user: Some(user),
        session: Some(session),
        authentication: Some(authentication),
        scope: device.scope,
        resource: device.resource,
        audience,
        claims: ClaimsRequest::default(),
        nonce: None,
        refresh: true,
        id_token: true,
    };
    let (issued, answer) = issue(server, granted, now)?;
    if server.store.redeem_device(device.id, issued, now).await? {
        Ok(answer)
    } else {
        Err(Refusal::DeviceCodeUnknown {}.into())
    }
}
