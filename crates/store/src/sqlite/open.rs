//! Connections to the file, each with what it needs, and errors that say what to do.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use grantor_core::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Options;
use super::fault::Fault;

/// How often a second process tries to switch a new file to write-ahead logging; SQLite does not
/// wait for that lock by itself.
const SWITCH_TRIES: u32 = 100;

/// A checkpoint gives up early on a reader that does not end, so as not to hold up the writer.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(100);

/// Makes sure that there is a file, readable by its owner only, and that it is a database.
pub(super) fn file(path: &Path) -> Result<(), StoreError> {
    create(path).map_err(|error| {
        let folder = path.parent().unwrap_or(path).display();
        StoreError::Unavailable(format!(
            "{} cannot be opened for writing: {error}. Check that the folder {folder} exists and \
             belongs to the user that runs this, or choose another one.",
            path.display(),
        ))
    })?;
    is_database(path)
}

/// Whether there is a file, which has to be a database then.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    if !path.exists() {
        return Ok(false);
    }
    is_database(path).map(|()| true)
}

fn is_database(path: &Path) -> Result<(), StoreError> {
    let check = connect(path, Duration::from_secs(5))
        .and_then(|db| Ok(db.query_row("PRAGMA schema_version", (), |row| row.get::<_, i64>(0))?));
    check.map(drop).map_err(|fault| explain(path, &fault))
}

/// The connection that writes.
pub(super) fn writer(path: &Path, options: &Options) -> Result<Connection, Fault> {
    let connection = connect(path, options.busy_timeout)?;
    switch_to_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // What is deleted is overwritten with zeros, on pages that become free too: see `connections`.
    // Half a page more to write for a hundred rows.
    connection.query_row("PRAGMA secure_delete = ON", (), |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -i64::from(options.writer_cache_kib))?;
    let log_bytes = i64::from(options.wal_frames) * 4_096 * 2;
    connection.query_row(&format!("PRAGMA journal_size_limit = {log_bytes}"), (), |_| Ok(()))?;
    if let Some(most) = options.max_pages {
        connection.query_row(&format!("PRAGMA max_page_count = {most}"), (), |_| Ok(()))?;
    }
    Ok(connection)
}

/// A connection that reads, with a page cache of this size.
pub(super) fn reader(path: &Path, options: &Options, cache_kib: u32) -> Result<Connection, Fault> {
    let connection = connect(path, options.busy_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    if options.mmap_bytes > 0 {
        let mapped = format!("PRAGMA mmap_size = {}", options.mmap_bytes);
        connection.query_row(&mapped, (), |_| Ok(()))?;
    }
    Ok(connection)
}

/// The connection that checkpoints.
pub(super) fn checkpointer(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path, CHECKPOINT_PATIENCE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -64)?;
    Ok(connection)
}

/// What a fault while opening means for whoever starts the server.
pub(super) fn explain(path: &Path, fault: &Fault) -> StoreError {
    let path = path.display();
    if let Fault::Sql(error) = fault
        && error.sqlite_error_code() == Some(ErrorCode::NotADatabase)
    {
        return StoreError::Corrupt(format!(
            "{path} is not a SQLite database. Move it away, or name another file."
        ));
    }
    match fault.told() {
        StoreError::Unavailable(text) => StoreError::Unavailable(format!("{path}: {text}")),
        StoreError::Corrupt(text) => StoreError::Corrupt(format!("{path}: {text}")),
    }
}

fn connect(path: &Path, busy_timeout: Duration) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    // Rows name each other by ids that are checked where they are used.
    connection.pragma_update(None, "foreign_keys", false)?;
    // Plans must not look at bound values: one that does is made anew for each use, which takes ten
    // times as long as the read.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn switch_to_wal(connection: &Connection) -> Result<(), Fault> {
    for _ in 0..SWITCH_TRIES {
        let switched =
            connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0));
        match switched {
            Ok(_) => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
    connection.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(())).map_err(Fault::from)
}
