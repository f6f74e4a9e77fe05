//! What every test stands on: a server, a browser, an application, a mail server.

pub(crate) mod api;
pub(crate) mod browser;
pub(crate) mod chrome;
pub(crate) mod cli;
pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod database;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod external;
pub(crate) mod flow;
pub(crate) mod html;
pub(crate) mod lock;
pub(crate) mod receiver;
pub(crate) mod seen;
pub(crate) mod server;
pub(crate) mod signer;
pub(crate) mod smtp;
pub(crate) mod upstream;
pub(crate) mod vault;

pub(crate) use api::half_hash;
pub(crate) use browser::{Browser, Page, client};
pub(crate) use flow::{
    App, Request, SCOPE, Tokens, assert_error, assert_sent_back, decode, random,
};
pub(crate) use html::Form;
pub(crate) use server::{STATIC_TOKEN, Server, free_port};
pub(crate) use smtp::Smtp;
