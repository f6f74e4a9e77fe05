//! Where a sign-in leads that no application asked for.
//!
//! It is read from a link or a form, so it is never taken as a URL: it is one of the pages listed
//! here, written anew from its parts, and anything else is nothing.

use grantor_core::device;
use grantor_core::secret::{Credential, Kind};

/// A page of this server that needs somebody to be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Onward {
    /// The page of devices, with the code that was typed there.
    Device(Option<String>),
    /// The page of connected accounts.
    Connections,
    /// A link that connects an account, as it is in the path.
    Connect(String),
}

impl Onward {
    /// The page with this path.
    pub(crate) fn read(path: &str) -> Option<Self> {
        let (page, query) = path.split_once('?').map_or((path, None), |(a, b)| (a, Some(b)));
        match (page, query) {
            ("/device", None) => Some(Self::Device(None)),
            ("/device", Some(query)) => {
                let code = device::user_code(query.strip_prefix("user_code=")?)?;
                Some(Self::Device(Some(code)))
            }
            ("/connections", None) => Some(Self::Connections),
            (page, None) => {
                let link = page.strip_prefix("/connect/")?;
                Credential::parse(Kind::ConnectLink, link)?;
                Some(Self::Connect(link.to_owned()))
            }
            (_, Some(_)) => None,
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Device(None) => "/device".to_owned(),
            Self::Device(Some(code)) => format!("/device?user_code={}", device::shown(code)),
            Self::Connections => "/connections".to_owned(),
            Self::Connect(link) => format!("/connect/{link}"),
        }
    }

    /// The sign-in page that leads there.
    pub(crate) fn login(&self) -> String {
        format!("/login?{}", self.parameter())
    }

    /// The same, for a method of choice.
    pub(crate) fn login_by(&self, method: &str) -> String {
        format!("/login?{}&method={method}", self.parameter())
    }

    /// The `then` parameter of links to the sign-in page.
    pub(crate) fn parameter(&self) -> String {
        let path = self.path();
        form_urlencoded::Serializer::new(String::new()).append_pair("then", &path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_pages_are_read() {
        assert_eq!(Onward::read("/device"), Some(Onward::Device(None)));
        let typed = Onward::read("/device?user_code=wdjbmjht").expect("a page");
        assert_eq!(typed.path(), "/device?user_code=WDJB-MJHT");
        assert_eq!(typed.login(), "/login?then=%2Fdevice%3Fuser_code%3DWDJB-MJHT");
        assert_eq!(Onward::read("/connections"), Some(Onward::Connections));
        let link = format!("/connect/grt_cl_{}", "A".repeat(64));
        assert_eq!(Onward::read(&link).expect("a page").path(), link);
        for path in [
            "/connections?done=disconnected",
            "/connect/callback",
            "/connect/grt_cl_A",
            &format!("{link}/go"),
            &format!("{link}?x=1"),
            "",
            "/",
            "//evil.example",
            "/device/",
            "/device?",
            "/device?user_code=",
            "/device?user_code=WDJB-MJHT&x=1",
            "/device?user_code=WDJB-MJHT#x",
            "/device\r\nx: y",
            "https://evil.example/device",
            "\\/evil.example",
            "/account",
        ] {
            assert_eq!(Onward::read(path), None, "{path:?}");
        }
    }
}
