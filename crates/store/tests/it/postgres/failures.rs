//! A server that ends, a network that says nothing, and others who are in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use grantor_core::model::{AccessToken, Code, User};
use grantor_core::store::{
    ClientStore as _, CodeStore as _, Redeemed, Store as _, StoreError, TokenStore as _,
    UserStore as _,
};
use grantor_store::contract::fixtures::{
    NOW, answer, client, code, family, issued, own_access, user,
};
use grantor_store::contract::servers::{PostgresServer, Proxy};
use grantor_store::postgres::{Options, Postgres};

/// As quick to give up as tests can wait for.
fn hasty() -> Options {
    Options {
        wait: Duration::from_secs(1),
        statement: Duration::from_secs(2),
        ..Options::default()
    }
}

/// The longest that anything may take with [`hasty`]: waiting for a connection, which may break
/// under the statement, twice, and a machine that has other things to do.
const QUICK: Duration = Duration::from_secs(9);

/// What was acknowledged by a store that goes away now and then.
#[derive(Default)]
struct Ledger {
    tokens: Vec<AccessToken>,
    redeemed: Vec<Code>,
}

struct Load {
    store: Arc<Postgres>,
    ann: User,
    over: AtomicBool,
    acknowledged: AtomicU32,
    failed: AtomicU32,
}

impl Load {
    /// Writes until it is over, and says what was acknowledged.
    async fn write(self: Arc<Self>) -> Ledger {
        let mut ledger = Ledger::default();
        while !self.over.load(Ordering::Relaxed) {
            let (token, made) = (own_access("a"), code(self.ann.id, "a"));
            if self.counted(self.store.issue_access(token.clone())).await.is_some() {
                ledger.tokens.push(token);
            }
            let answered = self.store.answer_request(answer(made.clone()), None, None, NOW);
            if self.counted(answered).await.is_none() {
                continue;
            }
            let issued = issued(family(self.ann.id, "a"));
            let redeemed = self.store.redeem_code(made.id, &made.digest, issued, NOW);
            if self.counted(redeemed).await == Some(Redeemed::Done) {
                ledger.redeemed.push(made);
            }
        }
        ledger
    }

