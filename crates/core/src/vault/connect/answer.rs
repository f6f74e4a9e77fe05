//! The last step: the application completes a `bound` session, the person confirms or declines one
//! of mode `link`; and how far a session is.

use super::flow::{self, Grant};
use super::grant::{self, Connected};
use super::note;
use super::start::{self, Visitor};
use super::stop::{DeadEnd, Halt, Stop};
use crate::AuthorizationServer;
use crate::error::{Failure, Refusal};
use crate::id::ConnectSessionId;
use crate::model::{
    ApiKeyAction, ApiKeyRights, ConnectMode, ConnectSession, ConnectState, ConnectStep,
};
use crate::secret::{Credential, Kind};
use crate::time::Timestamp;
use crate::vault::audit::Actor;

/// Stores the grant behind a connect code for `subject`, the person who is signed in at the
/// application in the browser that brought the code. A session that was made for somebody else ends:
/// its link was sent on, and the account is not the subject's.
pub async fn complete(
    server: &AuthorizationServer,
    code: &str,
    subject: &str,
    rights: &ApiKeyRights,
    actor: &Actor,
    now: Timestamp,
) -> Result<Connected, Failure> {
    let gone = || Failure::from(Refusal::ConnectCodeGone {});
    let code = Credential::parse(Kind::ConnectCode, code).ok_or_else(gone)?;
    let session = server.store.connect_session(ConnectSessionId(code.id()), now).await?;
    let session = session.filter(|own| own.mode == ConnectMode::Bound).ok_or_else(gone)?;
    let Some((_, sealed)) = waiting_for(&session, &code) else {
        return Err(gone());
    };
    check_rights(rights, &session)?;
    if session.subject != subject {
        end_for_another(server, &session, &code, actor, now).await?;
        return Err(Refusal::ConnectCodeOfAnother {}.into());
    }
    match store(server, &session, sealed, actor, now).await {
        Ok(connected) => Ok(connected),
        Err(Halt::Failure(failure)) => Err(failure),
        Err(Halt::Stop(Stop::ConnectionGone)) => Err(Refusal::ConnectionNotFound {}.into()),
        Err(Halt::Stop(_)) => Err(gone()),
    }
}

async fn end_for_another(
    server: &AuthorizationServer,
    session: &ConnectSession,
    code: &Credential,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    let why = Stop::OtherPerson.as_str();
    let (waiting, failed) = (ConnectStep::Waiting, ConnectState::Failed(why.to_owned()));
    let own = Some(code.digest());
    if server.store.step_connect(session.id, waiting, own, failed, now).await?.is_some() {
        note::failed(server, session, actor, why, None, now).await?;
    }
    Ok(())
}

/// Takes the person's answer to the page of a `link` session.
pub async fn answer(
    server: &AuthorizationServer,
    code: &str,
    confirmed: bool,
    visitor: &Visitor<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Result<Connected, DeadEnd>, Failure> {
    let Some(code) = Credential::parse(Kind::ConnectCode, code) else {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    };
    let found = server.store.connect_session(ConnectSessionId(code.id()), now).await?;
    let Some(session) = found.filter(|own| own.mode == ConnectMode::Link) else {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    };
    if session.state.step() == ConnectStep::Done {
        return Ok(Err(DeadEnd::new(Stop::AlreadyDone)));
    }
    let Some((browser, sealed)) = waiting_for(&session, &code) else {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    };
    if browser != visitor.browser {
        let why = Stop::OtherBrowser;
        note::failed(server, &session, actor, why.as_str(), None, now).await?;
        return Ok(Err(DeadEnd::new(why)));
    }
    if !confirmed {
        return decline(server, &session, &code, actor, now).await.map(Err);
    }
    match store(server, &session, sealed, actor, now).await {
        Ok(connected) => Ok(Ok(connected)),
        Err(Halt::Failure(failure)) => Err(failure),
        Err(Halt::Stop(why)) => Ok(Err(DeadEnd::of(&session, None, why))),
    }
}

/// A session, for the application that may make such sessions.
pub async fn status(
    server: &AuthorizationServer,
    id: ConnectSessionId,
    rights: &ApiKeyRights,
    now: Timestamp,
) -> Result<ConnectSession, Failure> {
    let session = server.store.connect_session(id, now).await?;
    let session = session.filter(|own| check_rights(rights, own).is_ok());
    Ok(session.ok_or(Refusal::ConnectSessionNotFound {})?)
}

/// The browser and the grant of a session that waits for this code.
fn waiting_for<'a>(
    session: &'a ConnectSession,
    shown: &Credential,
) -> Option<(&'a crate::secret::Digest, &'a [u8])> {
    match &session.state {
        ConnectState::Waiting { code, browser, sealed } if *code == shown.digest() => {
            Some((browser, sealed))
        }
        ConnectState::Waiting { .. }
        | ConnectState::Open
        | ConnectState::Started { .. }
        | ConnectState::Done(_)
        | ConnectState::Failed(_) => None,
    }
}

fn check_rights(rights: &ApiKeyRights, session: &ConnectSession) -> Result<(), Refusal> {
    if !rights.may(ApiKeyAction::Connect) {
        return Err(Refusal::KeyMayNot { what: "connect accounts" });
    }
    let named =
        |own: &Vec<String>| session.reconnect.is_some_and(|id| own.contains(&id.to_string()));
    let reaches = rights.reaches_integration(&session.integration)
        && rights.reaches_subject(&session.subject)
        && rights.connections.as_ref().is_none_or(named);
    if reaches { Ok(()) } else { Err(Refusal::KeyMayNot { what: "act for this subject" }) }
}

async fn store(
    server: &AuthorizationServer,
    session: &ConnectSession,
    sealed: &[u8],
    actor: &Actor,
    now: Timestamp,
) -> Result<Connected, Halt> {
    let (integration, _) = start::about(server, session).await?;
    let grant: Grant = flow::open(server, session.id, sealed)?;
    grant::store(server, session, &integration, &grant, actor, now).await
}

/// Whoever opened the link says that it is not for them: it opens nothing any more.
async fn decline(
    server: &AuthorizationServer,
    session: &ConnectSession,
    code: &Credential,
    actor: &Actor,
    now: Timestamp,
) -> Result<DeadEnd, Failure> {
    let why = Stop::Denied;
    let failed = ConnectState::Failed(why.as_str().to_owned());
    let (from, own) = (ConnectStep::Waiting, Some(code.digest()));
    if server.store.step_connect(session.id, from, own, failed, now).await?.is_none() {
        return Ok(DeadEnd::new(Stop::StateGone));
    }
    note::failed(server, session, actor, "declined", None, now).await?;
    Ok(DeadEnd::of(session, None, why))
}
