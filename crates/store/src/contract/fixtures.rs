//! Records to test with, all different, all made at [`NOW`].

use grantor_core::id::{
    AccessTokenId, AttemptId, CodeId, DeviceId, ExternalId, FamilyId, Id, InitialTokenId, MailId,
    RequestId, SessionId, UserId,
};
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    AccessToken, AccessTokenFormat, Approval, AuthMethod, Authentication, Challenge, ClaimsRequest,
    Client, ClientSecret, Code, Consent, DeviceAuthorization, DeviceState, ExternalSignIn, Family,
    GrantType, InitialToken, Lifetimes, MethodName, OnNewToken, OutboxMail, PendingRequest,
    Refresh, RefreshPolicy, ResponseType, Scope, SealedSigningKey, Session, SignInAttempt, User,
    UserStatus,
};
use grantor_core::ports::testing::{ManualClock, SeededEntropy};
use grantor_core::secret::Digest;
use grantor_core::store::{Answer, Issued, Renewal};
use grantor_core::time::{Seconds, Timestamp};
use serde_json::{Map, Value, json};

/// When everything happens.
pub const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

static ENTROPY: SeededEntropy = SeededEntropy::new(5);

/// The moment `seconds` after [`NOW`].
pub fn after(seconds: u32) -> Timestamp {
    NOW.plus(Seconds(seconds))
}

/// An id that was not used before in this process.
pub fn id() -> Id {
    Id::new(&ManualClock::at(NOW.epoch()), &ENTROPY)
}

/// A digest that was not used before in this process.
pub fn digest() -> Digest {
    Digest::of("fixture", &[id().as_bytes()])
}

/// A scope.
pub fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a valid scope")
}

