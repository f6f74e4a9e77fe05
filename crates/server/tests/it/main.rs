//! Grantor as its users see it: the real binary over HTTP, SMTP, the command line and a browser.
//!
//! The folders mirror the URLs. Each test starts a server of its own; when that ends, its log and
//! its data folder are searched for every secret that the test saw.

#![expect(clippy::print_stderr, reason = "a failed test shows the server's log")]

mod account;
mod architecture;
mod authorize;
mod browser;
mod callback;
mod cli;
mod clients;
mod cluster;
mod connect;
mod connections;
mod create_client;
mod device;
mod device_authorization;
mod discovery;
mod docs;
mod introspect;
mod jwks;
mod login;
mod logout;
mod mail;
mod mailbox;
mod nodes;
mod oauth_token;
mod openapi;
mod operation;
mod protected;
mod providers;
mod proxy;
mod register;
mod revoke;
mod sample;
mod storms;
mod support;
mod token;
mod userinfo;
mod webhooks;
