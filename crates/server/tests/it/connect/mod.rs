//! `/connect/…`: from a link to a connected account.

mod bound;
