//! The landing page: what this server is, and where to go from here.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// `GET /`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Home {
    /// The issuer's URL.
    pub(crate) issuer: String,
    /// The discovery document.
    pub(crate) discovery_url: String,
    /// Who is signed in, if anybody.
    pub(crate) person: Option<String>,
    /// Whether accounts at providers can be connected here.
    pub(crate) connections: bool,
    /// The sample client (demo only).
    pub(crate) sample_url: Option<String>,
    /// The mailbox page (demo only).
    pub(crate) mailbox_url: Option<String>,
}

impl Page for Home {
    const TEMPLATE: &'static str = "home.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            issuer: "https://login.example.com".to_owned(),
            discovery_url: "/.well-known/openid-configuration".to_owned(),
            person: None,
            connections: false,
            sample_url: None,
            mailbox_url: None,
        };
        let demo = Self {
            issuer: "http://localhost:5050".to_owned(),
            connections: true,
            sample_url: Some("http://localhost:5051/".to_owned()),
            mailbox_url: Some("/mailbox".to_owned()),
            ..plain.clone()
        };
        let hostile = Self { person: Some(HOSTILE.to_owned()), ..demo.clone() };
        vec![plain, demo, hostile]
    }
}