    async fn counted<T>(&self, act: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let began = Instant::now();
        let outcome = act.await;
        assert!(began.elapsed() < QUICK, "an answer took {:?}", began.elapsed());
        match outcome {
            Ok(done) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                Some(done)
            }
            Err(StoreError::Unavailable(_)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until there are this many more.
    async fn more(counter: &AtomicU32, more: u32) {
        let enough = counter.load(Ordering::Relaxed) + more;
        while counter.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_the_server() {
    let server = PostgresServer::start("trust", &[], None);
    let store = Postgres::open(&server.fresh().await, &hasty()).await.expect("opens");
    let load = Arc::new(Load {
        store: Arc::new(store),
        ann: user("ann"),
        over: AtomicBool::new(false),
        acknowledged: AtomicU32::new(0),
        failed: AtomicU32::new(0),
    });
    load.store.add_user(load.ann.clone()).await.expect("add");
    let writers: Vec<_> = (0..16).map(|_| tokio::spawn(Arc::clone(&load).write())).collect();
    let ends: [fn(&PostgresServer); 3] =
        [PostgresServer::kill, PostgresServer::stop, PostgresServer::kill];
    for end in ends {
        Load::more(&load.acknowledged, 200).await;
        tokio::task::block_in_place(|| end(&server));
        Load::more(&load.failed, 16).await;
        tokio::task::block_in_place(|| server.start_again());
        let began = Instant::now();
        Load::more(&load.acknowledged, 1).await;
        assert!(began.elapsed() < QUICK, "it works again after {:?}", began.elapsed());
    }
    Load::more(&load.acknowledged, 200).await;
    load.over.store(true, Ordering::Relaxed);
    let mut tokens = 0;
    for writer in writers {
        let ledger = writer.await.expect("a writer panicked");
        tokens += ledger.tokens.len();
        all_is_there(&load, &ledger).await;
    }
    assert!(tokens > 100, "{tokens} tokens");
}

async fn all_is_there(load: &Load, ledger: &Ledger) {
    for token in &ledger.tokens {
        let read = load.store.access_token(token.id, &token.digest, NOW).await.expect("read");
        assert!(read.is_some(), "the token {} is lost", token.id);
    }
    for made in &ledger.redeemed {
        let issued = issued(family(load.ann.id, "a"));
        let again = load.store.redeem_code(made.id, &made.digest, issued, NOW).await;
        let replayed = matches!(again.expect("redeem"), Redeemed::Replayed { .. });
        assert!(replayed, "the code {} can be used again", made.id);
    }
}

/// How long `act` took, which fails because the store is away.
async fn unavailable<T>(act: impl Future<Output = Result<T, StoreError>>) -> Duration {
    let began = Instant::now();
    match act.await {
        Err(StoreError::Unavailable(_)) => began.elapsed(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("there was an answer"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_says_nothing_is_noticed_and_outlived() {
    let server = PostgresServer::shared();
    let proxy = Proxy::to(server.socket()).await;
    let url = format!(
        "postgres://grantor@{}/postgres?sslmode=disable&{}",
        proxy.address(),
        server.fresh_schema().await
    );
    let store = Postgres::open(&url, &hasty()).await.expect("opens");
    store.add_client(client("a")).await.expect("add");
    store.ping().await.expect("answers");
    assert!(store.client("a").await.expect("read").is_some());

    proxy.shut();
    let together = tokio::join!(
        unavailable(store.ping()),
        unavailable(store.issue_access(own_access("a"))),
        unavailable(store.add_client(client("b"))),
        unavailable(store.user_by_email("a@example.com")),
        unavailable(store.clients()),
    );
    for took in [together.0, together.1, together.2, together.3, together.4] {
        assert!(took < QUICK, "{together:?}");
    }
    // Nobody knows any more whether it has changed, so what is in memory does not count.
    unavailable(store.client("a")).await;

    proxy.reopen();
    let began = Instant::now();
    while store.ping().await.is_err() {
        assert!(began.elapsed() < QUICK, "it does not work again");
    }
    assert!(store.client("a").await.expect("read").is_some());
    store.issue_access(own_access("a")).await.expect("works again");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_wait_for_others_hold_up_neither_reads_nor_for_ever() {
    let url = PostgresServer::shared().fresh().await;
    let options = Options { connections: 2, wait: Duration::from_millis(300), ..hasty() };
    let store = Arc::new(Postgres::open(&url, &options).await.expect("opens"));
    let ann = user("ann");
    store.add_user(ann.clone()).await.expect("add");
    let shell = super::shell(&url).await;
    shell.batch_execute("BEGIN; SELECT * FROM user_account FOR UPDATE").await.expect("lock");

    let writes = (0..2).map(|_| {
        let (store, id) = (Arc::clone(&store), ann.id);
        tokio::spawn(async move { unavailable(store.mark_email_verified(id, NOW)).await })
    });
    let writes: Vec<_> = writes.collect();
    let blocked = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '%email_verified = true%'
                     AND application_name = 'grantor'";
    // In no transaction: within one, all looks show the same.
    let watcher = super::shell(&url).await;
    while watcher.query_one(blocked, &[]).await.expect("count").get::<_, i64>(0) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = unavailable(store.mark_email_verified(ann.id, NOW)).await;
    assert!(took < Duration::from_millis(1_500), "a connection was waited for {took:?}");
    assert!(store.user(ann.id).await.expect("reads go on").is_some());
    for write in writes {
        let took = write.await.expect("a write panicked");
        assert!(took < QUICK, "the lock was waited for {took:?}");
    }
    shell.batch_execute("COMMIT").await.expect("unlock");
    store.mark_email_verified(ann.id, NOW).await.expect("works again");
}
