//! A Redis that has gone back: nothing that was spent can be spent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor_core::model::{
    AccessToken, Code, ConnectSession, ConnectState, ConnectStep, DeviceAuthorization, DeviceState,
    ExternalAnswer, ExternalIdentity, ExternalSignIn, Family, InitialToken, Refresh, SignInAttempt,
};
use grantor_core::secret::Digest;
use grantor_core::store::{
    AttemptLimits, ClientStore as _, CodeStore as _, ConnectStore as _, DeviceStore as _,
    ExternalStore as _, Recorded, Redeemed, Registered, Rotated, Rotation, SignInStore as _, Spent,
    Store as _, TokenStore as _, Tried, UserStore as _,
};
use grantor_core::time::Seconds;
use grantor_store::contract::fixtures::{
    NOW, access, after, answer, approval, attempt, client, code, device, digest, external, family,
    initial_token, issued, renewal, user,
};
use grantor_store::contract::servers::{RedisCluster, RedisServer};
use grantor_store::contract::vault_fixtures::{connect_session, started};
use grantor_store::redis::{Options, Redis};

use super::{open, open_with};

/// One of each thing that can be spent once, and a refresh token that cannot be spent at all.
struct Things {
    code: Code,
    rotating: Family,
    counted: Family,
    endless: Family,
    device: DeviceAuthorization,
    attempt: SignInAttempt,
    external: (ExternalSignIn, Digest),
    connect: ConnectSession,
    initial: InitialToken,
}

fn reusable(family: Family, uses_left: Option<u32>) -> Family {
    let refresh = family.refresh.map(|refresh| Refresh { uses_left, ..refresh });
    Family { refresh, ..family }
}

fn token(family: &Family) -> Digest {
    family.refresh.expect("has a refresh token").current
}

impl Things {
    async fn issue(store: &Redis) -> Self {
        let ann = user(&format!("ann{}", digest().to_text()));
        store.add_user(ann.clone()).await.expect("add");
        let made = code(ann.id, "a");
        store.answer_request(answer(made.clone()), None, None, NOW).await.expect("issue");
        let [rotating, counted, endless] = [(); 3].map(|()| family(ann.id, "a"));
        let (counted, endless) = (reusable(counted, Some(1)), reusable(endless, None));
        for one in [&rotating, &counted, &endless] {
            store.issue_tokens(issued(one.clone()), None, NOW).await.expect("issue");
        }
        let state = DeviceState::Approved(approval(ann.id));
        let device = DeviceAuthorization { state, ..device("a") };
        store.add_device(device.clone()).await.expect("add");
        let limits = AttemptLimits { pause: Seconds(0), per_hour: 9 };
        let attempt = attempt("ann@example.com");
        store.start_attempt(attempt.clone(), None, limits, NOW).await.expect("start");
        let external = (external(), digest());
        store.add_external(external.0.clone()).await.expect("add");
        let yes = ExternalAnswer::Accepted(ExternalIdentity::default());
        let answered = store.answer_external(external.0.id, yes, &external.1, NOW).await;
        assert!(answered.expect("answer"));
        let connect = ConnectSession { state: started(), ..connect_session() };
        let added = store.add_connect_session(connect.clone(), Recorded::default()).await;
        added.expect("add");
        let initial = initial_token(Some(1));
        store.add_initial_token(initial.clone()).await.expect("add");
        Self { code: made, rotating, counted, endless, device, attempt, external, connect, initial }
    }

    /// Tries to spend each, and says which let themselves be spent.
    async fn spend(&self, store: &Redis) -> Vec<&'static str> {
        let ann = self.code.user;
        let mut spent = Vec::new();
        let mut note = |name, was| {
            if was {
                spent.push(name);
            }
        };
        let bought = issued(family(ann, "a"));
        let redeemed = store.redeem_code(self.code.id, &self.code.digest, bought, NOW).await;
        note("code", redeemed.expect("redeem") == Redeemed::Done);
        let rotation = Rotation {
            presented: token(&self.rotating),
            successor: digest(),
            grace: Seconds(0),
            renewal: renewal(&self.rotating),
        };
        let rotated = store.rotate_refresh(self.rotating.id, rotation, after(1)).await;
        note("rotating", rotated.expect("rotate") == Rotated::Done);
        let counted = (self.counted.id, &token(&self.counted), renewal(&self.counted));
        let used = store.spend_refresh_use(counted.0, counted.1, counted.2, NOW).await;
        note("counted", matches!(used.expect("use"), Spent::Done { .. }));
        let fetched = store.redeem_device(self.device.id, issued(family(ann, "a")), NOW).await;
        note("device", fetched.expect("fetch"));
        let (tried, browser) = (&self.attempt, &self.attempt.browser);
        let tried = store.try_token(tried.id, browser, &tried.token, NOW).await;
        note("attempt", matches!(tried.expect("try"), Tried::Right(_)));
        let (handed_over, verifier) = &self.external;
        let browser = &handed_over.browser;
        let taken = store.take_external(handed_over.id, verifier, browser, NOW).await;
        note("external", taken.expect("take").is_some());
        let ConnectState::Started { state, .. } = &self.connect.state else {
            panic!("it was started");
        };
        let (from, failed) = (ConnectStep::Started, ConnectState::Failed("x".to_owned()));
        let step = store.step_connect(self.connect.id, from, Some(*state), failed, NOW).await;
        note("connect", step.expect("step").is_some());
        let credential = (self.initial.id, self.initial.digest);
        let name = digest().to_text();
        let registered = store.register_client(client(&name), credential, NOW).await;
        note("initial", registered.expect("register") == Registered::Done);
        spent
    }

    /// Whether the refresh token that has no uses to count works.
    async fn endless_works(&self, store: &Redis) -> bool {
        let (id, token) = (self.endless.id, token(&self.endless));
        let used = store.spend_refresh_use(id, &token, renewal(&self.endless), NOW).await;
        used.expect("use") == Spent::Done { left: None }
    }
}

