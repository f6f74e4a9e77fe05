//! Which language a page speaks: OpenID Connect Core §3.1.2.1 (`ui_locales`), RFC 9110 §12.5.4.

use serde::Serialize;

/// A language that all texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    /// English, where nothing else is asked for.
    #[default]
    En,
    /// German.
    De,
}

impl Language {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its BCP 47 tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// Its texts.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../locales/en.ftl"),
            Self::De => include_str!("../locales/de.ftl"),
        }
    }

    /// `de-AT` is German here.
    fn matching(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }
}

/// The application's wish (`ui_locales`, best first), else the browser's (`Accept-Language`), else
/// English. Neither can be wrong: what is not understood is passed over.
pub(crate) fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Language {
    ui_locales
        .and_then(|wishes| wishes.split_whitespace().find_map(Language::matching))
        .or_else(|| accept_language.and_then(accepted))
        .unwrap_or_default()
}

fn accepted(header: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for range in header.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let Some(language) = parts.next().and_then(Language::matching) else {
            continue;
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, quality);
        if weight > best.map_or(0.0, |(_, heaviest)| heaviest) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

fn quality(text: &str) -> f32 {
    text.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{Language, negotiate};

    #[test]
    fn the_application_is_asked_first_then_the_browser() {
        assert_eq!(negotiate(Some("fr de-AT en"), Some("en")), Language::De);
        assert_eq!(negotiate(Some("fr"), Some("fr;q=1, de;q=0.8, en;q=0.7")), Language::De);
        assert_eq!(negotiate(None, Some("en-GB,en;q=0.9,de;q=0.8")), Language::En);
        assert_eq!(negotiate(None, Some("en;q=0.2, de;q=0.9")), Language::De);
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        for header in ["", "fr", "de;q=0", "de;q=nan", "de;q=7", ";;,,", "*"] {
            assert_eq!(negotiate(None, Some(header)), Language::En, "{header}");
        }
        assert_eq!(negotiate(None, None), Language::En);
    }
}
