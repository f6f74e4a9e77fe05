//! Devices without a browser: RFC 8628 §3.1 to §3.3. What they poll for is in `grants/device_code`.

use std::sync::Arc;

use serde::Serialize;

use crate::error::{Failure, Refusal};
use crate::grants::{self, scope};
use crate::id::DeviceId;
use crate::model::{
    Approval, Client, Consent, DeviceAuthorization, DeviceState, GrantType, MethodName,
};
use crate::params::Params;
use crate::ports::Entropy;
use crate::resource;
use crate::secret::Kind;
use crate::server::AuthorizationServer;
use crate::signin;
use crate::store::{Added, SessionView};
use crate::time::{Seconds, Timestamp};

/// Consonants only, so that no word comes out, and none that is taken for another: RFC 8628 §6.1.
/// Eight of them are 34.5 bits.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters of a user code.
const LENGTH: usize = 8;

/// The least time between two polls: RFC 8628 §3.2.
const INTERVAL: Seconds = Seconds(5);

/// User codes that are tried until one is free.
const ATTEMPTS: usize = 8;

/// What a device is told: RFC 8628 §3.2.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by the specification")]
pub struct DeviceAuthorizationResponse {
    pub device_code: String,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    pub expires_in: Seconds,
    pub interval: Seconds,
}

/// Begins an authorization for an authenticated client on a device.
pub async fn begin(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<DeviceAuthorizationResponse, Failure> {
    let grant = GrantType::DeviceCode;
    if !grants::enabled(&server.policy, grant) {
        return Err(Refusal::UnsupportedGrant { grant: grant.as_str().to_owned() }.into());
    }
    // RFC 8628 §3.1: the client is one that may use the grant.
    if !client.may_use(grant) {
        return Err(Refusal::GrantNotAllowed { grant: grant.as_str() }.into());
    }
    let credential = server.new_credential(Kind::DeviceCode);
    let mut device = DeviceAuthorization {
        id: DeviceId(credential.id()),
        digest: credential.digest(),
        user_code: String::new(),
        client_id: client.client_id.clone(),
        scope: scope::requested(&server.policy, client, params)?,
        resource: resource::requested(&server.policy, params)?,
        state: DeviceState::Pending,
        interval: INTERVAL,
        polled_at: None,
        created_at: now,
        expires_at: now.plus(server.policy.lifetimes.device_code),
    };
    for _ in 0..ATTEMPTS {
        device.user_code = random_code(server.entropy.as_ref());
        if server.store.add_device(device.clone()).await? == Added::Done {
            return Ok(response(server, credential.reveal(), &device.user_code));
        }
    }
    // More devices wait than user codes can tell apart.
    Err(Refusal::Throttled { wait: INTERVAL, per_minute: 0 }.into())
}

fn response(
    server: &AuthorizationServer,
    device_code: String,
    user_code: &str,
) -> DeviceAuthorizationResponse {
    let user_code = shown(user_code);
    let verification_uri = format!("{}/device", server.policy.issuer.trim_end_matches('/'));
    DeviceAuthorizationResponse {
        device_code,
        // RFC 8628 §3.3.1: the same page, with the code filled in.
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        verification_uri,
        user_code,
        expires_in: server.policy.lifetimes.device_code,
        interval: INTERVAL,
    }
}

/// The user code in what was typed; `None` for anything that is none.
// RFC 8628 §6.1: case and punctuation do not matter.
pub fn user_code(typed: &str) -> Option<String> {
    let dashes = "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}_.";
    let letters = typed.chars().filter(|c| !c.is_whitespace() && !dashes.contains(*c));
    let mut code = String::with_capacity(LENGTH);
    for letter in letters.take(LENGTH + 1) {
        let letter = u8::try_from(letter.to_ascii_uppercase()).ok()?;
        ALPHABET.contains(&letter).then(|| code.push(char::from(letter)))?;
    }
    (code.len() == LENGTH).then_some(code)
}

/// A user code as people read it: `WDJB-MJHT`.
pub fn shown(user_code: &str) -> String {
    match user_code.split_at_checked(LENGTH / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => user_code.to_owned(),
    }
}

/// A device that waits for an answer, and what asks on it.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The request.
    pub device: DeviceAuthorization,
    /// The client on the device.
    pub client: Arc<Client>,
}

