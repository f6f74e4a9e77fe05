//! What can go wrong in Redis, told in plain words.

use grantor_core::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a call did not do what it should.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server refused, or the connection to it broke.
    Redis(RedisError),
    /// There was no answer in time.
    Late,
    /// The store was closed before.
    Closed,
    /// The file with the authorities cannot be read.
    Authorities(String),
    /// What was asked for is done, but fewer replicas than demanded have it.
    NotConfirmed {
        /// How many have it.
        by: u64,
        /// How many were demanded.
        of: u32,
    },
    /// Others have written to the audit log again and again, each time a moment earlier.
    Overtaken,
    /// What is stored does not read back as a record.
    Record(String),
}

impl Fault {
    /// Whether the server said, before it did anything, that it cannot do it now: it is another
    /// one's turn, or it is loading. Such a call may be made again.
    pub(super) fn may_be_repeated(&self) -> bool {
        let Self::Redis(error) = self else {
            return false;
        };
        matches!(
            error.kind(),
            ErrorKind::ClusterConnectionNotFound
                | ErrorKind::Server(
                    ServerErrorKind::Moved
                        | ServerErrorKind::Ask
                        | ServerErrorKind::TryAgain
                        | ServerErrorKind::ClusterDown
                        | ServerErrorKind::ReadOnly
                        | ServerErrorKind::BusyLoading
                        | ServerErrorKind::MasterDown
                )
        )
    }

    /// Whether the connection is of no more use: broken, silent, or to a server that does not
    /// write.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Redis(error) => {
                error.is_io_error()
                    || error.is_unrecoverable_error()
                    || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            }
            Self::Late => true,
            Self::Closed
            | Self::Authorities(_)
            | Self::NotConfirmed { .. }
            | Self::Overtaken
            | Self::Record(_) => false,
        }
    }

    /// Whether the server does not know the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Redis(error)
            if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// What the caller of the store is told.
    pub(super) fn told(self) -> StoreError {
        match self {
            Self::Redis(error) => redis(&error),
            Self::Late => StoreError::Unavailable("Redis does not answer in time".to_owned()),
            Self::Closed => StoreError::Unavailable("the store is closed".to_owned()),
            Self::Authorities(text) => StoreError::Unavailable(text),
            Self::NotConfirmed { by, of } => StoreError::Unavailable(format!(
                "Redis has it, but {by} of {of} replicas have confirmed it in time"
            )),
            Self::Overtaken => StoreError::Unavailable(
                "too many write to the audit log at once; nothing was written".to_owned(),
            ),
            Self::Record(text) => StoreError::Corrupt(text),
        }
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

fn redis(error: &RedisError) -> StoreError {
    let unavailable = |text: &str| StoreError::Unavailable(format!("{text} ({error})"));
    if error.is_timeout() {
        return unavailable("Redis does not answer in time");
    }
    if error.is_io_error() || error.is_unrecoverable_error() {
        return unavailable("Redis cannot be reached");
    }
    match error.code() {
        Some("OOM") => unavailable("Redis has no memory left; nothing was written"),
        Some("MISCONF") => unavailable("Redis cannot write to its disk; nothing was written"),
        Some("NOREPLICAS") => unavailable("Redis has too few replicas; nothing was written"),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => unavailable("Redis does not let us in"),
        Some("BUSY") => unavailable("Redis is busy with a script of somebody else"),
        Some("READONLY") => unavailable("this Redis is a replica"),
        Some("LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "ASK") => {
            unavailable("Redis is not ready")
        }
        Some("MOVED") => {
            unavailable("this Redis is a node of a cluster; name it as redis+cluster://host:port")
        }
        Some("WRONGTYPE") => {
            StoreError::Corrupt(format!("a key in Redis is not one of ours ({error})"))
        }
        _ if is_of_configuration(error) => unavailable("Redis cannot be used as it is configured"),
        _ => StoreError::Corrupt(format!("Redis does not do what it should ({error})")),
    }
}

fn is_of_configuration(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidClientConfig
            | ErrorKind::AuthenticationFailed
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel
            | ErrorKind::EmptySentinelList
    )
}
