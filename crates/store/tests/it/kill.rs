//! kill -9 under load: nothing that was acknowledged is lost, no code is redeemed twice.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::id::{AccessTokenId, CodeId, FamilyId, Id, UserId};
use grantor_core::model::{AccessToken, Code, Family};
use grantor_core::store::{
    ClientStore as _, CodeStore as _, ConsentStore as _, Issued, Redeemed, TokenStore as _,
    UserStore as _,
};
use grantor_store::contract::fixtures::{
    NOW, access, answer, client, code, consent, family, issued, user,
};
use grantor_store::sqlite::{Options, Sqlite};

use crate::scratch::{Scratch, digest_of, ordered};

const DATABASE: &str = "GRANTOR_TEST_KILLED_DATABASE";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    // The process that is killed is this test again, told where to write.
    if let Some(database) = std::env::var_os(DATABASE) {
        return write_until_killed(Path::new(&database)).await;
    }
    let scratch = Scratch::new();
    let prepared = scratch.open();
    prepared.add_client(client("a")).await.expect("add");
    prepared.add_user(user("ann")).await.expect("add");
    drop(prepared);
    let acknowledged = load_until_killed(&scratch.path());
    assert!(acknowledged.len() > 100, "only {} writes before the kill", acknowledged.len());

    let store = scratch.open();
    let ann = store.user_by_username("ann").await.expect("read").expect("is there").id;
    let mut redeemed_as: HashMap<Id, Id> = HashMap::new();
    for line in &acknowledged {
        let ids: Vec<Id> =
            line.split(' ').skip(1).map(|id| id.parse().expect("printed as an id")).collect();
        match line.split(' ').next() {
            Some("issued") => issued_is_there(&store, ids[0], ann).await,
            Some("redeemed") => {
                redeemed_is_there(&store, ids[0], ids[1]).await;
                let twice = redeemed_as.insert(ids[0], ids[1]);
                assert_eq!(twice, None, "the code {} was redeemed twice", ids[0]);
            }
            other => panic!("the child printed {other:?}"),
        }
    }
    assert!(!redeemed_as.is_empty());
}

async fn issued_is_there(store: &Sqlite, id: Id, user: UserId) {
    let code = store.code(CodeId(id), &digest_of(id)).await.expect("read");
    assert!(code.is_some(), "the code {id} is lost");
    assert!(store.consent(user, "a").await.expect("read").is_some(), "the consent is lost");
}

async fn redeemed_is_there(store: &Sqlite, code: Id, family: Id) {
    let read = store.code(CodeId(code), &digest_of(code)).await.expect("read");
    let read = read.expect("the code is there");
    assert_eq!(read.code.redeemed_as, Some(FamilyId(family)), "the code {code} can be used again");
    // A replay was tried right after, so the family is there, and may be revoked.
    let kept = store.family(FamilyId(family)).await.expect("read");
    assert!(kept.is_some(), "the family {family} is lost");
}

/// The lines that the child printed until it was killed; the last may be half a line.
fn load_until_killed(database: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("has a path"))
        .args(["kill::what_was_acknowledged_survives_kill_9", "--exact", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let output = BufReader::new(child.stdout.take().expect("is piped"));
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1_500));
        child.kill().expect("is killed");
        child.wait().expect("is gone")
    });
    let lines: Vec<String> = output.lines().map_while(Result::ok).collect();
    killer.join().expect("the killer is done");
    let whole = |line: &&String| match line.split(' ').next() {
        Some("issued") => line.len() == "issued ".len() + 36,
        Some("redeemed") => line.len() == "redeemed ".len() + 36 + 1 + 36,
        _ => false,
    };
    lines.iter().filter(whole).cloned().collect()
}

/// What the process does that is killed.
async fn write_until_killed(database: &Path) {
    let store = Sqlite::open(database, &Options::default()).expect("opens");
    let store = Arc::new(store);
    let ann = store.user_by_username("ann").await.expect("read").expect("is there").id;
    let count = Arc::new(AtomicU64::new(0));
    for _ in 0..32 {
        let (store, count) = (Arc::clone(&store), Arc::clone(&count));
        tokio::spawn(async move {
            loop {
                issue_and_redeem(&store, count.fetch_add(1, Ordering::Relaxed), ann).await;
            }
        });
    }
    // Until it is killed.
    std::future::pending::<()>().await;
}

async fn issue_and_redeem(store: &Arc<Sqlite>, n: u64, ann: UserId) {
    let id = ordered(1, n);
    let made = Code { id: CodeId(id), digest: digest_of(id), ..code(ann, "a") };
    let allowed = consent(ann, "a", "read");
    store.answer_request(answer(made), None, Some(allowed), NOW).await.expect("issue");
    acknowledge(&format!("issued {id}\n"));
    let rivals =
        [2, 3].map(|kind| tokio::spawn(redeem(Arc::clone(store), id, ordered(kind, n), ann)));
    for rival in rivals {
        rival.await.expect("a rival panicked");
    }
}

async fn redeem(store: Arc<Sqlite>, code: Id, family_id: Id, ann: UserId) {
    let family = Family { id: FamilyId(family_id), ..family(ann, "a") };
    let access = AccessToken { id: AccessTokenId(family_id), ..access(&family) };
    let issued = Issued { access: Some(access), ..issued(family) };
    let redeemed = store.redeem_code(CodeId(code), &digest_of(code), issued, NOW).await;
    if redeemed.expect("redeem") == Redeemed::Done {
        acknowledge(&format!("redeemed {code} {family_id}\n"));
    }
}

fn acknowledge(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes()).expect("the pipe is read");
    stdout.flush().expect("the pipe is read");
}
