//! A database that has been in use: millions of tokens, written in bulk before the server starts.
//!
//! The rows are those that issuing would leave, spread over half a day, clients, people and
//! families. A token follows from its number, so that any of them can be shown to the server.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use grantor_core::id::Id;
use grantor_core::secret::{Credential, Kind};
use rusqlite::{Connection, params};

/// Clients and people that the tokens belong to.
const CLIENTS: usize = 1_000;
const PEOPLE: usize = 100_000;

/// Of ten tokens, so many were issued to a client alone. The others are those of a family: the
/// first, and one for each refresh.
const ALONE: usize = 6;
const OF_A_FAMILY: usize = 10 - ALONE;
const REFRESHED: i64 = 3;

/// How long ago the first was issued, and how long each lives, in seconds.
const SINCE: i64 = 12 * 3_600;
const LIFETIME: i64 = 24 * 3_600;
const REFRESH_LIFETIME: i64 = 30 * 24 * 3_600;

/// Rows in one transaction.
const BATCH: usize = 500_000;

/// The tokens of a filled database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    /// How many.
    pub(crate) tokens: usize,
    /// How long it took to write them.
    pub(crate) filling: Duration,
    /// How large the file is, in bytes.
    pub(crate) bytes: u64,
    /// When the first was issued, in seconds.
    begin: i64,
}

/// Kinds of random values.
#[derive(Clone, Copy)]
enum Of {
    Token = 1,
    Family,
    Person,
    Session,
    Refresh,
}

