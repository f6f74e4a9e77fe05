//! A device without a browser, and the client on it.

use serde_json::Value;

use super::browser::{Browser, Page};
use super::flow::App;
use super::server::{Server, Setup};

/// RFC 8628 §3.4.
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a device was told: RFC 8628 §3.2.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// What it polls with.
    pub(crate) device_code: String,
    /// What it shows.
    pub(crate) user_code: String,
    /// The whole answer.
    pub(crate) told: Value,
}

impl Setup {
    /// A server with a client for devices, made with these options of `client add`.
    pub(crate) async fn start_with_device(self, options: &[&str]) -> (Server, App) {
        let mut server = self.prepare();
        let app = server.app_with("tv", options);
        server.let_on_devices("tv");
        server.start_again().await;
        (server, app)
    }
}

impl Server {
    /// Registers a client for the grant of devices. A server that runs sees it within a second.
    pub(crate) fn let_on_devices(&self, id: &str) {
        self.sql(&for_devices(id));
    }

    /// What the client asks at the start: RFC 8628 §3.1.
    pub(crate) async fn authorize_device(&self, app: &App, pairs: &[(&str, &str)]) -> Page {
        self.as_client(app, "/device_authorization", pairs).await
    }

    /// A device that shows a code.
    pub(crate) async fn device(&self, app: &App) -> Device {
        let page = self.authorize_device(app, &[("scope", "openid email read")]).await;
        assert_eq!(page.status, 200, "{page:?}");
        let told = page.json();
        let text = |name: &str| told[name].as_str().expect("a text").to_owned();
        Device { device_code: text("device_code"), user_code: text("user_code"), told }
    }

    /// One poll: RFC 8628 §3.4.
    pub(crate) async fn poll(&self, app: &App, device: &Device) -> Page {
        let pairs = [("grant_type", DEVICE_GRANT), ("device_code", &device.device_code)];
        self.token(app, &pairs).await
    }

    /// Signs in as `who`, opens the page of the device, and answers.
    pub(crate) async fn answer_device(&self, who: &str, device: &Device, decision: &str) -> Page {
        let browser = self.browser();
        self.sign_in(&browser, who).await;
        let page = browser.open(&link(device)).await;
        decide(&browser, &page, decision).await
    }
}

/// The statement that registers a client for the grant of devices.
pub(crate) fn for_devices(id: &str) -> String {
    let grants = format!("[\"refresh_token\",\"{DEVICE_GRANT}\"]");
    format!("UPDATE oauth2_client SET grant_types = '{grants}' WHERE client_id = '{id}'")
}

/// `verification_uri_complete`, as a path.
pub(crate) fn link(device: &Device) -> String {
    format!("/device?user_code={}", device.user_code)
}

/// Presses Allow or Deny.
pub(crate) async fn decide(browser: &Browser, page: &Page, decision: &str) -> Page {
    browser.send_form(&page.form("/device").with("decision", decision)).await
}
