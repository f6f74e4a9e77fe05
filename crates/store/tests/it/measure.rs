//! How fast it is:
//! `cargo test --release -p grantor-store --test it measure -- --ignored --nocapture`.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use grantor_core::id::{AccessTokenId, CodeId, FamilyId, Id, UserId};
use grantor_core::model::{AccessToken, Code, Family, User};
use grantor_core::secret::Digest;
use grantor_core::store::{
    ClientStore as _, CodeStore as _, Issued, Redeemed, Rotated, Rotation, TokenStore as _,
    UserStore as _,
};
use grantor_core::time::Seconds;
use grantor_store::contract::fixtures::{NOW, access, after, client, code, family, user};
use grantor_store::sqlite::Sqlite;

use crate::scratch::{Scratch, digest_of, ordered};

const TASKS: u64 = 64;
const ROWS: u64 = 1_000_000;
const FEW: u64 = 1_000;

/// A million families with an access token each, written past the store to save time.
fn fill(scratch: &Scratch, users: &[User]) {
    let mut shell = scratch.shell();
    let filling = shell.transaction().expect("begin");
    for n in 0..ROWS {
        let (id, user) = (ordered(9, n), &users[usize::try_from(n).expect("small") % users.len()]);
        filling
            .prepare_cached(
                "INSERT INTO token_family VALUES (?1, 'a', ?2, ?1, 'openid read', NULL, NULL,
                    1800000000, 'password', 'pwd', 1800000000, 1900000000, NULL, ?3, NULL, 0,
                    1800000000, 1900000000, 1900000000, NULL)",
            )
            .expect("prepare")
            .execute(rusqlite::params![
                id.as_bytes(),
                user.id.0.as_bytes(),
                digest_of(id).as_bytes()
            ])
            .expect("insert");
        filling
            .prepare_cached(
                "INSERT INTO access_token VALUES (?1, ?2, ?1, 'read', 1800000000, 1900000000)",
            )
            .expect("prepare")
            .execute(rusqlite::params![id.as_bytes(), digest_of(id).as_bytes()])
            .expect("insert");
    }
    filling.commit().expect("commit");
}

/// Runs `act` in [`TASKS`] tasks until `total` are done, and prints what one costs.
async fn measure<F, A>(store: &Arc<Sqlite>, what: &str, total: u64, act: F)
where
    F: Fn(Arc<Sqlite>, u64) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let (before, cpu, start) = (store.stats(), cpu(), Instant::now());
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        let (store, next, act) = (Arc::clone(store), Arc::clone(&next), act.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= total {
                    return;
                }
                act(Arc::clone(&store), n).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("a task panicked");
    }
    let (took, cpu, stats) = (start.elapsed(), self::cpu() - cpu, store.stats());
    let commits = (stats.commits - before.commits).max(1);
    report(&format!(
        "{what:<28} {:>8} /s   {:>6.1} µs CPU   groups of {:>3}   commit {:>5} µs, longest {:?}",
        u128::from(total) * 1_000_000 / took.as_micros().max(1),
        cpu.as_secs_f64() * 1e6 / total as f64,
        (stats.writes - before.writes) / commits,
        (stats.commit_time - before.commit_time).as_micros() / u128::from(commits),
        stats.longest_commit,
    ));
}

/// Processor time of this process, in hundredths of a second.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("linux");
    let after_name = stat.rsplit(')').next().expect("has a name");
    let ticks = after_name.split_whitespace().skip(11).take(2);
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().expect("a number") * 10).sum())
}

fn report(line: &str) {
    let memory = fs::read_to_string("/proc/self/status").expect("linux");
    let resident = memory.lines().find(|line| line.starts_with("VmRSS")).expect("is there");
    #[expect(clippy::print_stdout, reason = "a measurement is for reading")]
    {
        println!("{line}   {resident}");
    }
}

async fn redeem(store: Arc<Sqlite>, user: UserId, n: u64) {
    let id = ordered(3, 2 * ROWS + n);
    let made = Code { id: CodeId(id), digest: digest_of(id), ..code(user, "a") };
    store.issue_code(made.clone(), None, None, NOW).await.expect("issue");
    let family = Family { id: FamilyId(id), ..family(user, "a") };
    let access = AccessToken { id: AccessTokenId(id), ..access(family.id) };
    let issued = Issued { family, access };
    let redeemed = store.redeem_code(made.id, &made.digest, issued, NOW).await.expect("redeem");
    assert_eq!(redeemed, Redeemed::Done);
}

/// Each family once, all over the table.
async fn rotate_any(store: Arc<Sqlite>, n: u64) {
    let family = ordered(9, n * 2 % (ROWS / 2));
    rotate(store, family, digest_of(family), ordered(4, 4 * ROWS + n)).await;
}

/// Few families, again and again; enough of them that the one before is done.
async fn rotate_again(store: Arc<Sqlite>, n: u64) {
    let (family, earlier) = (ordered(9, n % FEW + ROWS / 2), n.checked_sub(FEW));
    let presented = earlier.map_or(family, |earlier| ordered(4, 5 * ROWS + earlier));
    rotate(store, family, digest_of(presented), ordered(4, 5 * ROWS + n)).await;
}

async fn rotate(store: Arc<Sqlite>, family: Id, presented: Digest, id: Id) {
    let family = FamilyId(family);
    let rotation = Rotation {
        presented,
        successor: digest_of(id),
        grace: Seconds(60),
        idle_expires_at: after(600),
        access: AccessToken { id: AccessTokenId(id), ..access(family) },
    };
    let rotated = store.rotate_refresh(family, rotation, NOW).await.expect("rotate");
    assert_eq!(rotated, Rotated::Done);
}

async fn read_access(store: Arc<Sqlite>, n: u64) {
    let id = ordered(9, n * 7_919 % ROWS);
    let read = store.access_token(AccessTokenId(id), &digest_of(id), NOW).await;
    assert!(read.expect("read").is_some());
}

async fn read_family(store: Arc<Sqlite>, n: u64) {
    let read = store.family(FamilyId(ordered(9, n * 7_919 % ROWS))).await;
    assert!(read.expect("read").is_some());
}

async fn read_client(store: Arc<Sqlite>) {
    assert!(store.client("a").await.expect("read").is_some());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, for a release build"]
async fn measure_a_million_rows() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.add_client(client("a")).await.expect("add");
    let users: Vec<User> = (0..1_000).map(|n| user(&format!("u{n}"))).collect();
    for user in &users {
        store.add_user(user.clone()).await.expect("add");
    }
    fill(&scratch, &users);
    report("filled");
    let one = users[0].id;
    measure(&store, "read an access token", 300_000, read_access).await;
    measure(&store, "read a family", 300_000, read_family).await;
    measure(&store, "read a client", 300_000, |store, _| read_client(store)).await;
    measure(&store, "rotate few families", 200_000, rotate_again).await;
    measure(&store, "rotate any family", 200_000, rotate_any).await;
    measure(&store, "issue and redeem a code", 100_000, move |store, n| redeem(store, one, n))
        .await;
    measure(&store, "read an access token again", 300_000, read_access).await;
    let log = fs::metadata(format!("{}-wal", scratch.path().display())).expect("is there");
    let file = fs::metadata(scratch.path()).expect("is there");
    report(&format!("file {} MB, log {} MB", file.len() >> 20, log.len() >> 20));
}