impl Stored {
    /// Writes `tokens` tokens, rounded to tens, into the database, which has the schema and the
    /// client `like`, and which nobody else has open. Returns when all of it is on the disk.
    pub(crate) fn fill(database: &Path, tokens: usize, like: &str) -> Result<Self> {
        let started = Instant::now();
        let connection = Connection::open(database)?;
        // Nobody reads it yet, and whoever is killed meanwhile starts over.
        connection.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA cache_size = -262144;",
        )?;
        let now: i64 = connection.query_row("SELECT unixepoch()", (), |row| row.get(0))?;
        let tokens = tokens.next_multiple_of(10);
        let own = Self { tokens, filling: Duration::ZERO, bytes: 0, begin: now - SINCE };
        own.copy_clients(&connection, like)?;
        own.write(&connection, PEOPLE, Self::person)?;
        own.write(&connection, own.tokens / 10, Self::family)?;
        own.write(&connection, own.tokens, Self::access)?;
        connection.execute_batch(
            "INSERT INTO consent (user_id, client_id, scope, created_at, updated_at)
             SELECT user_id, client_id, scope, min(created_at), min(created_at) FROM token_family
             WHERE user_id IS NOT NULL GROUP BY user_id, client_id;
             PRAGMA journal_mode = WAL;",
        )?;
        connection.close().map_err(|(_, error)| error)?;
        let file = File::open(database)?;
        file.sync_all().context("the database cannot be synced")?;
        Ok(Self { filling: started.elapsed(), bytes: file.metadata()?.len(), ..own })
    }

    /// The access token with this number.
    pub(crate) fn token(&self, number: usize) -> Credential {
        let id = self.id(Of::Token, number, number);
        Credential::derived(Kind::AccessToken, id, random(Of::Token, number))
    }

    /// Copies of a client that was registered, each older than its tokens.
    fn copy_clients(&self, connection: &Connection, like: &str) -> Result<()> {
        connection.execute(
            "CREATE TEMP TABLE model AS SELECT * FROM oauth2_client WHERE client_id = ?1",
            [like],
        )?;
        connection.execute("UPDATE model SET created_at = ?1", [self.begin])?;
        for number in 0..CLIENTS {
            connection.execute("UPDATE model SET client_id = ?1", [client(number)])?;
            let copied = connection.execute("INSERT INTO oauth2_client SELECT * FROM model", ())?;
            ensure!(copied == 1, "there is no client {like} to copy");
        }
        Ok(())
    }

    fn write(
        &self,
        connection: &Connection,
        rows: usize,
        insert: fn(&Self, &Connection, usize) -> Result<()>,
    ) -> Result<()> {
        for begin in (0..rows).step_by(BATCH) {
            let batch = connection.unchecked_transaction()?;
            (begin..rows.min(begin + BATCH)).try_for_each(|row| insert(self, &batch, row))?;
            batch.commit()?;
        }
        Ok(())
    }

    fn person(&self, db: &Connection, number: usize) -> Result<()> {
        let mut insert = db.prepare_cached(
            "INSERT INTO user_account (id, username, email, email_verified, name, status,
                created_at, updated_at) VALUES (?1, ?2, ?3, 1, ?4, 'active', ?5, ?5)",
        )?;
        insert.execute(params![
            self.id(Of::Person, number, 0).as_bytes(),
            format!("person{number}"),
            format!("person{number}@example.com"),
            format!("Person {number}"),
            self.begin,
        ])?;
        Ok(())
    }

    /// Every other family was granted by a person.
    fn family(&self, db: &Connection, number: usize) -> Result<()> {
        let mut insert = db.prepare_cached(
            "INSERT INTO token_family (id, client_id, user_id, session_id, scope, auth_time,
                method, amr, created_at, expires_at, refresh_current, refresh_previous,
                refresh_generation, refresh_rotated_at, refresh_idle_expires_at,
                refresh_expires_at, refresh_uses_left)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?10, ?10, ?15)",
        )?;
        let (first, last) = (self.at(first_of(number)), self.at(last_of(number, self.tokens)));
        let of_person = is_of_person(number);
        let person = of_person.then(|| pick(Of::Person, number, PEOPLE));
        let current: [u8; 32] = random(Of::Refresh, number);
        insert.execute(params![
            self.family_id(number).as_bytes(),
            client_of(number),
            person.map(|person| *self.id(Of::Person, person, 0).as_bytes()),
            of_person.then(|| *self.id(Of::Session, number, first_of(number)).as_bytes()),
            scope(number),
            of_person.then_some(first),
            of_person.then_some("password"),
            of_person.then_some("pwd"),
            first,
            first + REFRESH_LIFETIME,
            current,
            of_person.then(|| random::<32>(Of::Session, number)),
            if of_person { REFRESHED } else { 0 },
            if of_person { last } else { first },
            (!of_person).then_some(5 - REFRESHED),
        ])?;
        Ok(())
    }

    fn access(&self, db: &Connection, number: usize) -> Result<()> {
        let mut insert = db.prepare_cached(
            "INSERT INTO access_token (id, digest, family_id, client_id, scope, issued_at,
                expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let token = self.token(number);
        let family = family_of(number, self.tokens);
        insert.execute(params![
            token.id().as_bytes(),
            token.digest().as_bytes(),
            family.map(|family| *self.family_id(family).as_bytes()),
            family.map_or_else(|| client(number % CLIENTS), client_of),
            family.map_or("read", scope),
            self.at(number),
            self.at(number) + LIFETIME,
        ])?;
        Ok(())
    }

    fn family_id(&self, family: usize) -> Id {
        self.id(Of::Family, family, first_of(family))
    }

    /// When the token with this number was issued, in seconds.
    fn at(&self, number: usize) -> i64 {
        self.begin + self.after(number) / 1_000
    }

    /// Milliseconds from the first token to the one with this number: as evenly as may be.
    fn after(&self, number: usize) -> i64 {
        let part = number as u128 * u128::from(SINCE.unsigned_abs()) * 1_000;
        i64::try_from(part / self.tokens as u128).unwrap_or(i64::MAX)
    }

    /// The id of a row that was made together with token `number`.
    fn id(&self, of: Of, own: usize, number: usize) -> Id {
        let millis = self.begin * 1_000 + self.after(number);
        Id::from_parts(millis.unsigned_abs(), random(of, own))
    }
}

fn client(number: usize) -> String {
    format!("stored-{number:04}")
}

fn client_of(family: usize) -> String {
    client(pick(Of::Family, family, CLIENTS))
}

