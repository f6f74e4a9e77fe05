//! From each kind of store to each other: what was copied is the same, record by record, and works.

use std::sync::Arc;

use grantor_core::store::{Redeemed, Rotated, Rotation, Store};
use grantor_core::time::Seconds;
use grantor_store::contract::audit::verified;
use grantor_store::contract::fixtures::{NOW, after, digest, family, issued, renewal};
use grantor_store::contract::servers::{PostgresServer, RedisServer};
use grantor_store::contract::vault_fixtures::audit_event;
use grantor_store::redis::{Options, Redis};
use grantor_store::sqlite::Sqlite;
use grantor_store::transfer::{
    Changes, Record, Table, Transfer, Value, changes, copy, records, refuse_half,
};
use tempfile::TempDir;

use super::filled;

/// A store as its port, and as it is carried.
pub(super) struct Kind {
    pub(super) store: Arc<dyn Store>,
    pub(super) whole: Arc<dyn Transfer>,
    _folder: Option<TempDir>,
}

async fn sqlite() -> Kind {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("grantor.db");
    let own = Arc::new(Sqlite::open(&path, &Default::default()).expect("opens"));
    Kind { store: own.clone(), whole: own, _folder: Some(folder) }
}

async fn postgres() -> Kind {
    let own = crate::postgres::open(&PostgresServer::shared().fresh().await).await;
    let own = Arc::new(own);
    Kind { store: own.clone(), whole: own, _folder: None }
}

async fn redis() -> Kind {
    let own = crate::redis::servers::single().store().await;
    Kind { store: own.clone(), whole: own, _folder: None }
}

async fn cluster() -> Kind {
    let own = crate::redis::servers::cluster().store().await;
    Kind { store: own.clone(), whole: own, _folder: None }
}

/// There and back again, to a store that is filled by its own methods; each step is compared.
async fn there_and_back(from: Kind, to: Kind, back: Kind) {
    filled::fill(from.store.as_ref()).await;
    let all = records(from.whole.as_ref()).await.expect("read");
    for table in Table::ALL {
        assert!(all.iter().any(|own| own.table == table), "none of {}", table.name());
    }
    for (from, to) in [(&from, &to), (&to, &back)] {
        copy(from.whole.as_ref(), to.whole.as_ref(), &|_| ()).await.expect("is copied");
        let copied = records(to.whole.as_ref()).await.expect("read");
        for (one, other) in all.iter().zip(&copied) {
            assert_eq!(one, other, "{}", one.table.name());
        }
        assert_eq!(copied.len(), all.len());
    }
    works_as_before(&from, &to).await;
    is_changed_and_emptied(&back, all).await;
}

