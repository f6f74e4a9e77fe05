//! How the pages look: contrast of the colours, and every page as a file to open in a browser.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::{Brand, Pages, asset};

const TEXT: [(&str, &str); 16] = [
    ("ink", "paper"),
    ("ink", "ground"),
    ("muted", "paper"),
    ("muted", "ground"),
    ("accent", "paper"),
    ("accent", "ground"),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-hover"),
    ("danger", "paper"),
    ("danger-ink", "danger"),
    ("danger-ink", "danger-hover"),
    ("warning", "paper"),
    ("warning", "ground"),
    ("danger", "ground"),
];

fn css() -> String {
    String::from_utf8(asset("any/grantor.css").unwrap().bytes.into_owned()).unwrap()
}

/// The colours of the first `:root` block in `css`.
fn colours(css: &str) -> BTreeMap<&str, [f64; 3]> {
    let block = css.split(":root {").nth(1).unwrap().split('}').next().unwrap();
    block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"))
        .map(|(name, hex)| {
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            (name, [part(0), part(2), part(4)])
        })
        .collect()
}

/// WCAG 2.2, "relative luminance" and "contrast ratio".
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |channel: f64| {
        let share = channel / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let luminance =
        |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn colours_can_be_read_in_light_and_dark() {
    let css = css();
    let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
    for (scheme, colours) in [("light", colours(light)), ("dark", colours(dark))] {
        for (text, behind) in TEXT {
            let ratio = contrast(colours[text], colours[behind]);
            assert!(ratio >= 4.5, "{scheme}: {text} on {behind} has only {ratio:.2} : 1");
        }
        let border = contrast(colours["field"], colours["paper"]);
        assert!(border >= 3.0, "{scheme}: the border of a field has only {border:.2} : 1");
    }
}

#[test]
fn focus_stays_visible_and_motion_can_be_switched_off() {
    let css = css();
    assert!(css.contains(":focus-visible") && css.contains("prefers-reduced-motion"));
    assert!(!css.contains("outline: none") && !css.contains("outline: 0"));
    assert!(!css.contains("url(") && !css.contains("@import") && !css.contains("gradient"));
}

/// `GRANTOR_PAGES_OUT=folder cargo test -p grantor pages_as_files`
#[test]
fn pages_as_files() {
    let Some(folder) = std::env::var_os("GRANTOR_PAGES_OUT").map(PathBuf::from) else {
        return;
    };
    fs::create_dir_all(&folder).unwrap();
    for name in ["grantor.css", "docs.css", "icon.svg", "submit.js", "callback.js"] {
        let bytes = asset(&format!("any/{name}")).unwrap().bytes;
        fs::write(folder.join(name), bytes).unwrap();
    }
    Pages::new(None, Brand::default())
        .unwrap()
        .each_sample(|sample, html| {
            let page = sample.template.trim_end_matches(".html").replace('/', "_");
            let name = format!("{page}_{}_{}.html", sample.number, sample.language.tag());
            fs::write(folder.join(name), beside(&html?)).unwrap();
            Ok(())
        })
        .unwrap();
}

/// Asks for the static files in the same folder.
fn beside(html: &str) -> String {
    let escaped = html.replace("&#x2f;static&#x2f;", "/static/");
    let mut parts = escaped.split("/static/");
    let first = parts.next().unwrap_or_default().to_owned();
    parts
        .fold(first, |page, part| page + part.trim_start_matches("&#x2f;").get(16..).unwrap())
        .replace("\"&#x2f;", "\"")
        .replace("\"/grantor", "\"grantor")
        .replace("\"/docs.css", "\"docs.css")
        .replace("\"/icon", "\"icon")
        .replace("\"/submit", "\"submit")
        .replace("\"/callback", "\"callback")
}
