//! A database made by an earlier version, used by this one.

use grantor_core::id::{AccessTokenId, CodeId, FamilyId, SessionId, UserId};
use grantor_core::model::{
    AccessToken, AuthMethod, Authentication, Client, ClientSecret, MethodName, OnNewToken,
    ResponseType,
};
use grantor_core::secret::Digest;
use grantor_core::store::{
    ClientStore as _, CodeStore as _, Issued, Redeemed, Rotated, Rotation, SessionStore as _,
    TokenStore as _, UserStore as _,
};
use grantor_core::time::{Seconds, Timestamp};
use grantor_store::contract::fixtures::{NOW, after, family, issued, renewal};
use grantor_store::sqlite::Sqlite;
use rusqlite::params;

use crate::scratch::{Scratch, digest_of, ordered};

const FIRST: &str = include_str!("../../src/migrations/sqlite/0001_initial.sql");

/// What the first version had: a person who is signed in, a client with a secret and one without,
/// a code, and a family with an access token.
const DATA: &str = r#"
    INSERT INTO oauth2_client VALUES ('web', 'sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        'Web', 'https://web.example', NULL, NULL, NULL, '["https://web.example/cb"]', '[]',
        '["authorization_code","refresh_token"]', 'openid read', 1,
        '{"policy":"reuse","uses":null}', 'ES256', '{"code":30}', '["password"]', NULL, 1),
        ('app', NULL, 'App', NULL, NULL, NULL, NULL, '["app:/cb"]', '[]', '["authorization_code"]',
        'openid', 1, '{"policy":"rotate"}', 'EdDSA', '{}', '[]', 60, 2);
    INSERT INTO user_account
        VALUES (:user, 'ann', 'ann@example.com', 1, 'Ann', '$argon2id$x', 'active', 1, 2);
    INSERT INTO consent VALUES (:user, 'web', 'openid read', 1, 2);
    INSERT INTO session VALUES (:session, :session_digest, :user, 5, 'password', 'pwd otp', 5, 6,
        :later, :later, 'Test/1', '::1');
    INSERT INTO authorization_code VALUES (:code, :code_digest, 'web', :user, :session,
        'https://web.example/cb', 1, 'openid read', '{"userinfo":["email"]}', 'n', NULL, 5,
        'admin_token', 'otp', 5, :later, NULL, NULL);
    INSERT INTO token_family VALUES (:family, 'web', :user, :session, 'openid read', NULL, 5,
        'password', 'pwd otp', 5, :later, NULL, :refresh, NULL, 0, 5, :later, :later, NULL),
        (:revoked, 'web', :user, :session, 'openid', NULL, 5, 'password', 'pwd', 5, :later, 6,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO access_token VALUES (:access, :access_digest, :family, 'read', 5, :later),
        (:stray, :access_digest, :stray, 'read', 5, :later);
"#;

fn made_by_the_first_version(scratch: &Scratch) {
    let shell = scratch.shell();
    let steps = "PRAGMA application_id = 0x47524e54; PRAGMA journal_mode = WAL;
        CREATE TABLE schema_migration (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,
            checksum BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT;";
    shell.execute_batch(steps).expect("the table of steps");
    shell.execute_batch(FIRST).expect("the first schema");
    let checksum = Digest::of("migration", &[b"initial", FIRST.as_bytes()]);
    let applied = "INSERT INTO schema_migration VALUES (1, 'initial', ?1, 0)";
    shell.execute(applied, [checksum.as_bytes()]).expect("the first step");
    for statement in DATA.split_inclusive(";\n").filter(|statement| statement.contains("INSERT")) {
        let mut statement = shell.prepare(statement).expect("a statement of the first schema");
        for place in 1..=statement.parameter_count() {
            let name = statement.parameter_name(place).expect("has a name")[1..].to_owned();
            let value = value(&name);
            statement.raw_bind_parameter(place, value).expect("bind");
        }
        statement.raw_execute().expect("insert");
    }
}

/// An id by the name of its parameter, a digest of it, or a time to come.
fn value(name: &str) -> rusqlite::types::Value {
    match name.strip_suffix("_digest") {
        Some(kind) => digest_of(id(kind)).as_bytes().to_vec().into(),
        None if name == "later" => after(600).epoch().into(),
        None if name == "refresh" => digest_of(id(name)).as_bytes().to_vec().into(),
        None => id(name).as_bytes().to_vec().into(),
    }
}

fn id(name: &str) -> grantor_core::id::Id {
    let kinds = ["user", "session", "code", "family", "revoked", "refresh", "access", "stray"];
    let place = kinds.iter().position(|kind| *kind == name).expect("a name of the data above");
    ordered(7, u64::try_from(place).expect("is small"))
}

#[tokio::test]
async fn what_the_first_version_kept_is_there_and_works() {
    let scratch = Scratch::new();
    made_by_the_first_version(&scratch);
    let store = scratch.open();
    the_clients_are_as_they_were(&store).await;

    let ann = store.user(UserId(id("user"))).await.expect("read").expect("is there");
    assert_eq!((ann.username.as_deref(), ann.external_subject), (Some("ann"), None));
    let session = SessionId(id("session"));
    let view = store.session(session, &digest_of(id("session")), NOW).await.expect("read");
    let authentication = view.expect("lives").session.authentication;
    assert_eq!(authentication, signed_in());

    let access = (AccessTokenId(id("access")), digest_of(id("access")));
    let view = store.access_token(access.0, &access.1, NOW).await.expect("read").expect("works");
    let AccessToken { client_id, audience, exchanged, .. } = view.token;
    assert_eq!((client_id.as_str(), audience.len(), exchanged), ("web", 0, None));
    assert_eq!(view.user.map(|user| user.id), Some(ann.id));
    let stray = store.access_token(AccessTokenId(id("stray")), &access.1, NOW).await;
    assert!(stray.expect("read").is_none(), "its family was swept");

    a_refresh_token_rotates(&store).await;
    assert!(store.access_token(access.0, &access.1, NOW).await.expect("read").is_some());
    a_code_is_redeemed_and_replaces_what_was_there(&store, ann.id).await;
    assert!(store.access_token(access.0, &access.1, NOW).await.expect("read").is_none());
    let revoked = store.family(FamilyId(id("revoked"))).await.expect("read").expect("is kept");
    assert_eq!(revoked.family.revoked_at, Some(Timestamp::from_epoch(6)), "as it was");
}

fn signed_in() -> Authentication {
    Authentication {
        auth_time: Timestamp::from_epoch(5),
        method: MethodName::Password,
        acr: None,
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    }
}

async fn the_clients_are_as_they_were(store: &Sqlite) {
    let [app, web] = store.clients().await.expect("list").try_into().expect("there are two");
    let defaults = Client::new("app", Timestamp::from_epoch(2));
    assert_eq!(app.token_endpoint_auth_method, AuthMethod::None);
    assert_eq!((app.client_name.as_str(), app.requests_per_minute), ("App", Some(60)));
    assert_eq!(app.on_new_token, defaults.on_new_token);
    assert_eq!(app.access_token_signed_response_alg, defaults.access_token_signed_response_alg);
    assert_eq!(web.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(web.secret, Some(ClientSecret::Sha256(Digest::from_bytes([0; 32]))));
    for client in [&app, &web] {
        assert_eq!(client.response_types, [ResponseType::Code]);
        assert_eq!((&client.jwks, &client.jwks_uri), (&None, &None));
        assert_eq!((client.access_token_format, client.registration_token), (None, None));
        assert!(client.resource_server_for.is_empty() && client.other_metadata.is_empty());
        assert!(client.integrations.is_empty());
    }
    assert_eq!(web.lifetimes.code, Some(Seconds(30)));
    let site = Client { client_name: "Site".to_owned(), ..web.clone() };
    assert!(store.replace_client(&web, site).await.expect("replace"));
}

async fn a_refresh_token_rotates(store: &Sqlite) {
    let family = FamilyId(id("family"));
    let view = store.family(family).await.expect("read").expect("is there");
    assert_eq!(view.family.authentication, Some(signed_in()));
    assert_eq!(view.family.user, Some(UserId(id("user"))));
    assert_eq!((view.family.resource.len(), view.family.sole_access), (0, None));
    assert!(view.consent.is_some() && view.family.refresh.is_some());
    let rotation = Rotation {
        presented: digest_of(id("refresh")),
        successor: digest_of(id("access")),
        grace: Seconds(60),
        renewal: renewal(&view.family),
    };
    let rotated = store.rotate_refresh(family, rotation, NOW).await.expect("rotate");
    assert_eq!(rotated, Rotated::Done);
}

async fn a_code_is_redeemed_and_replaces_what_was_there(store: &Sqlite, ann: UserId) {
    let (code, digest) = (CodeId(id("code")), digest_of(id("code")));
    let view = store.code(code, &digest).await.expect("read").expect("is there");
    assert_eq!((view.code.resource.len(), view.code.authentication.acr), (0, None));
    assert_eq!(view.code.authentication.method, MethodName::AdminToken);
    assert_eq!(view.code.claims.userinfo, ["email"]);
    let with = Issued { previous: OnNewToken::RevokePrevious, ..issued(family(ann, "web")) };
    let redeemed = store.redeem_code(code, &digest, with, NOW).await.expect("redeem");
    assert_eq!(redeemed, Redeemed::Done);
}

#[test]
fn an_upgrade_that_fails_leaves_the_file_as_it_was() {
    let scratch = Scratch::new();
    made_by_the_first_version(&scratch);
    // In the way of the second step.
    scratch.shell().execute("CREATE TABLE used_once (a)", ()).expect("create");
    let error = scratch.refused().to_string();
    assert!(error.contains("used_once"), "{error}");
    let shell = scratch.shell();
    shell.execute("DROP TABLE used_once", ()).expect("drop");
    let count = "SELECT count(*) FROM access_token WHERE family_id = ?1";
    let count: u32 = shell
        .query_row(count, params![id("family").as_bytes()], |row| row.get(0))
        .expect("the table of the first schema");
    assert_eq!(count, 1);
    drop(scratch.open());
}
