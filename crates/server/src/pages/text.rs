//! Text that came from outside: what may be shown of it, and how.

use std::borrow::Cow;

/// A name as an attacker would register it, for samples and tests.
pub(super) const HOSTILE: &str = "\u{202e}Acme</title><script>alert(1)</script>\"'><img src=x \
    onerror=alert(1)>\r\nBcc: eve@example.com {{ 7 * 7 }} ${x} averyveryverylongwordwithoutspaces\
    averyveryverylongwordwithoutspaces";

/// Without the characters that a reader cannot see or that turn text around: controls except line
/// breaks and tabs, and the bidirectional overrides of Unicode (an application could otherwise make
/// "moc.live" read as its neighbour's name).
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_unseen) {
        Cow::Owned(text.chars().filter(|&c| !is_unseen(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// One line of at most `cap` characters, white space collapsed.
pub(super) fn line(text: &str, cap: usize) -> String {
    let spaced: String = text.chars().map(|c| if breaks_line(c) { ' ' } else { c }).collect();
    let one = clean(&spaced).split_whitespace().collect::<Vec<_>>().join(" ");
    if one.chars().count() <= cap {
        return one;
    }
    one.chars().take(cap.saturating_sub(1)).chain(['…']).collect()
}

/// An address as it may stand on a screen that others see: `a•••@example.com`.
pub(super) fn mask(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}•••@{domain}")
        }
        None => "•••".to_owned(),
    }
}

/// Only an address that a browser may follow: a registration can hold `javascript:` as well.
pub(super) fn is_web(url: &str) -> bool {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

/// The end of the name of a text about a provider's scope: `google-calendar-readonly`.
pub(super) fn scope_key(scope: &str) -> String {
    let google = scope.strip_prefix("https://www.googleapis.com/auth/");
    let short = google.map_or_else(|| scope.to_owned(), |rest| format!("google-{rest}"));
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    short.chars().take(80).map(plain).collect()
}

/// The first word of the shape `ABCD-EFGH`.
pub(super) fn token_in(text: &str) -> Option<&str> {
    let is_half = |half: &str| {
        half.len() == 4 && half.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    text.split_whitespace()
        .find(|word| word.split_once('-').is_some_and(|(a, b)| is_half(a) && is_half(b)))
}

fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{clean, is_web, line, mask, scope_key, token_in};

    #[test]
    fn unseen_characters_go_and_letters_stay() {
        assert_eq!(clean("a\u{202e}b\u{0}c\r\n"), "abc\n");
        assert_eq!(clean("شركة ‍Ünïcode 👩‍💻"), "شركة ‍Ünïcode 👩‍💻");
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(line("  a\r\nb\u{2028}c ", 80), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn an_address_is_masked() {
        assert_eq!(mask("ada@example.com"), "a•••@example.com");
        assert_eq!(mask("@example.com"), "•••@example.com");
        assert_eq!(mask("nothing"), "•••");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(is_web("https://a.example") && is_web("HTTP://a.example"));
        for other in ["javascript:alert(1)", "data:text/html,x", "//a.example", " https://a", ""] {
            assert!(!is_web(other), "{other}");
        }
    }

    #[test]
    fn scopes_have_names_for_their_texts() {
        let calendar = "https://www.googleapis.com/auth/calendar.readonly";
        assert_eq!(scope_key(calendar), "google-calendar-readonly");
        assert_eq!(scope_key("chat:write"), "chat-write");
        assert_eq!(scope_key("https://evil.example/'}"), "https---evil-example---");
    }

    #[test]
    fn the_token_is_found() {
        assert_eq!(token_in("Your token:\n\n    KX4M-7RPT\n"), Some("KX4M-7RPT"));
        assert_eq!(token_in("well-kept lower-case KX4M-7RPTX"), None);
    }
}
