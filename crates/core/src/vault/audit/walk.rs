//! Whether the audit log is as it was written: every place taken once, every entry by its MAC,
//! every hash over the one before, every checkpoint true.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{CHECKPOINT, mac};
use crate::AuthorizationServer;
use crate::error::Failure;
use crate::id::AuditId;
use crate::jose::seal::{HmacKey, hex};
use crate::model::AuditEntry;
use crate::store::AuditStore;

/// Entries that are read at once.
const BATCH: u32 = 1_000;

/// Entries whose hashes and ids are remembered on the way. A checkpoint nearly always names one of
/// the last few.
const RECENT: usize = 65_536;

/// An entry and its hash: who keeps them elsewhere can tell later that nothing before was changed
/// or dropped. Written `SEQUENCE:HASH`, the hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of the entry; 0 for an empty log.
    pub sequence: u64,
    /// Its hash; zeros for an empty log.
    pub hash: [u8; 32],
}

impl Mark {
    /// The beginning of every log.
    pub const START: Self = Self { sequence: 0, hash: [0; 32] };

    /// As the details of a checkpoint.
    pub(super) fn to_details(self) -> Map<String, Value> {
        let hash = Value::from(hex(&self.hash));
        Map::from_iter([("sequence".to_owned(), self.sequence.into()), ("hash".to_owned(), hash)])
    }

    fn of_details(details: &str) -> Option<Self> {
        let details: Value = serde_json::from_str(details).ok()?;
        let sequence = details.get("sequence")?.as_u64()?;
        Some(Self { sequence, hash: unhex(details.get("hash")?.as_str()?)? })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

/// The text is not a mark.
#[derive(Debug, thiserror::Error)]
#[error("not a mark of the audit log: expected SEQUENCE:HASH, as `grantor audit verify` prints it")]
pub struct NotAMark;

impl FromStr for Mark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        let (sequence, hash) = text.split_once(':').ok_or(NotAMark)?;
        let sequence = sequence.parse().map_err(|_| NotAMark)?;
        Ok(Self { sequence, hash: unhex(hash).ok_or(NotAMark)? })
    }
}

/// What is wrong with the log, at the first place where something is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its number is not the next one.
    #[error("entry {sequence} comes where {expected} belongs: entries are missing or moved")]
    Gap {
        /// The number that it has.
        sequence: u64,
        /// The number that it should have.
        expected: u64,
    },
    /// Its MAC is not that of what it says.
    #[error("entry {sequence} is not what was written: it was changed, or made up")]
    Changed {
        /// Its number.
        sequence: u64,
    },
    /// Its hash is not over the one before.
    #[error("entry {sequence} does not follow from the one before it: the chain is broken")]
    Unchained {
        /// Its number.
        sequence: u64,
    },
    /// It is there twice.
    #[error("entry {sequence} is a copy of an earlier one")]
    Repeated {
        /// Its number.
        sequence: u64,
    },
    /// A checkpoint says otherwise.
    #[error(
        "the checkpoint in entry {sequence} does not agree with entry {named}: entries up to {named} were dropped, moved or replaced"
    )]
    CheckpointDiffers {
        /// The number of the checkpoint.
        sequence: u64,
        /// The number that it names.
        named: u64,
    },
    /// A mark that was kept elsewhere says otherwise.
    #[error("entry {sequence} is not the one of the mark that was kept: the log was rewritten")]
    MarkDiffers {
        /// The number in the mark.
        sequence: u64,
    },
    /// The log ends before a mark that was kept elsewhere.
    #[error(
        "the log ends at entry {last}, and the mark that was kept is of {sequence}: the end was cut off"
    )]
    CutOff {
        /// The last number.
        last: u64,
        /// The number in the mark.
        sequence: u64,
    },
}

impl Fault {
    /// The number of the entry where it was seen.
    pub const fn sequence(&self) -> u64 {
        match self {
            Self::Gap { sequence, .. }
            | Self::Changed { sequence }
            | Self::Unchained { sequence }
            | Self::Repeated { sequence }
            | Self::CheckpointDiffers { sequence, .. }
            | Self::MarkDiffers { sequence } => *sequence,
            Self::CutOff { last, .. } => *last,
        }
    }
}

/// A log that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The last entry.
    pub last: Mark,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// The number of the last checkpoint: what comes after it can still be dropped unnoticed.
    pub last_checkpoint: u64,
}

/// Reads the log from its beginning to what is its end now. `expected` is a mark that was kept;
/// `progress` hears now and then how many entries are read.
pub async fn verify(
    server: &AuthorizationServer,
    expected: Option<Mark>,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Result<Verified, Fault>, Failure> {
    let store = server.store.as_ref();
    let end = store.last_audit().await?.map_or(0, |own| own.sequence);
    let mut walk = Walk::new(&server.secrets.audit, expected);
    while walk.last.sequence < end {
        let entries = store.audit(walk.last.sequence, BATCH).await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            let named = walk.named(&entry, store).await?;
            if let Err(fault) = walk.take(&entry, named) {
                return Ok(Err(fault));
            }
        }
        progress(walk.last.sequence);
    }
    Ok(walk.finish())
}

