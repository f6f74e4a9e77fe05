//! Records as the server makes them, with random digests in place of secrets.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use aws_lc_rs::rand;
use grantor_core::id::{AccessTokenId, CodeId, FamilyId, Id, SessionId, UserId};
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    AccessToken, Authentication, Challenge, ClaimsRequest, Client, Code, Consent, Family,
    GrantType, Lifetimes, MethodName, Refresh, RefreshPolicy, Scope, User, UserStatus,
};
use grantor_core::ports::{Clock, Entropy};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, IssuedCode, Store};
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
        let agreed = own.store.issue_code(own.code(), None, Some(consent), NOW).await?;
        ensure!(agreed == IssuedCode::Done, "the consent was not kept");
        Ok(own)
    }

    /// A code that was not redeemed.
    pub(super) fn code(&self) -> Code {
        Code {
            id: CodeId(self.id()),
            digest: self.digest(),
            client_id: CLIENT.to_owned(),
            user: self.user,
            session: self.session,
            redirect_uri: CALLBACK.to_owned(),
            redirect_uri_given: true,
            scope: self.scope.clone(),
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
    pub(super) fn family(&self) -> Family {
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
            user: self.user,
            session: self.session,
            scope: self.scope.clone(),
            claims: ClaimsRequest::default(),
            authentication: authentication(),
            refresh: Some(refresh),
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
            family: family.id,
            scope: family.scope.clone(),
            issued_at: NOW,
            expires_at: NOW.plus(Seconds::hours(1)),
        }
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
    Authentication { auth_time: NOW, method: MethodName::Password, amr: vec!["pwd".to_owned()] }
}

fn client(scope: &Scope) -> Client {
    Client {
        client_id: CLIENT.to_owned(),
        secret: None,
        client_name: "Benchmark".to_owned(),
        client_uri: None,
        logo_uri: None,
        policy_uri: None,
        tos_uri: None,
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        grant_types: GrantType::ALL.to_vec(),
        scope: scope.clone(),
        require_pkce: true,
        refresh: RefreshPolicy::Rotate,
        id_token_signed_response_alg: Algorithm::Es256,
        lifetimes: Lifetimes::default(),
        sign_in_methods: Vec::new(),
        requests_per_minute: None,
        created_at: NOW,
    }
}

fn person(id: UserId) -> User {
    User {
        id,
        username: Some("bench".to_owned()),
        email: Some("bench@example.com".to_owned()),
        email_verified: true,
        name: Some("Benchmark".to_owned()),
        password: None,
        status: UserStatus::Active,
        created_at: NOW,
        updated_at: NOW,
    }
}
