//! Records as rows, for the back ends that speak SQL: the columns of each table, what is bound for
//! them and what they read back as, and what follows from a record that was read.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod connect_sessions;
pub(crate) mod connections;
pub(crate) mod consents;
pub(crate) mod devices;
pub(crate) mod external;
pub(crate) mod initial_tokens;
pub(crate) mod mails;
pub(crate) mod notices;
pub(crate) mod once;
pub(crate) mod pauses;
pub(crate) mod refreshes;
pub(crate) mod requests;
pub(crate) mod server_secrets;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod signing_keys;
pub(crate) mod tokens;
pub(crate) mod users;