const fn is_of_person(family: usize) -> bool {
    family % 2 == 1
}

const fn scope(family: usize) -> &'static str {
    if is_of_person(family) { "openid profile read" } else { "read" }
}

/// The family of a token. Its tokens are as far apart as refreshing makes them.
const fn family_of(number: usize, tokens: usize) -> Option<usize> {
    match (number % 10).checked_sub(ALONE) {
        Some(place) => Some((number / 10 * OF_A_FAMILY + place) % (tokens / 10)),
        None => None,
    }
}

/// The number of the first token of a family.
const fn first_of(family: usize) -> usize {
    family / OF_A_FAMILY * 10 + ALONE + family % OF_A_FAMILY
}

/// The number of its last one.
const fn last_of(family: usize, tokens: usize) -> usize {
    first_of(family + (OF_A_FAMILY - 1) * (tokens / 10))
}

fn pick(of: Of, number: usize, among: usize) -> usize {
    let random = u64::from_be_bytes(random(of, number));
    usize::try_from(random % among as u64).unwrap_or(0)
}

/// Bytes that look random and follow from what they are for.
fn random<const N: usize>(of: Of, number: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let seed = mix(number as u64 ^ (of as u64) << 56);
    for (place, chunk) in (0_u64..).zip(bytes.chunks_mut(8)) {
        chunk.copy_from_slice(&mix(seed.wrapping_add(place)).to_be_bytes()[..chunk.len()]);
    }
    bytes
}

/// The step of SplitMix64: numbers that follow each other become any numbers.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grantor_core::id::AccessTokenId;
    use grantor_core::model::Client;
    use grantor_core::store::{AccessView, ClientStore as _, Store as _, TokenStore as _};
    use grantor_core::time::Timestamp;
    use grantor_store::Sqlite;
    use grantor_store::sqlite::Options;

    use super::*;

    const TOKENS: usize = 2_000;

    #[test]
    fn a_family_has_a_first_token_and_one_for_each_refresh() {
        assert_eq!(i64::try_from(OF_A_FAMILY), Ok(REFRESHED + 1));
        for family in [0, 1, 99, 199] {
            let of = |number| family_of(number, TOKENS);
            assert_eq!(
                (of(first_of(family)), of(last_of(family, TOKENS))),
                (Some(family), Some(family))
            );
            assert!((0..first_of(family)).all(|earlier| of(earlier) != Some(family)));
        }
    }

    #[tokio::test]
    async fn the_store_takes_every_row_for_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("grantor.db");
        let open = || Sqlite::open(&database, &Options::default()).expect("opens");
        let empty = open();
        let model = Client::new("model", Timestamp::from_epoch(1));
        empty.add_client(model).await.expect("is added");
        drop(empty);
        let stored = Stored::fill(&database, TOKENS, "model").expect("fills");
        let store = open();
        let now = Timestamp::from_epoch(stored.begin + SINCE);
        let mut families = BTreeMap::new();
        for number in 0..TOKENS {
            let (token, issued) = (stored.token(number), stored.at(number));
            let id = AccessTokenId(token.id());
            let view = store.access_token(id, &token.digest(), now).await.expect("reads");
            let AccessView { token, family, user } = view.expect("is alive");
            let client = store.client(&token.client_id).await.expect("reads");
            assert!(client.expect("is there").created_at <= token.issued_at);
            assert_eq!(token.issued_at, Timestamp::from_epoch(issued));
            let Some(family) = family else { continue };
            assert_eq!(
                (family.user.is_some(), &family.client_id),
                (user.is_some(), &token.client_id)
            );
            let view = store.family(family.id).await.expect("reads").expect("is there");
            assert_eq!(view.consent.is_some(), user.is_some());
            *families.entry(family.id).or_insert(0) += 1;
        }
        assert_eq!(families.len(), TOKENS / 10);
        assert!(families.values().all(|tokens| *tokens == OF_A_FAMILY));
        assert_eq!(store.sweep(now, 10_000).await.expect("sweeps"), 0, "nothing is dead");
    }
}
