//! Signing in on the operator's own page, in whatever language it is written.
//!
//! The browser is sent there with a challenge that this server signed. The page's application reads
//! over an API who asks for what, finds out who the person is, and accepts or rejects; the browser
//! comes back with a verifier that works once, in the browser that began, for a few minutes.

mod account;
mod request;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub use request::{ExternalClient, ExternalRequest, RequestedScope};

use super::SignedIn;
use super::admin_token::normalize;
use crate::error::{Failure, Refusal};
use crate::id::{ExternalId, RequestId};
use crate::jose::{Algorithm, parse_object_strict, sign_compact, verify_compact};
use crate::model::{ExternalAnswer, ExternalIdentity, ExternalSignIn};
use crate::policy::ExternalPolicy;
use crate::registration::text::misleads;
use crate::secret::{Credential, Digest, Kind};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// RFC 8725 §3.11: a type of its own, so that no other JWT of this server is taken for a challenge.
const TYPE: &str = "login-challenge+jwt";

/// What the browser carries to the operator's page.
#[derive(Serialize, Deserialize)]
struct Challenge {
    iss: String,
    aud: String,
    jti: ExternalId,
    iat: Timestamp,
    exp: Timestamp,
    /// The language of the page that the person came from.
    locale: String,
    /// Somebody is signed in already and wants to be somebody else.
    #[serde(default)]
    select_account: bool,
}

/// What a sign-in on the operator's page is for.
#[derive(Clone, Debug)]
pub struct Begun<'a> {
    /// The authorization request behind the page.
    pub request: Option<RequestId>,
    /// Where the browser goes on without one: a path of this server.
    pub then: Option<String>,
    /// The browser: a digest of its cookie.
    pub browser: Digest,
    /// The language of the page.
    pub language: &'a str,
    /// Whether somebody is signed in who wants to be somebody else.
    pub select_account: bool,
}

/// Keeps a sign-in and says where the browser goes.
pub async fn begin(
    server: &AuthorizationServer,
    begun: Begun<'_>,
    now: Timestamp,
) -> Result<String, Failure> {
    let policy = policy(server)?;
    let id = ExternalId(server.new_id());
    let challenge = Challenge {
        iss: server.policy.issuer.clone(),
        aud: policy.url.clone(),
        jti: id,
        iat: now,
        exp: now.plus(policy.lifetime),
        locale: begun.language.to_owned(),
        select_account: begun.select_account,
    };
    let keys = server.keys.current();
    let signed = sign_compact(keys.signing(algorithm(server), now)?, Some(TYPE), &challenge)?;
    let sign_in = ExternalSignIn {
        id,
        request: begun.request,
        then: begun.then,
        browser: begun.browser,
        answer: None,
        verifier: None,
        created_at: now,
        expires_at: challenge.exp,
    };
    server.store.add_external(sign_in).await?;
    let mut url = policy.url.clone();
    let join = if url.contains('?') { '&' } else { '?' };
    // A compact JWS has no character that a query must escape: RFC 7515 §2.
    let _ = write!(url, "{join}login_challenge={signed}");
    Ok(url)
}

/// ES256 where this server signs with it: short, and every library knows it.
fn algorithm(server: &AuthorizationServer) -> Algorithm {
    let known = &server.policy.keys.algorithms;
    let first = known.first().copied().unwrap_or(Algorithm::Es256);
    if known.contains(&Algorithm::Es256) { Algorithm::Es256 } else { first }
}

/// What is kept of the API secret.
pub fn secret_digest(secret: &str) -> Digest {
    Digest::of("external sign-in secret", &[secret.as_bytes()])
}

/// Whether the caller of the API is the operator's application, by the secret that it shows.
pub fn authenticate(server: &AuthorizationServer, secret: Option<&str>) -> Result<(), Failure> {
    let secret = secret.ok_or(Refusal::ExternalSecretMissing {})?;
    if secret_digest(secret) == policy(server)?.secret {
        Ok(())
    } else {
        Err(Refusal::ExternalSecretWrong {}.into())
    }
}

/// Who asks for what, for the operator's page to show.
pub async fn read(
    server: &AuthorizationServer,
    challenge: &str,
    now: Timestamp,
) -> Result<ExternalRequest, Failure> {
    let (challenge, sign_in) = handed_over(server, challenge, now).await?;
    request::read(server, &challenge, &sign_in, now).await
}

/// Takes the application's word for who it is. Answers where to send the browser.
pub async fn accept(
    server: &AuthorizationServer,
    challenge: &str,
    identity: ExternalIdentity,
    now: Timestamp,
) -> Result<String, Failure> {
    let answer = ExternalAnswer::Accepted(checked(identity, now)?);
    decide(server, challenge, answer, now).await
}

