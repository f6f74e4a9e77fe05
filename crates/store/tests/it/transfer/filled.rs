//! A store with records in every table, in every state that matters, and what a restore makes of them.

use grantor_core::id::{AccessTokenId, ConnectionId, UserId};
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    Client, ConnectSession, ConnectState, Connection, ConnectionStatus, DeviceAuthorization,
    ExternalAnswer, Family, OutboxMail, PendingRequest, RefreshPolicy,
};
use grantor_core::store::{
    AttemptLimits, Begun, Once, Recorded, Redeemed, RefreshEnd, ServerSecret, Store,
};
use grantor_core::time::Seconds;
use grantor_store::contract::fixtures::{
    NOW, after, answer, approval, attempt, client, code, consent, device, digest, external, family,
    id, initial_token, issued, key, mail, own_access, own_family, request, session, user,
};
use grantor_store::contract::vault_fixtures::{
    api_key, connect_session, dead, grant, pause, recorded, refresh, started, trouble, waiting,
    wrapped,
};
use grantor_store::transfer::{Record, Table, Value};

/// How refresh tokens of the clients behave: the client has the name.
const POLICIES: [(&str, RefreshPolicy, Option<u32>); 3] = [
    ("rotating", RefreshPolicy::Rotate, None),
    ("counted", RefreshPolicy::Reuse { uses: Some(5) }, Some(5)),
    ("unlimited", RefreshPolicy::Reuse { uses: None }, None),
];

/// Fills an empty store.
pub(crate) async fn fill(store: &dyn Store) {
    let ann = people(store).await;
    clients(store).await;
    tokens(store, ann).await;
    devices(store, ann).await;
    half_done(store, ann).await;
    keys(store).await;
    connections(store).await;
    around_connections(store).await;
}

async fn people(store: &dyn Store) -> UserId {
    let ann = user("ann");
    store.add_user(ann.clone()).await.expect("add");
    let mut bare = user("bare");
    (bare.username, bare.email, bare.name, bare.password) = (None, None, None, None);
    store.add_user(bare).await.expect("add");
    store.start_session(session(ann.id), None).await.expect("start");
    ann.id
}

async fn clients(store: &dyn Store) {
    for (name, refresh, _) in POLICIES {
        store.add_client(Client { refresh, ..client(name) }).await.expect("add");
    }
    store.add_client(Client::new("bare", NOW)).await.expect("add");
    let gone = client("gone");
    store.add_client(gone.clone()).await.expect("add");
    assert!(store.remove_client(&gone, NOW).await.expect("remove"));
    for uses in [Some(3), None] {
        store.add_initial_token(initial_token(uses)).await.expect("add");
    }
}

async fn tokens(store: &dyn Store, ann: UserId) {
    for (name, _, uses) in POLICIES {
        let mut own = family(ann, name);
        own.refresh.as_mut().expect("has one").uses_left = uses;
        let allowed = consent(ann, name, "openid read");
        store.issue_tokens(issued(own), Some(allowed), NOW).await.expect("issue");
    }
    let of_nobody = Family { refresh: None, ..own_family("bare") };
    store.issue_tokens(issued(of_nobody), None, NOW).await.expect("issue");
    store.issue_access(own_access("bare")).await.expect("issue");
    store.revoke_access(AccessTokenId(id()), after(600)).await.expect("revoke");
    for kind in [Once::ClientAssertion, Once::GrantAssertion] {
        assert!(store.first_use(kind, &digest(), after(600), NOW).await.expect("remember"));
    }
    let (open, spent) = (code(ann, "rotating"), code(ann, "rotating"));
    for code in [&open, &spent] {
        store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    }
    let with = issued(family(ann, "rotating"));
    let redeemed = store.redeem_code(spent.id, &spent.digest, with, NOW).await;
    assert_eq!(redeemed.expect("redeem"), Redeemed::Done);
}

/// One that waits, one that was refused, one that was allowed, and one that has its tokens.
async fn devices(store: &dyn Store, ann: UserId) {
    let made: [DeviceAuthorization; 4] = std::array::from_fn(|_| device("rotating"));
    for device in &made {
        store.add_device(device.clone()).await.expect("add");
    }
    let [_, refused, allowed, redeemed] = made;
    assert!(store.answer_device(refused.id, None, None, NOW).await.expect("answer"));
    for device in [&allowed, &redeemed] {
        let yes = store.answer_device(device.id, Some(approval(ann)), None, NOW).await;
        assert!(yes.expect("answer"));
    }
    let with = issued(family(ann, "rotating"));
    assert!(store.redeem_device(redeemed.id, with, NOW).await.expect("redeem"));
}

async fn half_done(store: &dyn Store, ann: UserId) {
    // What is sealed begins with a byte for its version and the id of a key.
    let sealed = PendingRequest { parameters: "AQMDAwMDAwMDAAAA".to_owned(), ..request() };
    store.add_request(sealed).await.expect("add");
    let limits = AttemptLimits { pause: Seconds(60), per_hour: 1 };
    let mail = OutboxMail { sealed: wrapped([2; 8]), ..mail() };
    let asked = store.start_attempt(attempt("ann@example.com"), Some(mail), limits, NOW).await;
    asked.expect("start");
    let (open, answered) = (external(), external());
    for external in [&open, &answered] {
        store.add_external(external.clone()).await.expect("add");
    }
    let no = ExternalAnswer::Rejected { reason: None };
    let counts = store.answer_external(answered.id, no, &digest(), NOW).await;
    assert!(counts.expect("answer"));
    assert!(store.user(ann).await.expect("read").is_some());
}

