//! Signing in with an admin token, e-mailed or fixed.
//!
//! An e-mailed token has eight characters of an alphabet of 31, 39.6 bits. Five tries in ten
//! minutes make a guess a chance of one in 170 thousand million. Whether an address may sign in
//! changes neither what is answered nor what is written.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::SignedIn;
use crate::error::{Broken, Failure};
use crate::id::{AttemptId, Id, MailId, RequestId, UserId};
use crate::jose::seal::Place;
use crate::model::{Authentication, MethodName, OutboxMail, SignInAttempt, User, UserStatus};
use crate::policy::{AdminTokenMode, AdminTokenPolicy, AllowedAddress};
use crate::ports::Entropy;
use crate::secret::Digest;
use crate::server::AuthorizationServer;
use crate::store::{Added, AttemptLimits, Started, Tried};
use crate::time::{Seconds, Timestamp};

/// Characters that cannot be taken for one another, in print or aloud.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// Characters of a token.
const LENGTH: usize = 8;

/// Who asks for a token, and for what.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The address that was typed.
    pub email: &'a str,
    /// The authorization request behind the page.
    pub request: Option<RequestId>,
    /// The browser: a digest of its cookie.
    pub browser: Digest,
    /// The application's name, for the mail.
    pub application: Option<&'a str>,
    /// Where the request came from, for the mail.
    pub address: &'a str,
    /// The language of the page, for the mail.
    pub language: &'a str,
}

/// A mail with an admin token, as it waits in the outbox.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenMail {
    /// Whom it is for.
    pub to: String,
    /// The token as it is shown: `XXXX-XXXX`.
    pub token: String,
    /// The application that the person wants to get into.
    pub application: Option<String>,
    /// The address from which it was asked for.
    pub address: String,
    /// The language of the page.
    pub language: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// How long the token works.
    pub lifetime: Seconds,
}

/// The outcome of asking for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// The person can type it.
    Sent(AttemptId),
    /// This address has asked too soon or too often.
    Wait {
        /// When it may ask again.
        until: Timestamp,
    },
    /// What was typed is not an address.
    NotAnAddress,
}

/// The outcome of typing a token.
#[derive(Debug)]
pub enum Typed {
    /// The person is who they say.
    SignedIn(Box<SignedIn>),
    /// It was wrong.
    Wrong {
        /// Tries that are left; at zero a new token must be asked for.
        tries_left: u32,
    },
    /// The attempt is over, has expired, or belongs to another browser.
    Gone,
}