/// Takes the application's no. Answers where to send the browser.
pub async fn reject(
    server: &AuthorizationServer,
    challenge: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<String, Failure> {
    let shown = reason.map(|text| text.chars().filter(|c| !c.is_control()).take(200).collect());
    decide(server, challenge, ExternalAnswer::Rejected { reason: shown }, now).await
}

async fn decide(
    server: &AuthorizationServer,
    challenge: &str,
    answer: ExternalAnswer,
    now: Timestamp,
) -> Result<String, Failure> {
    let (_, sign_in) = handed_over(server, challenge, now).await?;
    let mut secret = [0; 32];
    server.entropy.fill(&mut secret);
    let verifier = Credential::derived(Kind::ExternalVerifier, sign_in.id.0, secret);
    if !server.store.answer_external(sign_in.id, answer, &verifier.digest(), now).await? {
        return Err(Refusal::ExternalAnswered {}.into());
    }
    let issuer = server.policy.issuer.trim_end_matches('/');
    Ok(format!("{issuer}/login/external?verifier={}", verifier.reveal()))
}

/// A sign-in that the browser brought back.
#[derive(Debug)]
pub struct Returned {
    /// The authorization request that it was for.
    pub request: Option<RequestId>,
    /// Where the browser goes on without one.
    pub then: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a sign-in on the operator's page ended.
#[derive(Debug)]
pub enum Outcome {
    /// The person is known here.
    SignedIn(Box<SignedIn>),
    /// The application knows the person, this server does not, and may not make an account.
    NoAccount,
    /// The account may not be used.
    Disabled,
    /// The application said no.
    Rejected {
        /// Why, for the person.
        reason: Option<String>,
    },
}

/// Takes the answer that a browser brings back: once, and in the browser that began.
pub async fn finish(
    server: &AuthorizationServer,
    verifier: &str,
    browser: &Digest,
    now: Timestamp,
) -> Result<Returned, Failure> {
    policy(server)?;
    let credential = Credential::parse(Kind::ExternalVerifier, verifier);
    let credential = credential.ok_or(Refusal::ExternalGone {})?;
    let (id, digest) = (ExternalId(credential.id()), credential.digest());
    let Some(sign_in) = server.store.take_external(id, &digest, browser, now).await? else {
        let known = server.store.external(id, now).await?;
        let elsewhere =
            |own: ExternalSignIn| own.verifier == Some(digest) && own.browser != *browser;
        return Err(match known.is_some_and(elsewhere) {
            true => Refusal::RequestOfOtherBrowser {}.into(),
            false => Refusal::ExternalGone {}.into(),
        });
    };
    let outcome = match sign_in.answer {
        Some(ExternalAnswer::Accepted(identity)) => account::of(server, identity, now).await?,
        Some(ExternalAnswer::Rejected { reason }) => Outcome::Rejected { reason },
        None => return Err(Refusal::ExternalGone {}.into()),
    };
    Ok(Returned { request: sign_in.request, then: sign_in.then, outcome })
}

fn policy(server: &AuthorizationServer) -> Result<&ExternalPolicy, Failure> {
    Ok(server.policy.sign_in.external.as_ref().ok_or(Refusal::NoMethodLeft {})?)
}

/// The sign-in behind a challenge that this server signed and that is still alive.
async fn handed_over(
    server: &AuthorizationServer,
    challenge: &str,
    now: Timestamp,
) -> Result<(Challenge, ExternalSignIn), Failure> {
    let challenge = verified(server, challenge, now).ok_or(Refusal::ExternalUnknown {})?;
    let sign_in = server.store.external(challenge.jti, now).await?;
    Ok((challenge, sign_in.ok_or(Refusal::ExternalUnknown {})?))
}

fn verified(server: &AuthorizationServer, text: &str, now: Timestamp) -> Option<Challenge> {
    let set = server.keys.current();
    let keys: Vec<_> = set.published(now).map(|own| own.key.verifying_key().clone()).collect();
    let verified = verify_compact(text, &keys, &server.policy.keys.algorithms).ok()?;
    let typed = verified.header.typ.as_deref() == Some(TYPE);
    let claims = parse_object_strict(&verified.payload).ok().filter(|_| typed)?;
    let challenge: Challenge = serde_json::from_value(claims.into()).ok()?;
    (challenge.iss == server.policy.issuer && now < challenge.exp).then_some(challenge)
}

/// What an application may say about a person: short, printable, an address that is one.
fn checked(mut identity: ExternalIdentity, now: Timestamp) -> Result<ExternalIdentity, Refusal> {
    let plain = |text: &str, most: usize| {
        !text.trim().is_empty() && text.chars().count() <= most && !text.contains(misleads)
    };
    let wrong = |name: &'static str, want: &'static str| Refusal::BadParameter { name, want };
    if !plain(&identity.subject, 200) {
        return Err(wrong("subject", "send a text of 1 to 200 printable characters"));
    }
    if identity.auth_time.is_some_and(|own| own > now) {
        return Err(wrong(
            "auth_time",
            "send when the person signed in, which is not in the future",
        ));
    }
    if let Some(email) = &identity.email {
        let email = normalize(email).ok_or(wrong("email", "send an e-mail address"))?;
        identity.email = Some(email);
    }
    if identity.name.as_deref().is_some_and(|name| !plain(name, 200)) {
        return Err(wrong("name", "send a text of 1 to 200 printable characters"));
    }
    // They are kept apart by spaces in the store.
    let value = |text: &String| plain(text, 40) && !text.contains(char::is_whitespace);
    if identity.amr.len() > 10 || !identity.amr.iter().all(value) {
        return Err(wrong("amr", "send up to 10 values of 1 to 40 characters without spaces"));
    }
    if identity.acr.as_deref().is_some_and(|acr| !plain(acr, 200)) {
        return Err(wrong("acr", "send a text of 1 to 200 printable characters"));
    }
    Ok(identity)
}