const ALL: [&str; 8] =
    ["code", "rotating", "counted", "device", "attempt", "external", "connect", "initial"];
const NONE: [&str; 0] = [];

/// What is issued now can be spent, once.
async fn goes_on(store: &Redis) {
    let things = Things::issue(store).await;
    assert_eq!(things.spend(store).await, ALL);
    assert_eq!(things.spend(store).await, NONE);
}

fn without_log() -> RedisServer {
    RedisServer::start(&["--appendonly", "no"])
}

/// A server that is started again from a snapshot of before everything was spent.
async fn gone_back(options: &Options) -> (RedisServer, Arc<Redis>, Things) {
    let mut server = without_log();
    let store = open_with(&server.url(), options).await;
    let things = Things::issue(&store).await;
    assert_eq!(server.cli(&["save"]), "OK");
    assert_eq!(things.spend(&store).await, ALL);
    server.kill();
    server.start_again();
    (server, store, things)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_stays_spent_after_a_restart_from_an_old_snapshot() {
    let (server, store, things) = gone_back(&Options::default()).await;
    let attempt = store.attempt(things.attempt.id, &things.attempt.browser, NOW).await;
    assert_eq!(attempt.expect("read"), None, "nobody is asked for a token that cannot be used");
    for store in [&store, &open(&server.url()).await] {
        assert_eq!(things.spend(store).await, NONE);
        assert!(things.endless_works(store).await, "there is nothing to spend");
        goes_on(store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_started_again_too_is_not_deceived() {
    let (server, store, things) = gone_back(&Options::default()).await;
    drop(store);
    let store = open(&server.url()).await;
    assert_eq!(things.spend(&store).await, NONE);
    goes_on(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_spent_is_refused_as_well_because_nobody_knows() {
    let mut server = without_log();
    let store = open(&server.url()).await;
    let things = Things::issue(&store).await;
    assert_eq!(server.cli(&["save"]), "OK");
    server.kill();
    server.start_again();
    assert_eq!(things.spend(&store).await, NONE);
    // The access tokens are what they were.
    let own: AccessToken = access(&things.endless);
    store.issue_access(own.clone()).await.expect("issue");
    assert!(store.access_token(own.id, &own.digest, NOW).await.expect("read").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_keeps_what_it_acknowledged_may_start_again() {
    let keeps = Options { keeps_acknowledged: true, ..Options::default() };
    let mut server = RedisServer::start(&["--appendfsync", "always"]);
    let store = open_with(&server.url(), &keeps).await;
    let (spent, open) = (Things::issue(&store).await, Things::issue(&store).await);
    assert_eq!(spent.spend(&store).await, ALL);
    server.kill();
    server.start_again();
    assert_eq!(spent.spend(&store).await, NONE);
    assert_eq!(open.spend(&store).await, ALL);
    assert_eq!(open.spend(&store).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_better_does_not_believe_that_it_kept_everything() {
    let keeps = Options { keeps_acknowledged: true, ..Options::default() };
    let (server, store, things) = gone_back(&keeps).await;
    // The first to see it is the one who knows; from then on nobody can be deceived.
    assert_eq!(things.spend(&store).await, NONE);
    let other = open_with(&server.url(), &keeps).await;
    assert_eq!(things.spend(&other).await, NONE);
    goes_on(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_stays_spent_after_a_failover_to_a_replica_that_was_behind() {
    let mut primary = RedisServer::start(&[]);
    let replica = RedisServer::replica_of(&primary);
    let store =
        open_with(&primary.url(), &Options { wait_replicas: 1, ..Options::default() }).await;
    let things = Things::issue(&store).await;
    drop(store);
    // From here on the replica hears nothing any more.
    assert_eq!(replica.cli(&["replicaof", "127.0.0.1", "1"]), "OK");
    let alone = open(&primary.url()).await;
    assert_eq!(things.spend(&alone).await, ALL);
    primary.kill();
    assert_eq!(replica.cli(&["replicaof", "no", "one"]), "OK");
    let store = open(&replica.url()).await;
    assert_eq!(things.spend(&store).await, NONE);
    goes_on(&store).await;

    // The first one comes back as a replica of the second, and is primary again.
    let last = Things::issue(&store).await;
    primary.start_again();
    let port = replica.port().to_string();
    assert_eq!(primary.cli(&["replicaof", "127.0.0.1", &port]), "OK");
    primary.until_in_step_with(&replica);
    assert_eq!(primary.cli(&["replicaof", "no", "one"]), "OK");
    let store = open(&primary.url()).await;
    assert_eq!((things.spend(&store).await, last.spend(&store).await), (vec![], vec![]));
    goes_on(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_that_starts_again_is_another_one_too() {
    let mut cluster = RedisCluster::start(&[]);
    let store = open(&cluster.url()).await;
    let (spent, kept) = (Things::issue(&store).await, Things::issue(&store).await);
    assert_eq!(spent.spend(&store).await, ALL);
    let node = cluster.node_of("{grantor:oauth}:meta");
    node.kill();
    node.start_again();
    cluster.until_it_works();
    let since = Instant::now();
    while let Err(error) = store.ping().await {
        assert!(since.elapsed() < Duration::from_secs(10), "{error}");
    }
    assert_eq!(spent.spend(&store).await, NONE);
    let left = kept.spend(&store).await;
    let elsewhere = ["attempt", "external", "connect"];
    assert!(left.iter().all(|name| elsewhere.contains(name)), "{left:?}");
    goes_on(&store).await;
}