/// A confidential client with everything filled in.
pub fn client(client_id: &str) -> Client {
    let contacts = Value::from(vec!["ann@photos.example"]);
    let name = Value::from("Fotobuch");
    Client {
        client_id: client_id.to_owned(),
        token_endpoint_auth_method: AuthMethod::ClientSecretPost,
        secret: Some(ClientSecret::Sha256(digest())),
        jwks: Some(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA" }] })),
        jwks_uri: Some("https://photos.example/jwks".to_owned()),
        client_name: "Photo Book".to_owned(),
        client_uri: Some("https://photos.example".to_owned()),
        logo_uri: Some("https://photos.example/logo.svg".to_owned()),
        policy_uri: None,
        tos_uri: Some("https://photos.example/terms".to_owned()),
        redirect_uris: vec!["https://photos.example/cb".to_owned(), "http://[::1]/x".to_owned()],
        post_logout_redirect_uris: vec!["https://photos.example/".to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        response_types: ResponseType::ALL.to_vec(),
        scope: scope("openid read write"),
        require_pkce: true,
        refresh: RefreshPolicy::Reuse { uses: Some(5) },
        on_new_token: OnNewToken::RevokePrevious,
        access_token_format: Some(AccessTokenFormat::Jwt),
        access_token_signed_response_alg: Algorithm::Rs256,
        id_token_signed_response_alg: Algorithm::EdDsa,
        resource_server_for: resources(),
        integrations: vec!["google".to_owned(), "our \"own\"".to_owned()],
        lifetimes: Lifetimes { code: Some(Seconds(30)), ..Lifetimes::default() },
        sign_in_methods: vec![MethodName::Password],
        requests_per_minute: Some(0),
        other_metadata: Map::from_iter([
            ("contacts".to_owned(), contacts),
            ("client_name#de".to_owned(), name),
        ]),
        registration_token: Some(digest()),
        created_at: NOW,
    }
}

/// An active account with a name and an address.
pub fn user(name: &str) -> User {
    User {
        id: UserId(id()),
        username: Some(name.to_owned()),
        email: Some(format!("{name}@example.com")),
        email_verified: false,
        name: Some("Zoë".to_owned()),
        external_subject: Some(format!("crm|{name}")),
        password: Some("$argon2id$v=19$x".to_owned()),
        status: UserStatus::Active,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A sign-in by password.
pub fn authentication() -> Authentication {
    let amr = vec!["pwd".to_owned(), "otp".to_owned()];
    Authentication { auth_time: NOW, method: MethodName::Password, acr: None, amr }
}

/// A session, idle after 600 seconds and over after 3600.
pub fn session(user: UserId) -> Session {
    Session {
        id: SessionId(id()),
        digest: digest(),
        user,
        authentication: authentication(),
        created_at: NOW,
        last_seen_at: NOW,
        idle_expires_at: after(600),
        expires_at: after(3_600),
        user_agent: "Test/1".to_owned(),
        address: "::1".to_owned(),
    }
}

/// A request that lasts 600 seconds and is not tied to a browser.
pub fn request() -> PendingRequest {
    PendingRequest {
        id: RequestId(id()),
        parameters: "client_id=photos&scope=openid%20read".to_owned(),
        browser: None,
        account_chosen: false,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// A code that lasts 60 seconds.
pub fn code(user: UserId, client_id: &str) -> Code {
    Code {
        id: CodeId(id()),
        digest: digest(),
        client_id: client_id.to_owned(),
        user,
        session: SessionId(id()),
        redirect_uri: "https://photos.example/cb".to_owned(),
        redirect_uri_given: true,
        scope: scope("openid read"),
        resource: resources(),
        claims: ClaimsRequest { userinfo: vec!["email".to_owned()], id_token: Vec::new() },
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        challenge: Some(Challenge(digest())),
        authentication: authentication(),
        created_at: NOW,
        expires_at: after(60),
        redeemed_as: None,
    }
}

/// A family whose refresh token is idle after 600 seconds and over after 3600.
pub fn family(user: UserId, client_id: &str) -> Family {
    Family {
        id: FamilyId(id()),
        client_id: client_id.to_owned(),
        user: Some(user),
        session: Some(SessionId(id())),
        scope: scope("openid read"),
        resource: resources(),
        claims: ClaimsRequest::default(),
        authentication: Some(authentication()),
        refresh: Some(Refresh {
            current: digest(),
            previous: None,
            generation: 0,
            rotated_at: NOW,
            idle_expires_at: after(600),
            expires_at: after(3_600),
            uses_left: None,
        }),
        sole_access: None,
        created_at: NOW,
        expires_at: after(3_600),
        revoked_at: None,
    }
}

/// A family of a client that acts for itself.
pub fn own_family(client_id: &str) -> Family {
    let none = family(UserId(id()), client_id);
    let none = Family { user: None, session: None, authentication: None, ..none };
    Family { resource: Vec::new(), ..none }
}

/// An access token that lasts 300 seconds.
pub fn access(family: &Family) -> AccessToken {
    AccessToken { family: Some(family.id), ..own_access(&family.client_id) }
}

/// An access token without a family that lasts 300 seconds.
pub fn own_access(client_id: &str) -> AccessToken {
    AccessToken {
        id: AccessTokenId(id()),
        digest: digest(),
        family: None,
        client_id: client_id.to_owned(),
        scope: scope("read"),
        audience: Vec::new(),
        exchanged: None,
        issued_at: NOW,
        expires_at: after(300),
    }
}

/// Two resources, one of them only a name.
pub fn resources() -> Vec<String> {
    vec!["https://api.example/".to_owned(), "the \"old\" api".to_owned()]
}

/// A family and its access token, beside those that are there.
pub fn issued(family: Family) -> Issued {
    Issued { access: Some(access(&family)), family, previous: OnNewToken::Keep }
}

/// One more access token of a family, which makes its refresh token idle after 1200 seconds.
pub fn renewal(family: &Family) -> Renewal {
    let access = access(family);
    Renewal {
        access_expires_at: access.expires_at,
        access: Some(access),
        sole: None,
        idle_expires_at: after(1_200),
    }
}

/// An answer with a code only.
pub const fn answer(code: Code) -> Answer {
    Answer { code: Some(code), tokens: None }
}

/// A device that waits for 600 seconds and asks every 5.
pub fn device(client_id: &str) -> DeviceAuthorization {
    let id = DeviceId(id());
    DeviceAuthorization {
        id,
        digest: digest(),
        user_code: id.to_string(),
        client_id: client_id.to_owned(),
        scope: scope("openid read"),
        resource: resources(),
        state: DeviceState::Pending,
        interval: Seconds(5),
        polled_at: None,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// A person's yes to a device.
pub fn approval(user: UserId) -> Approval {
    let authentication = Authentication { acr: Some("gold".to_owned()), ..authentication() };
    Approval { user, session: SessionId(id()), authentication }
}

/// A sign-in that was handed over and lasts 600 seconds.
pub fn external() -> ExternalSignIn {
    ExternalSignIn {
        id: ExternalId(id()),
        request: Some(RequestId(id())),
        then: None,
        browser: digest(),
        answer: None,
        verifier: None,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// An initial access token that lasts 600 seconds.
pub fn initial_token(uses: Option<u32>) -> InitialToken {
    InitialToken {
        id: InitialTokenId(id()),
        digest: digest(),
        note: "for the photo people".to_owned(),
        uses_left: uses,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// A consent to `names`.
pub fn consent(user: UserId, client_id: &str, names: &str) -> Consent {
    Consent {
        user,
        client_id: client_id.to_owned(),
        scope: scope(names),
        created_at: NOW,
        updated_at: NOW,
    }
}

/// An attempt with three tries that lasts 600 seconds.
pub fn attempt(email: &str) -> SignInAttempt {
    SignInAttempt {
        id: AttemptId(id()),
        request: Some(RequestId(id())),
        browser: digest(),
        email: email.to_owned(),
        token: digest(),
        tries_left: 3,
        created_at: NOW,
        expires_at: after(600),
    }
}

/// A mail that is due and of no use after 600 seconds.
pub fn mail() -> OutboxMail {
    OutboxMail {
        id: MailId(id()),
        sealed: vec![0, 1, 255],
        deliver: true,
        attempts: 0,
        due_at: NOW,
        expires_at: after(600),
    }
}

/// A key that signs from now on.
pub fn key(kid: &str, algorithm: Algorithm) -> SealedSigningKey {
    SealedSigningKey {
        kid: kid.to_owned(),
        algorithm,
        sealed: vec![7; 40],
        created_at: NOW,
        active_from: NOW,
        retires_at: None,
    }
}
