//! What the server's settings promise about what was acknowledged.

use grantor_core::store::StoreError;

use super::Postgres;
use crate::columns::single;

/// Others than Postgres have some of them, or none.
const SETTINGS: &str = "SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names')";

const STANDBYS: &str = "SELECT count(*) FROM pg_stat_replication";

const NO_FSYNC: &str = "fsync is off: when the database's machine fails, what was acknowledged is \
    lost, and the database may be damaged. Set fsync = on in postgresql.conf.";

const HALF_PAGES: &str = "full_page_writes is off: when the database's machine fails, pages may be \
    damaged. Set full_page_writes = on in postgresql.conf.";

const NOT_WAITED_FOR: &str = "synchronous_commit is off: when the database fails, it loses what it \
    has acknowledged in the last second; what was spent or revoked then is valid again. Set \
    synchronous_commit = on in postgresql.conf.";

const NO_STANDBY: &str = "No standby follows the database: when its disk is lost, the last backup is \
    what there is. Set up a synchronous standby.";

const STANDBY_BEHIND: &str = "The standbys of the database are not waited for: when one takes over, \
    what was acknowledged last may be missing, and what was spent or revoked then is valid again. \
    Name one in synchronous_standby_names, and set synchronous_commit = on.";

impl Postgres {
    /// What the database does not promise about what it has acknowledged, in sentences for an
    /// operator that say what to do; none when there is nothing to say. They are about the settings
    /// that this user's connections have at this moment, and not about backups or about what the
    /// disks make of a flush.
    pub async fn guarantees(&self) -> Result<Vec<&'static str>, StoreError> {
        let settings = self
            .look_all(SETTINGS, &[], |columns| Ok((columns.value()?, columns.value()?)))
            .await?;
        let standbys: Option<i64> = self.look(STANDBYS, &[], single).await?;
        Ok(sentences(&settings, standbys.unwrap_or(0)))
    }
}

fn sentences(settings: &[(String, String)], standbys: i64) -> Vec<&'static str> {
    let is = |name: &str, value: &str| settings.iter().any(|(n, v)| (&**n, &**v) == (name, value));
    let waited_for = !is("synchronous_standby_names", "")
        && !is("synchronous_commit", "off")
        && !is("synchronous_commit", "local");
    [
        (is("fsync", "off"), NO_FSYNC),
        (is("full_page_writes", "off"), HALF_PAGES),
        (is("synchronous_commit", "off"), NOT_WAITED_FOR),
        (!settings.is_empty() && standbys == 0, NO_STANDBY),
        (standbys > 0 && !waited_for, STANDBY_BEHIND),
    ]
    .into_iter()
    .filter_map(|(holds, sentence)| holds.then_some(sentence))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(fsync: &str, commit: &str, names: &str) -> Vec<(String, String)> {
        [("fsync", fsync), ("synchronous_commit", commit), ("synchronous_standby_names", names)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    #[test]
    fn what_is_not_promised_is_told() {
        for (settings, standbys, told) in [
            (settings("on", "on", "one"), 1, vec![]),
            (settings("on", "remote_apply", "one"), 2, vec![]),
            (settings("on", "on", ""), 0, vec![NO_STANDBY]),
            (settings("on", "on", ""), 1, vec![STANDBY_BEHIND]),
            (settings("on", "local", "one"), 1, vec![STANDBY_BEHIND]),
            (settings("off", "off", "one"), 1, vec![NO_FSYNC, NOT_WAITED_FOR, STANDBY_BEHIND]),
            (Vec::new(), 0, vec![]),
        ] {
            assert_eq!(sentences(&settings, standbys), told, "{settings:?}, {standbys}");
        }
    }
}
