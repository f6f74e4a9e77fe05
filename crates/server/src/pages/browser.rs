//! What a `User-Agent` header says, for a person who wants to recognise a session.

/// The two things that a person knows their device by; either may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Browser {
    pub(super) name: Option<&'static str>,
    pub(super) system: Option<&'static str>,
}

// Most specific first: nearly every browser also claims to be Chrome, Safari and Mozilla.
const NAMES: [(&str, &str); 13] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Postman", "Postman"),
    ("python-requests/", "Python"),
    ("node", "Node.js"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

impl Browser {
    /// Reads the header.
    pub(super) fn of(user_agent: &str) -> Self {
        let find = |table: &[(&str, &'static str)]| {
            table.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, word)| *word)
        };
        Self { name: find(&NAMES), system: find(&SYSTEMS) }
    }
}

#[cfg(test)]
mod tests {
    use super::Browser;

    #[test]
    fn known_browsers_are_recognised() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(Browser::of(edge), Browser { name: Some("Edge"), system: Some("Windows") });
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Safari/604.1";
        assert_eq!(Browser::of(phone), Browser { name: Some("Safari"), system: Some("iPhone") });
        assert_eq!(Browser::of("curl/8.1"), Browser { name: Some("curl"), system: None });
        assert_eq!(Browser::of("?"), Browser { name: None, system: None });
    }
}
