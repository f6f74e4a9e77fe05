//! Records as the server makes them, with random digests in place of secrets.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use aws_lc_rs::rand;
use grantor_core::id::{AccessTokenId, CodeId, FamilyId, Id, SessionId, UserId};
use grantor_core::model::{
    AccessToken, Authentication, Challenge, ClaimsRequest, Client, Code, Consent, Family,
    GrantType, MethodName, OnNewToken, Refresh, ResponseType, Scope, User, UserStatus,
};
use grantor_core::ports::{Clock, Entropy};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, Answer, Answered, Issued, Store};
use grantor_core::time::{Seconds, Timestamp};

const EPOCH: i64 = 1_800_000_000;

/// When everything happens.
pub(super) const NOW: Timestamp = Timestamp::from_epoch(EPOCH);

const CLIENT: &str = "bench";
const CALLBACK: &str = "http://localhost:5051/callback";

/// Makes records for one client and one person.
pub(super) struct Fixtures {
    /// Where they go.
    pub(super) store: Arc<dyn Store>,
    clock: Running,
    scope: Scope,
    user: UserId,
    session: SessionId,
}

/// Ids must grow as they do in a server, or inserts would not append.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn millis(&self) -> u64 {
        let passed = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        EPOCH.unsigned_abs() * 1_000 + passed
    }
}

struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the system gives randomness");
    }
}

impl Fixtures {
    /// Puts the client, the person and the consent in place.
    pub(super) async fn prepare(store: Arc<dyn Store>) -> Result<Self> {
        let clock = Running(Instant::now());
        let user = UserId(Id::new(&clock, &System));
        let session = SessionId(Id::new(&clock, &System));
        let scope = Scope::parse("openid profile email read")?;
        let added = store.add_client(client(&scope)).await?;
        ensure!(added == Added::Done, "the database is not empty");
        store.add_user(person(user)).await?;
        let own = Self { store, clock, scope, user, session };
        let consent = Consent {
            user,
            client_id: CLIENT.to_owned(),
            scope: own.scope.clone(),
            created_at: NOW,
            updated_at: NOW,
        };
        let answer = Answer { code: Some(own.code()), tokens: None };
        let agreed = own.store.answer_request(answer, None, Some(consent), NOW).await?;
        ensure!(agreed == Answered::Done, "the consent was not kept");
        Ok(own)
    }

    /// Stores a code that was not redeemed.
    pub(super) async fn issue_code(&self) -> Result<Code> {
        let code = self.code();
        let answer = Answer { code: Some(code.clone()), tokens: None };
        let outcome = self.store.answer_request(answer, None, None, NOW).await?;
        ensure!(outcome == Answered::Done, "a code without a request was {outcome:?}");
        Ok(code)
    }

    /// What a code is redeemed for.
    pub(super) fn issued(&self) -> Issued {
        let family = self.family();
        let access = Some(self.access(&family));
        Issued { family, access, previous: OnNewToken::Keep }
    }

    fn code(&self) -> Code {
        Code {
            id: CodeId(self.id()),
            digest: self.digest(),
            client_id: CLIENT.to_owned(),
            user: self.user,
            session: self.session,
            redirect_uri: CALLBACK.to_owned(),
            redirect_uri_given: true,
            scope: self.scope.clone(),
            resource: Vec::new(),
            claims: ClaimsRequest::default(),
            nonce: None,
            challenge: Some(Challenge(self.digest())),
            authentication: authentication(),
            created_at: NOW,
            expires_at: NOW.plus(Seconds(60)),
            redeemed_as: None,
        }
    }

    /// A family with a refresh token.
    fn family(&self) -> Family {
        let refresh = Refresh {
            current: self.digest(),
            previous: None,
            generation: 0,
            rotated_at: NOW,
            idle_expires_at: NOW.plus(Seconds::days(30)),
            expires_at: NOW.plus(Seconds::days(365)),
            uses_left: None,
        };
        Family {
            id: FamilyId(self.id()),
            client_id: CLIENT.to_owned(),
            user: Some(self.user),
            session: Some(self.session),
            scope: self.scope.clone(),
            resource: Vec::new(),
            claims: ClaimsRequest::default(),
            authentication: Some(authentication()),
            refresh: Some(refresh),
            sole_access: None,
            created_at: NOW,
            expires_at: refresh.expires_at,
            revoked_at: None,
        }
    }

    /// An access token of `family`.
    pub(super) fn access(&self, family: &Family) -> AccessToken {
        AccessToken {
            id: AccessTokenId(self.id()),
            digest: self.digest(),
            family: Some(family.id),
            client_id: CLIENT.to_owned(),
            scope: family.scope.clone(),
            audience: Vec::new(),
            exchanged: None,
            issued_at: NOW,
            expires_at: NOW.plus(Seconds::hours(1)),
        }
    }

    /// What a client gets for itself: a family that replaces the one before, or only a token.
    pub(super) fn own(&self) -> Issued {
        let own = Family { user: None, session: None, authentication: None, ..self.family() };
        let access = Some(self.access(&own));
        Issued { family: own, access, previous: OnNewToken::RevokePrevious }
    }

    /// A digest of nothing that anybody knows.
    pub(super) fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        System.fill(&mut bytes);
        Digest::from_bytes(bytes)
    }

    fn id(&self) -> Id {
        Id::new(&self.clock, &System)
    }
}

fn authentication() -> Authentication {
    let amr = vec!["pwd".to_owned()];
    Authentication { auth_time: NOW, method: MethodName::Password, acr: None, amr }
}

fn client(scope: &Scope) -> Client {
    Client {
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        response_types: vec![ResponseType::Code],
        scope: scope.clone(),
        ..Client::new(CLIENT, NOW)
    }
}

fn person(id: UserId) -> User {
    User {
        id,
        username: Some("bench".to_owned()),
        email: Some("bench@example.com".to_owned()),
        email_verified: true,
        name: Some("Benchmark".to_owned()),
        external_subject: None,
        password: None,
        status: UserStatus::Active,
        created_at: NOW,
        updated_at: NOW,
    }
}
