//! What a text in metadata may be: short, and nothing that misleads whoever reads it.

use url::Url;

use crate::authorize::redirect_uri::{has_plain_host, is_loopback};

/// Characters of a name or a version.
const MOST_CHARACTERS: usize = 200;

/// Bytes of a URI.
pub(super) const MOST_URI_BYTES: usize = 2_000;

/// Items of a list.
pub(super) const MOST_ITEMS: usize = 50;

/// Why `text` is no name, if it is none.
pub(super) fn problem(text: &str) -> Option<&'static str> {
    if text.chars().count() > MOST_CHARACTERS {
        return Some("it has more than 200 characters");
    }
    text.chars().any(misleads).then_some("it has control or invisible characters")
}

/// Control characters, and those that turn or hide the text around them: a name on the consent
/// page must not be able to rewrite the sentence that it stands in.
pub(crate) fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Why `text` cannot be a link that people or this server follow, if it cannot.
pub(super) fn link_problem(text: &str) -> Option<&'static str> {
    if text.len() > MOST_URI_BYTES {
        return Some("it is longer than 2000 bytes");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\')) {
        return Some("it has spaces, control or non-ASCII characters; percent-escape them");
    }
    let Ok(url) = Url::parse(text) else {
        return Some("it is not an absolute URI");
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let rest = &text[url.scheme().len()..];
    if !secure || !rest.starts_with("://") || rest.starts_with(":///") {
        return Some("it must start with https:// (http:// is for this machine only)");
    }
    if !has_plain_host(text, &url) {
        return Some("its host is not written as one");
    }
    let named = !url.username().is_empty() || url.password().is_some();
    named.then_some("it has a user name or password in it")
}

/// A name out of a request as it may stand in an error: `error_description` takes printable ASCII
/// without quotes and backslashes (RFC 6749 §5.2).
pub(super) fn shown(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_graphic() && !"\"\\".contains(*c);
    name.chars().filter(plain).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_any_script_but_short_and_visible() {
        for good in ["Notes & more", "Ñandú-Käse", "メモ帳", "مذكرات", "👩‍💻"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in ["a\nb", "a\u{0}", "a\u{7f}", "\u{202e}evil", "a\u{2066}b", "a\u{200b}b"] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
        assert!(problem(&"ä".repeat(200)).is_none());
        assert!(problem(&"ä".repeat(201)).is_some());
    }

    #[test]
    fn links_are_https_or_on_this_machine() {
        for good in ["https://app.example/", "http://localhost:3000/logo.png", "http://[::1]/x"] {
            assert_eq!(link_problem(good), None, "{good}");
        }
        let long = format!("https://app.example/{}", "a".repeat(2_000));
        for bad in [
            "",
            "/logo.png",
            "http://app.example/",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "https:app.example",
            "https://a:b@app.example/",
            "https://x;sandbox/logo.png",
            "https://a,b/",
            "https:///logo.png",
            "http://127.1/logo.png",
            "https://app.example/ä",
            "https://app.example/\"",
            &long,
        ] {
            assert!(link_problem(bad).is_some(), "{bad}");
        }
    }
}
