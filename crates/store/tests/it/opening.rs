//! Opening what is not there, not ours, or too new.

use std::fs;
use std::path::Path;

use grantor_core::store::{ClientStore as _, Store as _, StoreError};
use grantor_store::contract::fixtures::client;
use grantor_store::sqlite::{Options, Sqlite};

use crate::scratch::Scratch;

#[test]
fn a_schema_from_the_future_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let newer = "INSERT INTO schema_migration VALUES (41, 'later', zeroblob(32), 0)";
    scratch.shell().execute(newer, ()).expect("insert");
    let error = scratch.refused().to_string();
    for part in ["grantor.db has schema version 41", "knows version 4", "restore a backup"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_edited_migration_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let edit = "UPDATE schema_migration SET checksum = zeroblob(32) WHERE version = 1";
    scratch.shell().execute(edit, ()).expect("update");
    let error = scratch.refused().to_string();
    assert!(error.contains("step 1 (initial) is not the one that was applied"), "{error}");
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let text = "dear diary, ".repeat(1_000);
    fs::write(scratch.path(), &text).expect("write");
    let error = scratch.refused();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    assert!(error.to_string().contains("is not a SQLite database"), "{error}");
    assert_eq!(fs::read_to_string(scratch.path()).expect("read"), text);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let scratch = Scratch::new();
    scratch.shell().execute("CREATE TABLE recipe (name TEXT)", ()).expect("create");
    let error = scratch.refused().to_string();
    assert!(error.contains("database of another program"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    for path in ["/proc/self/grantor.db", "/nowhere/at/all/grantor.db"] {
        let Err(error) = Sqlite::open(Path::new(path), &Options::default()) else {
            panic!("{path} was opened");
        };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unavailable(_)), "{text}");
        assert!(text.contains(path) && text.contains("Check that the folder"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let _open = scratch.open();
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", scratch.path().display());
        let mode = fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn many_that_start_at_once_make_one_schema() {
    let scratch = Scratch::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(scratch.open()));
        }
    });
    let steps = "SELECT count(*) FROM schema_migration";
    let steps: u32 = scratch.shell().query_row(steps, (), |row| row.get(0)).expect("count");
    assert_eq!(steps, 4);
}

#[tokio::test]
async fn a_closed_store_has_everything_in_one_file() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.add_client(client("a")).await.expect("add");
    store.close();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    let log = fs::metadata(format!("{}-wal", scratch.path().display()));
    assert_eq!(log.map_or(0, |log| log.len()), 0);
    drop(store);
    let store = scratch.open();
    assert!(store.client("a").await.expect("read").is_some());
}
