//! How long tokens live, and what a refresh does to them.

/// Lifetimes in seconds, and the rotation of refresh tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    pub(crate) code: i64,
    pub(crate) access: Life,
    /// Those that a client gets for itself, where they differ.
    pub(crate) by_client: Option<Life>,
    pub(crate) refresh: Life,
    pub(crate) rotation: Rotation,
    /// Whether the time of a refresh token that stays starts again with each use.
    pub(crate) idle: bool,
    /// Whether a new refresh token gets a time of its own, or what is left of the first one's.
    pub(crate) renews: bool,
    /// How many grants of one person live at once; a further one silently ends the oldest.
    pub(crate) most: Option<usize>,
    /// Whether a code that comes a second time takes back what it gave.
    pub(crate) code_reuse_ends: bool,
    pub(crate) prefixes: Prefixes,
}

/// How long something lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Forever,
    Seconds(i64),
    /// As the token request says; for ever where it says nothing.
    Asked,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It stays, and the answer has none.
    Stays,
    /// It stays, and the answer repeats it.
    Repeats,
    /// The answer has a new one; the one before stays good.
    Fresh,
    /// The answer has a new one; the one before was good for this once.
    Once(Once),
}

/// A refresh token that is good for one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Once {
    /// For how many seconds after its use it is taken again.
    pub(crate) grace: i64,
    /// What it answers then.
    pub(crate) again: Again,
    /// Whether its use after that ends everything that came from the same grant.
    pub(crate) reuse_ends_family: bool,
    /// Whether the access token that was issued with it ends when its grace does.
    pub(crate) ends_access: bool,
}

/// What a used refresh token answers within its grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The tokens that it answered before.
    SameTokens,
    /// Tokens of their own.
    NewTokens,
}

/// What the provider's codes and tokens begin with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefixes {
    pub(crate) code: &'static str,
    pub(crate) access: &'static str,
    pub(crate) refresh: &'static str,
}

/// Single use, without any grace or further consequence.
pub(crate) const ONCE: Once =
    Once { grace: 0, again: Again::NewTokens, reuse_ends_family: false, ends_access: false };

impl Lives {
    /// An hour for access tokens, refresh tokens without an end that stay as they are.
    pub(crate) const HOUR: Self = Self {
        code: 600,
        access: Life::Seconds(3600),
        by_client: None,
        refresh: Life::Forever,
        rotation: Rotation::Stays,
        idle: false,
        renews: true,
        most: None,
        code_reuse_ends: false,
        prefixes: Prefixes { code: "code-", access: "access-", refresh: "refresh-" },
    };
}