struct Walk<'a> {
    key: &'a HmacKey,
    expected: Option<Mark>,
    last: Mark,
    recent: VecDeque<([u8; 32], AuditId)>,
    ids: HashSet<AuditId>,
    checkpoints: u64,
    last_checkpoint: u64,
}

impl<'a> Walk<'a> {
    fn new(key: &'a HmacKey, expected: Option<Mark>) -> Self {
        let (recent, ids) = (VecDeque::new(), HashSet::new());
        Self { key, expected, last: Mark::START, recent, ids, checkpoints: 0, last_checkpoint: 0 }
    }

    /// The hash of the entry that a checkpoint names; `None` for other entries, and where there is
    /// no such entry.
    async fn named(
        &self,
        entry: &AuditEntry,
        store: &(impl AuditStore + ?Sized),
    ) -> Result<Option<[u8; 32]>, Failure> {
        let Some(mark) = named_by(entry) else {
            return Ok(None);
        };
        let back = self.last.sequence.checked_sub(mark.sequence);
        let Some(back) = back.and_then(|back| usize::try_from(back).ok()) else {
            return Ok(None);
        };
        if let Some(at) = self.recent.len().checked_sub(back + 1) {
            return Ok(Some(self.recent[at].0));
        }
        // So far back that it is not remembered; the walk has seen that its hash is right.
        let found = store.audit(mark.sequence.saturating_sub(1), 1).await?;
        Ok(found.first().filter(|own| own.sequence == mark.sequence).map(|own| own.hash))
    }

