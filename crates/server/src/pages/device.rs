//! The pages of a device without a browser: its code, the question, and the end. RFC 8628 §3.3.

use serde::Serialize;

use super::{AccessPeriod, ConsentClient, Page, ScopeRow, text::HOSTILE};

/// Asks for the code. The form is `POST /device` with `csrf` and `user_code`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeviceCode {
    /// What was typed.
    pub(crate) user_code: String,
    /// No device waits with this code.
    pub(crate) wrong: bool,
}

/// Asks whether a device may go on. The form is `POST /device` with `csrf`, `user_code` and
/// `decision` = `allow` | `deny`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeviceConfirm {
    /// What the device must show: `WDJB-MJHT`.
    pub(crate) user_code: String,
    /// What asks on it.
    pub(crate) client: ConsentClient,
    /// What it asks for; the page puts the new ones first.
    pub(crate) scopes: Vec<ScopeRow>,
    /// How long it keeps the access.
    pub(crate) period: AccessPeriod,
    /// Who is signed in: a name or an address.
    pub(crate) person: String,
    /// Where "Not you?" leads.
    pub(crate) not_you_url: String,
}

/// The end.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeviceDone {
    /// The name of what asked.
    pub(crate) client: String,
    /// The answer.
    pub(crate) allowed: bool,
}

impl Page for DeviceCode {
    const TEMPLATE: &'static str = "device_code.html";

    fn samples() -> Vec<Self> {
        let sample = |code: &str, wrong| Self { user_code: code.to_owned(), wrong };
        vec![sample("", false), sample("WDJB-MJHX", true), sample(HOSTILE, true)]
    }
}

impl Page for DeviceConfirm {
    const TEMPLATE: &'static str = "device_confirm.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, new| ScopeRow { name: name.to_owned(), description: None, new };
        let first = Self {
            user_code: "WDJB-MJHT".to_owned(),
            client: ConsentClient {
                name: "Acme TV".to_owned(),
                logo_url: None,
                home_url: Some("https://tv.example.com/".to_owned()),
                policy_url: Some("https://tv.example.com/privacy".to_owned()),
                tos_url: None,
            },
            scopes: vec![row("openid", true), row("profile", true), row("read", true)],
            period: AccessPeriod::UpTo { seconds: 365 * 86_400 },
            person: "ada@example.com".to_owned(),
            not_you_url: "/login?then=%2Fdevice&method=admin_token".to_owned(),
        };
        let again = Self {
            scopes: vec![row("openid", false), row("write", true)],
            period: AccessPeriod::Once { seconds: 3_600 },
            ..first.clone()
        };
        let hostile = Self {
            client: ConsentClient {
                name: HOSTILE.to_owned(),
                home_url: Some("javascript:alert(1)".to_owned()),
                policy_url: Some(HOSTILE.to_owned()),
                ..first.client.clone()
            },
            scopes: vec![row(HOSTILE, true)],
            person: HOSTILE.to_owned(),
            ..first.clone()
        };
        vec![first, again, hostile]
    }
}

impl Page for DeviceDone {
    const TEMPLATE: &'static str = "device_done.html";

    fn samples() -> Vec<Self> {
        let sample = |client: &str, allowed| Self { client: client.to_owned(), allowed };
        vec![sample("Acme TV", true), sample("Acme TV", false), sample(HOSTILE, true)]
    }
}