/// Asks for a token: keeps the attempt, and queues the mail if there is one to send.
pub async fn ask(
    server: &AuthorizationServer,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Asking, Failure> {
    let Some(email) = normalize(asked.email) else {
        return Ok(Asking::NotAnAddress);
    };
    let policy = &server.policy.sign_in.admin_token;
    let id = server.new_id();
    let allowed = may_sign_in(server, &email).await?;
    let token = random_token(server.entropy.as_ref());
    let digest = match &policy.mode {
        // A digest of nothing that was ever shown, so that no token is right.
        _ if !allowed => unguessable(server),
        AdminTokenMode::Emailed => typed_digest(server, id, &token),
        AdminTokenMode::Static(_) => unguessable(server),
    };
    let attempt = SignInAttempt {
        id: AttemptId(id),
        request: asked.request,
        browser: asked.browser,
        email: email.clone(),
        token: digest,
        tries_left: policy.tries,
        created_at: now,
        expires_at: now.plus(policy.lifetime),
    };
    let mail = match &policy.mode {
        AdminTokenMode::Emailed => Some(mail(server, &asked, &email, &token, allowed, now)?),
        AdminTokenMode::Static(_) => None,
    };
    match server.store.start_attempt(attempt, mail, limits(policy), now).await? {
        Started::Done => Ok(Asking::Sent(AttemptId(id))),
        Started::Wait { until } => Ok(Asking::Wait { until }),
    }
}

/// The pause is for the mailbox of the person; a fixed token sends nothing.
const fn limits(policy: &AdminTokenPolicy) -> AttemptLimits {
    match policy.mode {
        AdminTokenMode::Emailed => policy.limits,
        AdminTokenMode::Static(_) => AttemptLimits { pause: Seconds(0), per_hour: 60 },
    }
}

/// Takes a typed token. Spaces, dashes and case do not matter.
pub async fn finish(
    server: &AuthorizationServer,
    id: AttemptId,
    request: Option<RequestId>,
    browser: &Digest,
    typed: &str,
    now: Timestamp,
) -> Result<Typed, Failure> {
    let attempt = server.store.attempt(id, browser, now).await?;
    // The token was mailed with the name of one application; it is good for that request only.
    let Some(attempt) = attempt.filter(|attempt| attempt.request == request) else {
        return Ok(Typed::Gone);
    };
    let digest = match &server.policy.sign_in.admin_token.mode {
        // No token, so no try either: a slip of the finger.
        AdminTokenMode::Emailed if canonical(typed).len() != LENGTH => {
            return Ok(Typed::Wrong { tries_left: attempt.tries_left });
        }
        AdminTokenMode::Emailed => typed_digest(server, id.0, &canonical(typed)),
        // A right fixed token becomes the attempt's own digest, if the address may sign in, so
        // that both modes share the counting of tries.
        AdminTokenMode::Static(expected) => {
            let right = static_token_digest(typed.trim()) == *expected;
            let allowed = may_sign_in(server, &attempt.email).await?;
            if right && allowed { attempt.token } else { unguessable(server) }
        }
    };
    match server.store.try_token(id, browser, &digest, now).await? {
        Tried::Right(attempt) => match account(server, &attempt.email, now).await? {
            Some(user) => {
                let signed_in = SignedIn { user, authentication: how(server, now) };
                Ok(Typed::SignedIn(Box::new(signed_in)))
            }
            None => Ok(Typed::Gone),
        },
        Tried::Wrong { tries_left } => Ok(Typed::Wrong { tries_left }),
        Tried::Gone => Ok(Typed::Gone),
    }
}

/// What is kept of a fixed token.
pub fn static_token_digest(token: &str) -> Digest {
    Digest::of("static admin token", &[token.as_bytes()])
}

/// Opens a mail of the outbox.
pub fn open_mail(server: &AuthorizationServer, mail: &OutboxMail) -> Result<TokenMail, Broken> {
    let plain = server.ring.open(&mail.sealed, &place(&mail.id.0))?;
    serde_json::from_slice(&plain).map_err(|error| Broken::Corrupt(error.to_string()))
}

/// An address in lower case, if it looks like one: something, an at sign, a domain with a dot or
/// `localhost`. Whether it exists is for the mail to find out.
pub fn normalize(typed: &str) -> Option<String> {
    let email = typed.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let printable = email.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let specials = |c: char| {
        matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']' | '@')
    };
    let sound = printable
        && (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && !local.contains(specials)
        && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && (domain.contains('.') || domain == "localhost");
    sound.then_some(email)
}

async fn may_sign_in(server: &AuthorizationServer, email: &str) -> Result<bool, Failure> {
    let policy = &server.policy.sign_in;
    let listed = policy.admin_token.allowed.iter().any(|rule: &AllowedAddress| rule.covers(email));
    let user = server.store.user_by_email(email).await?;
    Ok(listed && user.map_or(policy.sign_up, |user| user.status == UserStatus::Active))
}

fn random_token(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut token = Zeroizing::new(String::with_capacity(LENGTH));
    let mut byte = [0];
    while token.len() < LENGTH {
        entropy.fill(&mut byte);
        // 248 is the largest multiple of 31 in a byte: what is above would favour some characters.
        if byte[0] < 248 {
            token.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    token
}

/// What a person typed, without what they could not know to leave out.
fn canonical(typed: &str) -> Zeroizing<String> {
    let kept = typed.chars().filter(char::is_ascii_alphanumeric).take(64);
    Zeroizing::new(kept.map(|c| c.to_ascii_uppercase()).collect())
}

/// Keyed, because 40 bits of a plain hash are found in seconds by whoever reads the database.
fn typed_digest(server: &AuthorizationServer, attempt: Id, token: &str) -> Digest {
    Digest::from_bytes(server.secrets.admin_token.tag(&[attempt.as_bytes(), token.as_bytes()]))
}

fn unguessable(server: &AuthorizationServer) -> Digest {
    let mut bytes = [0; 32];
    server.entropy.fill(&mut bytes);
    Digest::from_bytes(bytes)
}

fn mail(
    server: &AuthorizationServer,
    asked: &Asked<'_>,
    email: &str,
    token: &str,
    deliver: bool,
    now: Timestamp,
) -> Result<OutboxMail, Failure> {
    let lifetime = server.policy.sign_in.admin_token.lifetime;
    let plain = serde_json::to_vec(&TokenMail {
        to: email.to_owned(),
        token: format!("{}-{}", &token[..LENGTH / 2], &token[LENGTH / 2..]),
        application: asked.application.map(ToOwned::to_owned),
        address: asked.address.to_owned(),
        language: asked.language.to_owned(),
        requested_at: now,
        lifetime,
    });
    let plain = Zeroizing::new(plain.map_err(|error| Broken::Corrupt(error.to_string()))?);
    let id = server.new_id();
    let sealed = server.seal(&plain, &place(&id))?;
    Ok(OutboxMail {
        id: MailId(id),
        sealed,
        deliver,
        attempts: 0,
        due_at: now,
        expires_at: now.plus(lifetime),
    })
}

const fn place(id: &Id) -> Place<'_> {
    Place { table: "outbox_mail", column: "sealed", row: id.as_bytes() }
}

/// The account of an address whose holder has just proved it. Made if there is none and
/// `sign_up` is on.
async fn account(
    server: &AuthorizationServer,
    email: &str,
    now: Timestamp,
) -> Result<Option<User>, Failure> {
    let proved = matches!(server.policy.sign_in.admin_token.mode, AdminTokenMode::Emailed);
    if server.policy.sign_in.sign_up {
        let user = User {
            id: UserId(server.new_id()),
            username: None,
            email: Some(email.to_owned()),
            email_verified: proved,
            name: None,
            external_subject: None,
            password: None,
            status: UserStatus::Active,
            created_at: now,
            updated_at: now,
        };
        if server.store.user_by_email(email).await?.is_none()
            && server.store.add_user(user.clone()).await? == Added::Done
        {
            return Ok(Some(user));
        }
    }
    let Some(mut user) = server.store.user_by_email(email).await? else {
        return Ok(None);
    };
    if proved && !user.email_verified {
        server.store.mark_email_verified(user.id, now).await?;
        user.email_verified = true;
    }
    Ok(Some(user).filter(|user| user.status == UserStatus::Active))
}

fn how(server: &AuthorizationServer, now: Timestamp) -> Authentication {
    // RFC 8176 §2: a token that works once is otp, a fixed one is pin.
    let amr = match server.policy.sign_in.admin_token.mode {
        AdminTokenMode::Emailed => "otp",
        AdminTokenMode::Static(_) => "pin",
    };
    Authentication {
        auth_time: now,
        method: MethodName::AdminToken,
        acr: None,
        amr: vec![amr.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::testing::SeededEntropy;

    #[test]
    fn tokens_are_eight_characters_of_the_alphabet() {
        let entropy = SeededEntropy::new(9);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let token = random_token(&entropy);
            assert_eq!(token.len(), LENGTH);
            seen.extend(token.bytes());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ALPHABET);
    }

    #[test]
    fn typing_is_forgiving() {
        assert_eq!(*canonical(" abcd-efgh\n"), "ABCDEFGH");
        assert_eq!(*canonical("ABCD EFGH"), "ABCDEFGH");
    }

    #[test]
    fn addresses_are_lower_cased_and_checked() {
        assert_eq!(normalize(" Ada@Example.COM ").as_deref(), Some("ada@example.com"));
        assert_eq!(normalize("ada+x@sub.example.com").as_deref(), Some("ada+x@sub.example.com"));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "a b@example.com",
            "ada@example.com\r\nBcc: x@y.z",
            "<ada@example.com>",
            "ada@exa_mple.com",
            "a,b@example.com",
            "ada@.com",
            "ada@a..b",
        ] {
            assert_eq!(normalize(bad), None, "{bad:?}");
        }
    }
}
