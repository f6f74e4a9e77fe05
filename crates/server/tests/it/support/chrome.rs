//! Chromium, driven by ChromeDriver, with a profile of its own.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::{By, ChromeCapabilities, DesiredCapabilities, Key, WebDriver, WebElement};

use super::server::free_port;

/// What a person looks at the pages with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The name in the names of screenshots.
    pub(crate) name: &'static str,
    /// Width and height of the window.
    pub(crate) size: (u32, u32),
    /// Whether dark pages are preferred.
    pub(crate) dark: bool,
    /// Whether pages may run scripts.
    pub(crate) scripts: bool,
}

/// A wide screen.
pub(crate) const DESKTOP: Look =
    Look { name: "desktop", size: (1280, 900), dark: false, scripts: true };

/// A phone.
pub(crate) const PHONE: Look = Look { name: "phone", size: (390, 844), ..DESKTOP };

/// A browser with one or more tabs.
pub(crate) struct Chrome {
    /// The driver, for what the helpers do not do.
    pub(crate) driver: WebDriver,
    look: Look,
    chromedriver: Child,
    _profile: TempDir,
}

impl Chrome {
    /// Starts one.
    pub(crate) async fn start(look: Look) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own, so that the browser ends with it, whatever happens.
        let chromedriver = command.process_group(0).spawn().expect("chromedriver is installed");
        let url = format!("http://127.0.0.1:{port}");
        let until = Instant::now() + Duration::from_secs(60);
        let driver = loop {
            match WebDriver::new(&url, capabilities(look, profile.path())).await {
                Ok(driver) => break driver,
                Err(error) => assert!(Instant::now() < until, "no browser: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Self { driver, look, chromedriver, _profile: profile }
    }

    /// Opens a URL.
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect("opened");
    }

    /// The URL of the page.
    pub(crate) async fn url(&self) -> String {
        self.driver.current_url().await.expect("a URL").to_string()
    }

    /// Everything that can be read on the page.
    pub(crate) async fn text(&self) -> String {
        let body = self.driver.find(By::Tag("body")).await.expect("a body");
        body.text().await.expect("text")
    }

    /// Waits until the text stands on the page.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let until = Instant::now() + Duration::from_secs(10);
            loop {
                // In the middle of a page change there may be no body.
                let page = match self.driver.find(By::Tag("body")).await {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(_) => String::new(),
                };
                if page.contains(text) {
                    return;
                }
                if Instant::now() > until {
                    panic!("{caller}: {text:?} is not on {}:\n{page}", self.url().await);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// The first element of a CSS selector.
    pub(crate) async fn find(&self, css: &str) -> WebElement {
        let found = self.driver.find(By::Css(css.to_owned())).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; page:\n{}", self.text().await),
        }
    }

    /// Clicks the button or link with exactly this text.
    pub(crate) async fn click(&self, text: &str) {
        let path = format!("//*[self::a or self::button][normalize-space()='{text}']");
        match self.driver.find(By::XPath(path)).await {
            Ok(element) => element.click().await.expect("clicked"),
            Err(error) => panic!("{text}: {error}; page:\n{}", self.text().await),
        }
    }

    /// Types into the field with this id.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.find(&format!("#{id}")).await;
        field.clear().await.expect("cleared");
        field.send_keys(text).await.expect("typed");
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        self.driver.action_chain().send_keys(keys).perform().await.expect("pressed");
    }

    /// Presses Tab until the focus is on a button or link with this text, then Enter.
    pub(crate) async fn tab_to(&self, text: &str) {
        for _ in 0..30 {
            self.press(&Key::Tab.value().to_string()).await;
            let focused = self.driver.active_element().await.expect("a focus");
            if focused.text().await.unwrap_or_default().trim() == text {
                let ring = focused.css_value("outline-style").await.expect("a style");
                assert_ne!(ring, "none", "the focus on {text:?} is not visible");
                return self.press(&Key::Enter.value().to_string()).await;
            }
        }
        panic!("{text:?} cannot be reached with the Tab key:\n{}", self.text().await);
    }

    /// Opens another tab and goes there.
    pub(crate) async fn new_tab(&self, url: &str) {
        let tab = self.driver.new_tab().await.expect("a tab");
        self.driver.switch_to_window(tab).await.expect("switched");
        self.open(url).await;
    }

    /// Goes to the n-th tab.
    pub(crate) async fn tab(&self, n: usize) {
        let tabs = self.driver.windows().await.expect("tabs");
        self.driver.switch_to_window(tabs[n].clone()).await.expect("switched");
    }

    /// Keeps a picture of the page, and checks what must hold for every page.
    pub(crate) async fn shot(&self, name: &str) {
        let folder = artifacts();
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{}-{name}.png", self.look.name));
        self.driver.screenshot(&path).await.expect("a picture");
        self.check(name).await;
    }

    async fn check(&self, name: &str) {
        if !self.look.scripts {
            return;
        }
        let script = "return [document.documentElement.scrollWidth - window.innerWidth, \
             document.querySelectorAll('h1').length, document.documentElement.lang, \
             matchMedia('(prefers-color-scheme: dark)').matches, window.innerWidth]";
        let found = self.driver.execute(script, Vec::new()).await.expect("a value");
        let (over, headings, lang, dark, width): (i64, u32, String, bool, u32) =
            found.convert().expect("five values");
        let page = format!("{name} ({})", self.look.name);
        assert!(over <= 0, "{page} is {over} px too wide");
        assert_eq!(headings, 1, "{page}: one heading of the first level");
        assert_eq!(lang, "en", "{page}");
        assert_eq!((dark, width), (self.look.dark, self.look.size.0), "{page}");
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        self.driver.clone().quit().await.expect("closed");
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        let group = format!("-{}", self.chromedriver.id());
        // Nothing to do about processes that are gone already.
        let _gone = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _gone = self.chromedriver.wait();
    }
}

fn capabilities(look: Look, profile: &Path) -> ChromeCapabilities {
    let mut own = DesiredCapabilities::chrome();
    for flag in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--lang=en-US",
    ] {
        own.add_arg(flag).expect("a flag");
    }
    own.add_arg(&format!("--user-data-dir={}", profile.display())).expect("a flag");
    own.add_arg(&format!("--window-size={},{}", look.size.0, look.size.1)).expect("a flag");
    let scheme = u8::from(!look.dark);
    own.add_arg(&format!("--blink-settings=preferredColorScheme={scheme}")).expect("a flag");
    if look.scripts {
        // Exact sizes, also such as a desktop window cannot have.
        let metrics = json!({ "width": look.size.0, "height": look.size.1, "pixelRatio": 1.0,
            "mobile": look.size.0 < 600, "touch": look.size.0 < 600 });
        let emulated = json!({ "deviceMetrics": metrics });
        own.add_experimental_option("mobileEmulation", emulated).expect("an option");
    } else {
        // Without scripts a click on an emulated phone never ends.
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        own.add_experimental_option("prefs", off).expect("an option");
    }
    own
}

/// Where pictures are kept.
fn artifacts() -> PathBuf {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/artifacts");
    std::env::var_os("GRANTOR_ARTIFACTS").map_or(made, PathBuf::from)
}