/// The device with this user code that waits for an answer. Unknown, expired and answered look the
/// same.
pub async fn waiting(
    server: &AuthorizationServer,
    typed: &str,
    now: Timestamp,
) -> Result<Option<Waiting>, Failure> {
    let Some(code) = user_code(typed) else {
        return Ok(None);
    };
    let Some(device) = server.store.device_by_user_code(&code, now).await? else {
        return Ok(None);
    };
    // The client may have been removed or changed meanwhile.
    let client = server.store.client(&device.client_id).await?;
    let client = client.filter(|client| {
        client.may_use(GrantType::DeviceCode) && device.scope.first_outside(&client.scope).is_none()
    });
    Ok(client.map(|client| Waiting { device, client }))
}

/// The method to sign in by before this person may answer; `None` when the sign-in will do. The
/// client may take only some methods, and only sign-ins that are not too old.
pub fn sign_in_needed(
    server: &AuthorizationServer,
    waiting: &Waiting,
    session: &SessionView,
    now: Timestamp,
) -> Result<Option<MethodName>, Refusal> {
    let client = &waiting.client;
    let authentication = &session.session.authentication;
    let age = authentication.auth_time.until(now);
    let fresh = client.lifetimes.session.is_none_or(|oldest| age <= oldest);
    if fresh && signin::client_allows(client, authentication.method) {
        return Ok(None);
    }
    let mut offered = server.policy.sign_in.methods.iter().copied();
    let method = offered.find(|method| signin::client_allows(client, *method));
    method.map(Some).ok_or(Refusal::NoMethodLeft {})
}

/// Answers for the person who is signed in: yes, which is remembered as a consent, or no. Of two
/// answers one counts.
pub async fn answer(
    server: &AuthorizationServer,
    waiting: &Waiting,
    session: &SessionView,
    allowed: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let approval = allowed.then(|| Approval {
        user: session.user.id,
        session: session.session.id,
        authentication: session.session.authentication.clone(),
    });
    let consent = allowed.then(|| Consent {
        user: session.user.id,
        client_id: waiting.client.client_id.clone(),
        scope: waiting.device.scope.clone(),
        created_at: now,
        updated_at: now,
    });
    if server.store.answer_device(waiting.device.id, approval, consent, now).await? {
        Ok(())
    } else {
        Err(Refusal::RequestGone {}.into())
    }
}

fn random_code(entropy: &dyn Entropy) -> String {
    let mut code = String::with_capacity(LENGTH);
    let mut byte = [0];
    while code.len() < LENGTH {
        entropy.fill(&mut byte);
        // 240 is the largest multiple of 20 in a byte: what is above would favour some letters.
        if byte[0] < 240 {
            code.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ports::testing::SeededEntropy;

    #[test]
    fn user_codes_are_eight_letters_of_the_alphabet_and_differ() {
        let entropy = SeededEntropy::new(8);
        let codes: BTreeSet<_> = (0..500).map(|_| random_code(&entropy)).collect();
        assert_eq!(codes.len(), 500);
        let letters: BTreeSet<u8> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(letters, ALPHABET.iter().copied().collect());
        assert!(codes.iter().all(|code| code.len() == LENGTH));
    }

    #[test]
    fn a_user_code_is_read_however_it_is_typed() {
        for typed in
            ["WDJB-MJHT", "wdjbmjht", " wdjb mjht\n", "W-D-J-B-M-J-H-T", "wdjb\u{2013}mjht"]
        {
            assert_eq!(user_code(typed).as_deref(), Some("WDJBMJHT"), "{typed:?}");
        }
        for typed in ["", "WDJB", "WDJB-MJHTX", "ADJB-MJHT", "WDJB-MJH1", "ẞDJB-MJHT", "WDJB/MJHT"]
        {
            assert_eq!(user_code(typed), None, "{typed:?}");
        }
        assert_eq!(shown("WDJBMJHT"), "WDJB-MJHT");
    }
}
