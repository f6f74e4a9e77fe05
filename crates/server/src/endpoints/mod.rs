//! Handlers: each parses, calls the core once, and answers. A file for each URL.

pub(crate) mod account;
pub(crate) mod authorize;
pub(crate) mod callback;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod device_authorization;
pub(crate) mod discovery;
pub(crate) mod docs;
pub(crate) mod external;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod mailbox;
pub(crate) mod not_found;
pub(crate) mod openapi;
pub(crate) mod protected;
pub(crate) mod protected_resource;
pub(crate) mod revoke;
pub(crate) mod select_account;
pub(crate) mod static_files;
pub(crate) mod token;
pub(crate) mod userinfo;