async fn keys(store: &dyn Store) {
    // Two of one second: the later one signs.
    for (kid, expected) in [("z", None), ("a", Some("z"))] {
        let key = key(kid, Algorithm::Es256);
        store.add_signing_key(key, expected, after(100)).await.expect("add");
    }
    let root = ServerSecret { name: "root".to_owned(), sealed: wrapped([1; 8]) };
    store.add_server_secret(root).await.expect("add");
}

async fn connections(store: &dyn Store) {
    let quiet = Recorded::default;
    grant(store, "google", "ann").await;
    let refreshing = grant(store, "google", "bob").await.connection;
    let begun = store.begin_refresh(refresh(&refreshing), NOW).await.expect("begin");
    assert!(matches!(begun, Begun::Yes(_)));
    let over = grant(store, "rotating", "ann").await.connection;
    assert!(store.set_status(over.id, over.generation, dead(), quiet()).await.expect("set"));
    let failing = grant(store, "rotating", "bob").await.connection;
    let Begun::Yes(attempt) = store.begin_refresh(refresh(&failing), NOW).await.expect("begin")
    else {
        panic!("nobody refreshes it");
    };
    let failed = Connection { trouble: Some(trouble()), due_at: Some(after(20)), ..failing };
    let end = RefreshEnd::Failed(Box::new(failed));
    store.end_refresh(&attempt, end, quiet(), NOW).await.expect("end");
    let leaving = grant(store, "google", "cyd").await.connection;
    let left = store.start_disconnect(leaving.id, &[], quiet(), after(5), NOW).await;
    assert!(left.expect("start").is_some());
    assert_eq!(over.status, ConnectionStatus::Active, "as it was");
}

async fn around_connections(store: &dyn Store) {
    store.pause_integration(pause("google"), recorded("paused")).await.expect("pause");
    store.add_api_key(api_key("ab12"), recorded("made")).await.expect("add");
    let bare = grantor_core::model::ApiKey { previous: None, expires_at: None, ..api_key("cd34") };
    store.add_api_key(bare, Recorded::default()).await.expect("add");
    let states = [
        ConnectState::Open,
        started(),
        waiting(),
        ConnectState::Done(ConnectionId(id())),
        ConnectState::Failed("access_denied".to_owned()),
    ];
    for state in states {
        let session = ConnectSession { state, ..connect_session() };
        store.add_connect_session(session, recorded("connect")).await.expect("add");
    }
}

/// What a restore must have made of records.
pub(crate) fn assert_unspent(before: &[Record], after: &[Record]) {
    for table in Table::ALL {
        let before: Vec<_> = before.iter().filter(|own| own.table == table).collect();
        let after: Vec<_> = after.iter().filter(|own| own.table == table).collect();
        assert!(!before.is_empty(), "none of {}", table.name());
        let only = |column: &str, values: &[Value]| {
            let good = before.iter().filter(|own| values.contains(value(own, column)));
            assert_eq!(after, good.copied().collect::<Vec<_>>(), "{}", table.name());
            assert!(!after.is_empty() && after.len() < before.len(), "{}", table.name());
        };
        match table {
            Table::PendingRequest | Table::ExternalSignIn | Table::OutboxMail => {
                assert!(after.is_empty(), "{after:?}");
            }
            Table::InitialToken => only("uses_left", &[Value::Null]),
            Table::Code => only("spent_at", &[Value::Integer(NOW.epoch())]),
            Table::Device => only("state", &[Value::Text("redeemed".to_owned())]),
            Table::ConnectSession => {
                only("step", &["done", "failed"].map(|step| Value::Text(step.to_owned())));
            }
            Table::SignInAttempt => {
                assert_eq!(after.len(), before.len());
                assert!(after.iter().all(|own| *value(own, "tries_left") == Value::Integer(0)));
            }
            Table::Family => assert_families(&before, &after),
            Table::ServerSecret
            | Table::SigningKey
            | Table::Client
            | Table::RemovedClient
            | Table::User
            | Table::Session
            | Table::Consent
            | Table::AccessToken
            | Table::RevokedToken
            | Table::UsedOnce
            | Table::Connection
            | Table::Credential
            | Table::RefreshAttempt
            | Table::Pause
            | Table::ApiKey
            | Table::AuditEvent
            | Table::Notice => assert_eq!(after, before, "{}", table.name()),
        }
    }
}

/// All are there, and only the one whose refresh token is not spent by a use has it still.
fn assert_families(before: &[&Record], after: &[&Record]) {
    assert_eq!(after.len(), before.len());
    for (before, after) in before.iter().zip(after) {
        let unlimited = *value(before, "client_id") == Value::Text("unlimited".to_owned());
        for (column, (was, is)) in
            before.table.columns().iter().zip(before.values.iter().zip(&after.values))
        {
            let lost = column.name.starts_with("refresh_") && !unlimited;
            assert_eq!(*is, if lost { Value::Null } else { was.clone() }, "{}", column.name);
        }
        assert!(!unlimited || *value(after, "refresh_current") != Value::Null);
    }
}

fn value<'r>(record: &'r Record, column: &str) -> &'r Value {
    record.value(column).expect("a column")
}
