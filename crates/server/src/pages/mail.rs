//! The mails that Grantor writes: subject, text and HTML from one set of texts.

use minijinja::{Value, value::Serde};
use serde::Serialize;

use super::{Language, Pages, PagesError, text, text::HOSTILE, time::SAMPLE_NOW};

const NAME_CAP: usize = 80;
const SUBJECT_CAP: usize = 150;

/// The mail that carries an admin token.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AdminTokenMail {
    /// The name of the application that asked; `None` for a sign-in of its own.
    pub(crate) application: Option<String>,
    /// As it is typed: `ABCD-EFGH`.
    pub(crate) token: String,
    /// How long it lives.
    pub(crate) minutes: u64,
    /// Epoch seconds.
    pub(crate) requested_at: i64,
    /// The network address that asked.
    pub(crate) from_address: String,
    /// This server's URL.
    pub(crate) issuer: String,
}

/// A mail, ready for its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// One line without control characters.
    pub(crate) subject: String,
    /// The plain part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
}

impl AdminTokenMail {
    /// Writes it. Names are cut to one line first: a line break in an application's name must not
    /// become a header or a paragraph of the mail.
    pub(crate) fn render(&self, pages: &Pages, language: Language) -> Result<Mail, PagesError> {
        let safe = Self {
            application: self.application.as_deref().map(|name| text::line(name, NAME_CAP)),
            token: text::line(&self.token, NAME_CAP),
            from_address: text::line(&self.from_address, NAME_CAP),
            issuer: text::line(&self.issuer, SUBJECT_CAP),
            ..self.clone()
        };
        let mail = Value::from(Serde(safe));
        let part = |name| pages.render_template(name, language, mail.clone(), ());
        Ok(Mail {
            subject: text::line(&part("mail/admin_token_subject.txt")?, SUBJECT_CAP),
            text: part("mail/admin_token.txt")?,
            html: part("mail/admin_token.html")?,
        })
    }

    /// Ordinary and hostile data, as for a page.
    pub(super) fn samples() -> Vec<Self> {
        let first = Self {
            application: Some("Acme Notes".to_owned()),
            token: "KX4M-7RPT".to_owned(),
            minutes: 10,
            requested_at: SAMPLE_NOW,
            from_address: "203.0.113.7".to_owned(),
            issuer: "https://login.example.com".to_owned(),
        };
        let direct = Self { application: None, ..first.clone() };
        let hostile = Self {
            application: Some(HOSTILE.to_owned()),
            from_address: HOSTILE.to_owned(),
            ..first.clone()
        };
        vec![first, direct, hostile]
    }
}

#[cfg(test)]
mod tests {

    use super::{AdminTokenMail, Language, Mail, Pages};
    use crate::pages::Brand;

    fn written(application: &str, language: Language) -> Mail {
        let [mut mail, ..] = AdminTokenMail::samples().try_into().map(|m: [_; 3]| m).unwrap();
        mail.application = Some(application.to_owned());
        mail.render(&Pages::new(None, Brand::default()).unwrap(), language).unwrap()
    }

    #[test]
    fn a_name_cannot_add_a_header() {
        for breaker in ["\r\n", "\n", "\r", "\u{2028}", "\u{85}", "\u{0}", "\u{b}"] {
            let mail = written(&format!("Acme{breaker}Bcc: eve@example.com"), Language::En);
            assert!(!mail.subject.chars().any(char::is_control), "{:?}", mail.subject);
            assert_eq!(mail.subject.lines().count(), 1);
            assert!(!mail.text.lines().any(|line| line.starts_with("Bcc")), "{}", mail.text);
            assert!(!mail.text.contains('\r'));
        }
    }

    #[test]
    fn a_name_cannot_turn_the_text_around() {
        let mail = written("Acme \u{202e}moc.live\u{202c} \u{2066}x", Language::De);
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains(['\u{202e}', '\u{202c}', '\u{2066}']), "{part}");
        }
    }

    #[test]
    fn a_name_cannot_add_markup() {
        let mail = written("<a href=\"https://evil.example\">click</a>", Language::En);
        assert!(!mail.html.contains("<a href=\"https://evil"), "{}", mail.html);
        assert!(mail.html.contains("&lt;a href"), "{}", mail.html);
    }

    #[test]
    fn a_long_name_is_cut() {
        let mail = written(&"ä".repeat(5_000), Language::En);
        assert!(mail.subject.chars().count() <= 150);
        assert!(mail.text.chars().count() < 1_000);
    }

    #[test]
    fn it_says_which_application_when_and_from_where() {
        let mail = written("Acme Notes", Language::En);
        for part in [&mail.text, &mail.html] {
            for said in ["KX4M-7RPT", "Acme Notes", "10 minutes", "203.0.113.7", "11:23"] {
                assert!(part.contains(said), "{said} is missing in {part}");
            }
        }
        assert!(!mail.subject.contains("KX4M"), "a lock screen must not show the token");
    }
}