/// What is not a record, but made of them, is as it was.
async fn works_as_before(from: &Kind, to: &Kind) {
    let (one, other) = (from.store.as_ref(), to.store.as_ref());
    let counts = async |store: &dyn Store| {
        let mut counts = store.count_connections().await.expect("count");
        counts.retain(|(.., count)| *count > 0);
        counts.sort();
        counts
    };
    assert_eq!(counts(other).await, counts(one).await);
    let uses = async |store: &dyn Store| store.data_key_uses().await.expect("count");
    assert_eq!(uses(other).await, uses(one).await);
    let sealed = async |store: &dyn Store| {
        let mut uses = store.sealed_uses().await.expect("count");
        uses.sort_by_key(|own| format!("{own:?}"));
        format!("{uses:?}")
    };
    assert_eq!(sealed(other).await, sealed(one).await);
    let keys = async |store: &dyn Store| {
        let keys = store.signing_keys(NOW).await.expect("list");
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    assert_eq!(keys(other).await, ["z", "a"], "in the order in which they were made");
    assert_eq!(keys(other).await, keys(one).await);
    assert_eq!(other.users().await.expect("list"), one.users().await.expect("list"));
    assert_eq!(other.clients().await.expect("list"), one.clients().await.expect("list"));
    assert_eq!(other.pending_mail().await.expect("count"), 1);
    let notices = other.pending_notices().await.expect("count");
    assert_eq!(notices, one.pending_notices().await.expect("count"));
    let ann = other.user_by_email("ann@example.com").await.expect("read").expect("is there");
    assert_eq!(other.sessions_of(ann.id, NOW).await.expect("list").len(), 1);
    assert_eq!(other.consents_of(ann.id).await.expect("list").len(), 3);
    let due = other.claim_due(after(100_000), after(100_100), 9).await.expect("claim");
    assert_eq!(
        due.len(),
        one.claim_due(after(100_000), after(100_100), 9).await.expect("claim").len()
    );
    let log = verified(other).await.len();
    other.append_audit(vec![audit_event("after")]).await.expect("the log goes on");
    assert_eq!(verified(other).await.len(), log + 1);
    codes_and_tokens_work(to).await;
}

/// What was spent is spent, and what was not is good, once.
async fn codes_and_tokens_work(to: &Kind) {
    let all = records(to.whole.as_ref()).await.expect("read");
    let store = to.store.as_ref();
    for code in all.iter().filter(|own| own.table == Table::Code) {
        let id = grantor_core::id::CodeId(id_of(code.value("id").expect("has one")));
        let Value::Blob(bytes) = code.value("digest").expect("has one") else { panic!("bytes") };
        let own = grantor_core::secret::Digest::from_bytes(bytes[..].try_into().expect("32 bytes"));
        let ann = store.user_by_username("ann").await.expect("read").expect("is there");
        let with = issued(family(ann.id, "rotating"));
        let redeemed = store.redeem_code(id, &own, with, NOW).await.expect("redeem");
        let spent = *code.value("spent_at").expect("a column") != Value::Null;
        assert_eq!(matches!(redeemed, Redeemed::Replayed { .. }), spent);
        assert_eq!(redeemed == Redeemed::Done, !spent);
    }
    let rotating = |own: &&Record| {
        let text = |column| own.value(column).expect("a column").clone();
        own.table == Table::Family
            && text("client_id") == Value::Text("rotating".to_owned())
            && text("revoked_at") == Value::Null
    };
    // Without the one that the replay has ended.
    let all = records(to.whole.as_ref()).await.expect("read");
    let own = all.iter().find(rotating).expect("there is one");
    let id = grantor_core::id::FamilyId(id_of(own.value("id").expect("has one")));
    let view = store.family(id).await.expect("read").expect("is there").family;
    let rotation = Rotation {
        presented: view.refresh.expect("has one").current,
        successor: digest(),
        grace: Seconds(0),
        renewal: renewal(&view),
    };
    let rotated = store.rotate_refresh(id, rotation.clone(), after(1)).await.expect("rotate");
    assert_eq!(rotated, Rotated::Done);
    let again = store.rotate_refresh(id, rotation, after(2)).await.expect("rotate");
    assert_eq!(again, Rotated::Reused);
}

fn id_of(value: &Value) -> grantor_core::id::Id {
    let Value::Blob(bytes) = value else { panic!("an id is bytes") };
    grantor_core::id::Id::from_bytes(bytes[..].try_into().expect("16 bytes"))
}

/// Records are changed and taken away as if by somebody else, and leave nothing behind.
async fn is_changed_and_emptied(own: &Kind, all: Vec<Record>) {
    let mut changed = all.clone();
    changed.retain(|record| record.table != Table::Session);
    for record in changed.iter_mut().filter(|record| record.table == Table::User) {
        record.set("name", Value::Text("Eve \0".to_owned())).expect("a column");
    }
    changes(&all, &changed).apply(own.whole.as_ref()).await.expect("is changed");
    assert_eq!(records(own.whole.as_ref()).await.expect("read"), changed);
    changes(&changed, &all).apply(own.whole.as_ref()).await.expect("is changed back");
    assert_eq!(records(own.whole.as_ref()).await.expect("read"), all);

    own.whole.set_half(true).await.expect("marked");
    refuse_half(own.whole.as_ref()).await.expect_err("nobody uses the half");
    // SQLite lets nobody take an entry out of the audit log.
    let removable = all.iter().filter(|record| record.table != Table::AuditEvent);
    let remove = removable.rev().cloned().collect();
    Changes { import: Vec::new(), remove }.apply(own.whole.as_ref()).await.expect("is emptied");
    let left = records(own.whole.as_ref()).await.expect("read");
    assert!(left.iter().all(|record| record.table == Table::AuditEvent), "{left:?}");
    assert_eq!(own.store.users().await.expect("list"), []);
    assert_eq!(own.store.pending_notices().await.expect("count"), 0);
    let counts = own.store.count_connections().await.expect("count");
    assert!(counts.iter().all(|(.., count)| *count == 0), "{counts:?}");
    own.whole.set_half(false).await.expect("marked");
    copy_of(own, all).await;
}

/// After all was taken away, all of it can be put back.
async fn copy_of(own: &Kind, all: Vec<Record>) {
    let there = records(own.whole.as_ref()).await.expect("read");
    changes(&there, &all).apply(own.whole.as_ref()).await.expect("is put back");
    assert_eq!(records(own.whole.as_ref()).await.expect("read"), all);
    refuse_half(own.whole.as_ref()).await.expect("is whole");
}

macro_rules! ways {
    ($($name:ident: $from:ident, $to:ident, $back:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            there_and_back($from().await, $to().await, $back().await).await;
        }
    )+};
}

ways! {
    sqlite_to_postgres_and_back: sqlite, postgres, sqlite;
    sqlite_to_redis_and_back: sqlite, redis, sqlite;
    postgres_to_sqlite_and_back: postgres, sqlite, postgres;
    postgres_to_redis_and_to_another_postgres: postgres, redis, postgres;
    redis_to_sqlite_and_back: redis, sqlite, redis;
    redis_to_postgres_and_to_a_cluster: redis, postgres, cluster;
    a_cluster_to_sqlite_and_back: cluster, sqlite, cluster;
}

/// After a restart from nothing newer than before, what may have been spent is not given out as good.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_redis_refuses_after_an_epoch_is_not_good_elsewhere() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let open = async |url: &str| Redis::open(url, &Options::default()).await.expect("opens");
    let own = open(&server.socket()).await;
    filled::fill(&own).await;
    let before = records(&own).await.expect("read");
    own.close().await;
    server.kill();
    server.start_again();
    let own = open(&server.socket()).await;
    let other = sqlite().await;
    copy(&own, other.whole.as_ref(), &|_| ()).await.expect("is copied");
    let copied = records(other.whole.as_ref()).await.expect("read");
    let of = |records: &[Record], table| {
        records.iter().filter(|own| own.table == table).cloned().collect::<Vec<_>>()
    };
    for table in [Table::Code, Table::Device, Table::ConnectSession, Table::InitialToken] {
        assert!(of(&copied, table).len() < of(&before, table).len(), "{}", table.name());
    }
    let usable = of(&copied, Table::Family);
    let usable =
        usable.iter().filter(|own| own.value("refresh_current").ok() != Some(&Value::Null));
    let usable: Vec<_> = usable.map(|own| own.value("client_id").expect("a column")).collect();
    assert_eq!(usable, [&Value::Text("unlimited".to_owned())]);
    assert_eq!(of(&copied, Table::User), of(&before, Table::User));
}
