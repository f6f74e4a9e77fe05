//! Whole stores, carried from one to another, into a file and back.

mod filled;
mod kinds;

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use grantor_core::store::{AuditStore as _, StoreError};
use grantor_store::contract::audit::verified;
use grantor_store::contract::vault_fixtures::audit_event;
use grantor_store::sqlite::{Options, Sqlite};
use grantor_store::transfer::backup::{self, Backup, BackupError, Header};
use grantor_store::transfer::{
    Changes, CopyError, Record, Source as _, Stage, Table, Transfer, Unspent, Value, changes,
    contents, copy, records, refuse_half,
};

use crate::scratch::Scratch;

fn quiet(_: grantor_store::transfer::Progress) {}

async fn filled(scratch: &Scratch) -> Arc<Sqlite> {
    let store = scratch.open();
    filled::fill(store.as_ref()).await;
    store
}

/// The columns that are carried are those of the schema; what is left out is made on import.
#[test]
fn every_table_and_column_of_the_schema_is_carried() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let shell = scratch.shell();
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN
                ('schema_migration', 'connection_count', 'rate_limit')";
    let mut statement = shell.prepare(list).expect("a statement");
    let rows = statement.query_map((), |row| row.get::<_, String>(0)).expect("a list");
    let tables: Vec<String> = rows.collect::<Result<_, _>>().expect("names");
    assert_eq!(tables.len(), Table::ALL.len());
    for name in tables {
        let table = Table::named(&name).unwrap_or_else(|| panic!("{name} is not carried"));
        let columns = "SELECT name, type, \"notnull\" FROM pragma_table_info(?1)
                       WHERE NOT (name = 'number' AND pk = 1) ORDER BY name";
        let mut statement = shell.prepare(columns).expect("a statement");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows = statement.query_map([&name], read).expect("a list");
        let there: Vec<(String, String, bool)> = rows.collect::<Result<_, _>>().expect("columns");
        let carried = table.columns().iter().filter(|column| column.name != "place");
        let mut carried: Vec<_> = carried
            .map(|own| {
                let kind = own.kind.name().to_uppercase().replace("FLAG", "INTEGER");
                let kind = if kind == "ID" { "BLOB".to_owned() } else { kind };
                (own.name.to_owned(), kind, !own.nullable)
            })
            .collect();
        carried.sort();
        assert_eq!(carried, there, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_equal_record_by_record_and_can_be_used() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (from, to) = (filled(&one).await, other.open());
    let copied = copy(from.as_ref(), to.as_ref(), &quiet).await.expect("is copied");
    let (theirs, ours) = (everything(&from).await, everything(&to).await);
    assert_eq!(ours, theirs);
    let counted: u64 = copied.tables.iter().map(|table| table.sum.records).sum();
    assert_eq!(counted, theirs.len() as u64);
    for table in Table::ALL {
        assert!(theirs.iter().any(|record| record.table == table), "none of {}", table.name());
    }
    assert!(!to.is_half().await.expect("read"));
    let log = verified(to.as_ref()).await.len();
    to.append_audit(vec![audit_event("after")]).await.expect("the log goes on");
    assert_eq!(verified(to.as_ref()).await.len(), log + 1);
    let counts = "SELECT integration, status, connections FROM connection_count ORDER BY 1, 2";
    assert_eq!(rows(&other, counts), rows(&one, counts));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_into_what_is_not_empty_is_refused_and_changes_nothing() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (from, to) = (filled(&one).await, filled(&other).await);
    let before = everything(&to).await;
    let refused = copy(from.as_ref(), to.as_ref(), &quiet).await.expect_err("is refused");
    assert!(matches!(&refused, CopyError::NotEmpty(there) if there.len() == Table::ALL.len()));
    assert!(refused.to_string().contains("oauth2_client 4"), "{refused}");
    assert_eq!(everything(&to).await, before);
    assert!(!to.is_half().await.expect("read"));
}

/// What was stopped on the way goes on, also when the source has changed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_stopped_goes_on_where_it_was() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (from, to) = (filled(&one).await, other.open());
    let all = everything(&from).await;
    to.set_half(true).await.expect("marked");
    let some = |table: &Table| *table <= Table::Connection && *table != Table::Session;
    let half = all.iter().filter(|own| some(&own.table)).cloned().collect::<Vec<_>>();
    let half = Changes { import: half, remove: Vec::new() };
    half.apply(to.as_ref()).await.expect("half of it");
    let refused = refuse_half(to.as_ref()).await.expect_err("nobody uses the half");
    assert!(refused.to_string().contains("run `grantor store copy`"), "{refused}");

    let stray = |own: &Record| own.table == Table::User || own.table == Table::Connection;
    let (gone, kept): (Vec<_>, Vec<_>) = all.iter().cloned().partition(stray);
    let gone = Changes { import: Vec::new(), remove: gone };
    gone.apply(from.as_ref()).await.expect("changes at the source");
    let copied = copy(from.as_ref(), to.as_ref(), &quiet).await.expect("goes on");
    assert!(copied.resumed);
    let of = |table| copied.tables.iter().find(|own| own.table == table).expect("is there");
    assert_eq!((of(Table::Client).written, of(Table::Client).removed), (0, 0));
    assert!(of(Table::Session).written > 0 && of(Table::User).removed > 0);
    // With its connection a credential goes, in SQLite.
    let kept: Vec<_> = kept.into_iter().filter(|own| own.table != Table::Credential).collect();
    assert_eq!(everything(&to).await, kept);
    refuse_half(to.as_ref()).await.expect("is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_the_source_meanwhile_is_found() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (from, to) = (filled(&one).await, other.open());
    let tell = |at: grantor_store::transfer::Progress| {
        if at.stage == Stage::Copying && at.done == at.total {
            let write = "UPDATE user_account SET name = 'Eve'";
            one.shell().execute(write, ()).expect("is written");
        }
    };
    let copied = copy(from.as_ref(), to.as_ref(), &tell);
    let changed = copied.await.expect_err("is found");
    assert!(matches!(&changed, CopyError::Changed(own) if own == &[Table::User]), "{changed}");
    assert!(to.is_half().await.expect("read"));
    copy(from.as_ref(), to.as_ref(), &quiet).await.expect("goes on");
    assert_eq!(everything(&to).await, everything(&from).await);
}

/// How the tests of the server look into any store with SQL.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_changed_by_way_of_another_one() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (store, scratch) = (filled(&one).await, other.open());
    let before = everything(&store).await;
    Changes { import: before.clone(), remove: Vec::new() }
        .apply(scratch.as_ref())
        .await
        .expect("is imported");
    let shell = other.shell();
    shell.execute("UPDATE user_account SET name = 'Eve'", ()).expect("is written");
    shell.execute("DELETE FROM session", ()).expect("is removed");
    let changed = changes(&before, &everything(&scratch).await);
    let tables = |records: &[Record]| records.iter().map(|own| own.table).collect::<Vec<_>>();
    assert!(tables(&changed.import).iter().all(|own| *own == Table::User));
    assert!(tables(&changed.remove).iter().all(|own| *own == Table::Session));
    changed.apply(store.as_ref()).await.expect("is applied");
    assert_eq!(everything(&store).await, everything(&scratch).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_restores_what_was_there_without_what_may_be_spent() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let from = filled(&one).await;
    let file = one.folder().join("backup");
    written(&from, &file).await;
    let backup = Backup::open(&file, &|_| ()).expect("is as it was written");
    assert_eq!((backup.header.store.as_str(), backup.header.version.as_str()), ("sqlite", "0.1.0"));
    let all = everything(&from).await;
    assert_eq!(backup.trailer.records, all.len() as u64);
    assert_eq!(records(&backup).await.expect("read"), all, "the file has everything");

    let to = other.open();
    let unspent = Unspent::of(&backup);
    copy(&unspent, to.as_ref(), &quiet).await.expect("is restored");
    let restored = everything(&to).await;
    filled::assert_unspent(&all, &restored);
    let count = |records: &[Record], table| records.iter().filter(|own| own.table == table).count();
    for (table, left_out) in unspent.left_out() {
        let missing = count(&all, table) - count(&restored, table);
        let blunted = all.iter().filter(|own| own.table == table).filter(|own| {
            restored.iter().any(|new| new.table == table && new.key() == own.key() && new != *own)
        });
        assert_eq!(left_out as usize, missing + blunted.count(), "{}", table.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_cut_off_or_added_to_is_refused() {
    let scratch = Scratch::new();
    let from = filled(&scratch).await;
    let file = scratch.folder().join("backup");
    written(&from, &file).await;
    let whole = fs::read(&file).expect("is there");
    let refused = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("written");
        Backup::open(&file, &|_| ()).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&whole), None);
    for end in (0..whole.len()).step_by(1_499).chain([whole.len() - 1]) {
        let error = refused(&whole[..end]).unwrap_or_else(|| panic!("cut off at {end}"));
        assert!(error.contains("its end is missing"), "{error}");
    }
    for place in (0..whole.len() - 1).step_by(211) {
        let mut changed = whole.clone();
        changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
        assert!(refused(&changed).is_some(), "changed at {place}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for left_out in 0..lines.len() {
        let others = lines.iter().enumerate().filter(|(place, _)| *place != left_out);
        let others: Vec<u8> = others.flat_map(|(_, line)| line.iter().copied()).collect();
        assert!(refused(&others).is_some(), "without line {left_out}");
    }
    let twice = [&whole[..], &whole].concat();
    assert!(refused(&twice).expect("refused").contains("something after its end"));
    assert_eq!(refused(b"SQLite format 3\0\n").as_deref(), Some("it is not a backup of Grantor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_later_version_is_refused_and_says_so() {
    let scratch = Scratch::new();
    let from = filled(&scratch).await;
    let file = scratch.folder().join("backup");
    written(&from, &file).await;
    let text = fs::read_to_string(&file).expect("text");
    for (what, instead, says) in [
        ("{\"grantor_backup\":1,", "{\"grantor_backup\":2,", "it has the form 2"),
        ("[\"session_id\",\"id\"]", "[\"planet\",\"id\"]", "a column planet"),
        ("\"table\":\"user_account\"", "\"table\":\"moon\"", "a table moon"),
    ] {
        fs::write(&file, text.replacen(what, instead, 1)).expect("written");
        match Backup::open(&file, &|_| ()) {
            Err(BackupError::OtherVersion(text)) => assert!(text.contains(says), "{text}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{says} was taken"),
        }
    }
}

/// A column that came later, and may be empty, is empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_earlier_version_is_read() {
    let scratch = Scratch::new();
    let file = scratch.folder().join("backup");
    let mut lines =
        b"{\"grantor_backup\":1,\"version\":\"0.0.9\",\"store\":\"sqlite\",\"made_at\":\"then\"}\n\
        {\"table\":\"revoked_token\",\"columns\":[[\"id\",\"id\"],[\"expires_at\",\"integer\"]]}\n\
        [\"AAAAAAAAAAAAAAAAAAAAAA\",7]\n\
        {\"table\":\"initial_access_token\",\"columns\":[[\"id\",\"id\"],[\"note\",\"text\"],\
        [\"digest\",\"blob\"],[\"created_at\",\"integer\"],[\"expires_at\",\"integer\"]]}\n\
        [\"AAAAAAAAAAAAAAAAAAAAAA\",\"a note\",\"AQID\",1,2]\n"
            .to_vec();
    let mut sum = grantor_core::secret::Checksum::new();
    sum.add(&lines);
    let sum = sum.hex();
    writeln!(lines, "{{\"records\":2,\"tables\":{{}},\"sha256\":\"{sum}\"}}").expect("written");
    fs::write(&file, lines).expect("written");
    let backup = Backup::open(&file, &|_| ()).expect("is read");
    let mut snapshot = backup.snapshot().await.expect("begins");
    // In the file, this one stands after the other.
    assert!(snapshot.next(Table::InitialToken, 9).await.expect("read").is_empty());
    let revoked = snapshot.next(Table::RevokedToken, 9).await.expect("read");
    assert_eq!(revoked[0].values, [Value::Blob(vec![0; 16]), Value::Integer(7)]);
}

#[tokio::test]
async fn a_file_that_is_not_there_or_not_up_to_date_is_not_made_for_reading() {
    let scratch = Scratch::new();
    let open = || Sqlite::open_existing(&scratch.path(), &Options::default());
    assert!(open().expect("is looked for").is_none());
    assert!(!scratch.path().exists());
    scratch.shell().execute_batch("PRAGMA user_version = 0").expect("an empty file");
    assert!(open().expect("has no tables").is_none());
    let refused = || open().err().expect("it is refused").to_string();
    drop(scratch.open());
    let shell = scratch.shell();
    let newest = "SELECT max(version) FROM schema_migration";
    let newest = || shell.query_row(newest, (), |row| row.get::<_, u32>(0)).expect("a version");
    let before = newest() - 1;
    shell.execute("DELETE FROM schema_migration WHERE version > ?1", [before]).expect("is removed");
    assert!(refused().contains(&format!("has schema version {before}")), "{}", refused());
    assert_eq!(newest(), before);
}

#[tokio::test]
async fn a_record_that_does_not_fit_is_refused() {
    let values = vec![Value::Text("x".to_owned()), Value::Integer(7)];
    let refused = Record::new(Table::RevokedToken, values).expect_err("an id is bytes");
    assert!(matches!(refused, StoreError::Corrupt(text) if text.contains("revoked_token")));
}

async fn everything(store: &Arc<Sqlite>) -> Vec<Record> {
    records(store.as_ref()).await.expect("read")
}

async fn written(from: &Arc<Sqlite>, file: &std::path::Path) {
    let mut out = fs::File::create(file).expect("made");
    let mut snapshot = from.snapshot().await.expect("begins");
    let header = Header::new("0.1.0", "sqlite", "2026-11-22T00:00:00Z");
    let done = backup::write(snapshot.as_mut(), &header, &mut out, &|_| ()).await;
    done.expect("is written");
    assert!(!contents(from.as_ref()).await.expect("read").is_empty());
}

fn rows(scratch: &Scratch, sql: &str) -> Vec<(String, String, u32)> {
    let shell = scratch.shell();
    let mut statement = shell.prepare(sql).expect("a statement");
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map((), read).expect("rows");
    rows.collect::<Result<_, _>>().expect("read")
}