    fn take(&mut self, entry: &AuditEntry, named: Option<[u8; 32]>) -> Result<(), Fault> {
        let AuditEntry { sequence, event, hash } = entry;
        let (sequence, expected) = (*sequence, self.last.sequence + 1);
        if sequence != expected {
            return Err(Fault::Gap { sequence, expected });
        }
        let tag = mac(self.key, event);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&tag[..], &event.mac[..])) {
            return Err(Fault::Changed { sequence });
        }
        if *hash != AuditEntry::hash_of(&self.last.hash, sequence, &event.mac) {
            return Err(Fault::Unchained { sequence });
        }
        if !self.ids.insert(event.id) {
            return Err(Fault::Repeated { sequence });
        }
        if event.action == CHECKPOINT {
            let mark = named_by(entry);
            if mark.is_none_or(|mark| named != Some(mark.hash)) {
                let named = mark.map_or(0, |mark| mark.sequence);
                return Err(Fault::CheckpointDiffers { sequence, named });
            }
            self.checkpoints += 1;
            self.last_checkpoint = sequence;
        }
        self.last = Mark { sequence, hash: *hash };
        self.remember(event.id);
        match self.expected {
            Some(mark) if mark.sequence == sequence && mark != self.last => {
                Err(Fault::MarkDiffers { sequence })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn remember(&mut self, id: AuditId) {
        self.recent.push_back((self.last.hash, id));
        if self.recent.len() > RECENT
            && let Some((_, id)) = self.recent.pop_front()
        {
            self.ids.remove(&id);
        }
    }

    fn finish(self) -> Result<Verified, Fault> {
        let Self { last, checkpoints, last_checkpoint, .. } = self;
        match self.expected {
            Some(mark) if mark.sequence > last.sequence => {
                Err(Fault::CutOff { last: last.sequence, sequence: mark.sequence })
            }
            Some(_) | None => Ok(Verified { last, checkpoints, last_checkpoint }),
        }
    }
}

fn named_by(entry: &AuditEntry) -> Option<Mark> {
    let checkpoint = entry.event.action == CHECKPOINT;
    checkpoint.then(|| Mark::of_details(&entry.event.details)).flatten()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::jose::seal::DerivationRoot;
    use crate::model::AuditEvent;
    use crate::time::Timestamp;

    fn key() -> HmacKey {
        DerivationRoot::new(&[1; 32]).derive("audit entry")
    }

    fn event(n: u8, action: &str, details: &str) -> AuditEvent {
        let mut event = AuditEvent {
            id: AuditId(Id::from_bytes([n; 16])),
            at: Timestamp::from_epoch(1_800_000_000 + i64::from(n)),
            action: action.to_owned(),
            actor: "api_key:ab12cd34".to_owned(),
            target: "connection".to_owned(),
            details: details.to_owned(),
            mac: [0; 32],
        };
        event.mac = mac(&key(), &event);
        event
    }

    /// As the store chains them, and as somebody without the key can chain them too.
    fn chained(events: impl IntoIterator<Item = AuditEvent>) -> Vec<AuditEntry> {
        let mut last = [0; 32];
        let entry = |(event, sequence): (AuditEvent, u64)| {
            last = AuditEntry::hash_of(&last, sequence, &event.mac);
            AuditEntry { sequence, event, hash: last }
        };
        events.into_iter().zip(1..).map(entry).collect()
    }

    /// Three reads, a checkpoint over them, a read.
    fn log() -> Vec<AuditEntry> {
        let reads = || (1..=3).map(|n| event(n, "token.read", "{}"));
        let third = chained(reads()).pop().expect("three");
        let mark = Mark { sequence: 3, hash: third.hash };
        let details = Value::Object(mark.to_details()).to_string();
        let rest = [event(4, CHECKPOINT, &details), event(5, "token.read", "{}")];
        chained(reads().chain(rest))
    }

    fn events() -> Vec<AuditEvent> {
        log().into_iter().map(|entry| entry.event).collect()
    }

    fn walked(entries: &[AuditEntry], expected: Option<Mark>) -> Result<Verified, Fault> {
        let key = key();
        let mut walk = Walk::new(&key, expected);
        for entry in entries {
            let mark = named_by(entry);
            let named =
                mark.and_then(|mark| entries.iter().find(|own| own.sequence == mark.sequence));
            walk.take(entry, named.map(|own| own.hash))?;
        }
        walk.finish()
    }

    #[test]
    fn a_log_as_it_was_written_is_sound() {
        let verified = walked(&log(), None).expect("sound");
        assert_eq!((verified.last.sequence, verified.checkpoints), (5, 1));
        assert_eq!(verified.last_checkpoint, 4);
        assert_eq!(walked(&[], None).expect("empty").last, Mark::START);
    }

    #[test]
    fn every_changed_member_is_seen() {
        let changes: [fn(&mut AuditEvent); 6] = [
            |own| own.id = AuditId(Id::from_bytes([9; 16])),
            |own| own.at = Timestamp::from_epoch(1),
            |own| own.action = "token.lost".to_owned(),
            |own| own.actor = "cli".to_owned(),
            |own| own.target = String::new(),
            |own| own.details = "{ }".to_owned(),
        ];
        for change in changes {
            let mut log = log();
            change(&mut log[1].event);
            assert_eq!(walked(&log, None), Err(Fault::Changed { sequence: 2 }));
        }
    }

    #[test]
    fn a_missing_entry_and_a_broken_hash_are_seen() {
        let mut missing = log();
        missing.remove(2);
        assert_eq!(walked(&missing, None), Err(Fault::Gap { sequence: 4, expected: 3 }));
        assert_eq!(walked(&log()[1..], None), Err(Fault::Gap { sequence: 2, expected: 1 }));
        let mut broken = log();
        broken[1].hash[0] ^= 1;
        assert_eq!(walked(&broken, None), Err(Fault::Unchained { sequence: 2 }));
    }

    #[test]
    fn who_joins_the_chain_anew_is_told_from_by_the_next_checkpoint() {
        let mut dropped = events();
        dropped.remove(1);
        let fault = Fault::CheckpointDiffers { sequence: 3, named: 3 };
        assert_eq!(walked(&chained(dropped), None), Err(fault));
        let mut moved = events();
        moved.swap(0, 1);
        let fault = Fault::CheckpointDiffers { sequence: 4, named: 3 };
        assert_eq!(walked(&chained(moved), None), Err(fault));
        let mut copied = events();
        copied.push(copied[0].clone());
        assert_eq!(walked(&chained(copied), None), Err(Fault::Repeated { sequence: 6 }));
        // After the last checkpoint nothing vouches for what is there: hence marks kept elsewhere.
        let mut cut = events();
        cut.pop();
        assert!(walked(&chained(cut), None).is_ok());
    }

    #[test]
    fn a_mark_that_was_kept_shows_a_cut_and_a_rewritten_log() {
        let mark = walked(&log(), None).expect("sound").last;
        assert!(walked(&log(), Some(mark)).is_ok());
        let cut = Fault::CutOff { last: 4, sequence: 5 };
        assert_eq!(walked(&log()[..4], Some(mark)), Err(cut));
        let mut other = events();
        other[4] = event(6, "token.read", "{}");
        assert_eq!(walked(&chained(other), Some(mark)), Err(Fault::MarkDiffers { sequence: 5 }));
    }

    #[test]
    fn a_mark_reads_back_and_other_texts_are_refused() {
        let mark = Mark { sequence: 12, hash: [0xab; 32] };
        assert_eq!(mark.to_string().parse::<Mark>().expect("own text"), mark);
        for text in ["", "12", "12:ab", "x:", &format!("-1:{}", "0".repeat(64))] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_remembered_on_the_way_has_a_limit() {
        let key = key();
        let mut walk = Walk::new(&key, None);
        for n in 0..=RECENT as u64 + 10 {
            let mut unique = [0; 16];
            unique[8..].copy_from_slice(&n.to_be_bytes());
            let id = AuditId(Id::from_bytes(unique));
            walk.ids.insert(id);
            walk.remember(id);
        }
        assert_eq!((walk.recent.len(), walk.ids.len()), (RECENT, RECENT));
    }
}
