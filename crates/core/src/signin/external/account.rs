//! Which account the operator's application means.

use super::{Outcome, SignedIn};
use crate::error::Failure;
use crate::id::UserId;
use crate::model::{Authentication, ExternalIdentity, MethodName, User, UserStatus};
use crate::server::AuthorizationServer;
use crate::store::Added;
use crate::time::Timestamp;

/// The account by the application's own name for the person, else by a proved address, else a new
/// one if `sign_up` is on.
pub(super) async fn of(
    server: &AuthorizationServer,
    identity: ExternalIdentity,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let user = match known(server, &identity, now).await? {
        Some(user) => user,
        None if server.policy.sign_in.sign_up => match make(server, &identity, now).await? {
            Some(user) => user,
            None => return Ok(Outcome::NoAccount),
        },
        None => return Ok(Outcome::NoAccount),
    };
    if user.status == UserStatus::Disabled {
        return Ok(Outcome::Disabled);
    }
    let authentication = Authentication {
        auth_time: identity.auth_time.unwrap_or(now),
        method: MethodName::External,
        acr: identity.acr,
        amr: identity.amr,
    };
    Ok(Outcome::SignedIn(Box::new(SignedIn { user, authentication })))
}

async fn known(
    server: &AuthorizationServer,
    identity: &ExternalIdentity,
    now: Timestamp,
) -> Result<Option<User>, Failure> {
    if let Some(user) = server.store.user_by_external_subject(&identity.subject).await? {
        return Ok(Some(user));
    }
    // An address that nobody proved opens nobody's account.
    let Some(email) = proved(identity) else {
        return Ok(None);
    };
    let Some(mut user) = server.store.user_by_email(email).await? else {
        return Ok(None);
    };
    if user.status == UserStatus::Disabled {
        return Ok(Some(user));
    }
    if !server.store.link_external_subject(user.id, &identity.subject, now).await? {
        // The account is another person's of the application, or this one was just linked.
        return Ok(server.store.user_by_external_subject(&identity.subject).await?);
    }
    if !user.email_verified {
        server.store.mark_email_verified(user.id, now).await?;
        user.email_verified = true;
    }
    Ok(Some(user))
}

/// A new account. An address that nobody proved is left out: whoever proves it later must not find
/// somebody else's account behind it.
async fn make(
    server: &AuthorizationServer,
    identity: &ExternalIdentity,
    now: Timestamp,
) -> Result<Option<User>, Failure> {
    let email = proved(identity).map(ToOwned::to_owned);
    let user = User {
        id: UserId(server.new_id()),
        username: None,
        email_verified: email.is_some(),
        email,
        name: identity.name.clone(),
        external_subject: Some(identity.subject.clone()),
        password: None,
        status: UserStatus::Active,
        created_at: now,
        updated_at: now,
    };
    match server.store.add_user(user.clone()).await? {
        Added::Done => Ok(Some(user)),
        // Another browser of the same person was quicker, or the address is another account's.
        Added::Exists => Ok(server.store.user_by_external_subject(&identity.subject).await?),
    }
}

fn proved(identity: &ExternalIdentity) -> Option<&str> {
    identity.email.as_deref().filter(|_| identity.email_verified)
}
