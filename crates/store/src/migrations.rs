//! The steps that a schema is made in: numbered, forward only, each remembered with a checksum.

use grantor_core::secret::Digest;
use grantor_core::store::StoreError;

/// A step; its number is its place in the list of its back end, from 1.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

impl Step {
    pub(crate) fn checksum(&self) -> Digest {
        Digest::of("migration", &[self.name.as_bytes(), self.sql.as_bytes()])
    }
}

/// A step that a database remembers.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) checksum: Digest,
    /// The oldest version whose Grantor can still use a schema with this step.
    pub(crate) works_from: i64,
}

/// How many of our `steps` were applied in the database at `place`; refuses one that has others,
/// but for steps of a newer Grantor that were made for ours too.
pub(crate) fn check(steps: &[Step], applied: &[Applied], place: &str) -> Result<usize, StoreError> {
    let newest = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    for (at, then) in applied.iter().enumerate() {
        let own = usize::try_from(then.version - 1).ok().and_then(|at| steps.get(at));
        let Some(step) = own else {
            if then.version > newest && then.works_from <= newest {
                continue;
            }
            let last = applied.last().map_or(then.version, |last| last.version);
            return Err(StoreError::Corrupt(format!(
                "{place} has schema version {last} and this Grantor knows version {newest}: a newer \
                 Grantor has used it. Start that version again, or restore a backup that was made \
                 before the upgrade."
            )));
        };
        if usize::try_from(then.version) != Ok(at + 1) || step.checksum() != then.checksum {
            return Err(StoreError::Corrupt(format!(
                "{place}: schema step {} ({}) is not the one that was applied to it. Use a released \
                 Grantor, or restore a backup.",
                then.version, step.name,
            )));
        }
    }
    Ok(applied.len().min(steps.len()))
}

/// A database that nobody may bring up to date by the way.
pub(crate) fn not_up_to_date(place: &str, known: usize, newest: usize) -> StoreError {
    StoreError::Unavailable(format!(
        "{place} has schema version {known} and this Grantor works with version {newest}. `grantor \
         doctor` brings it up to date; or do this with the version that has used it so far."
    ))
}
