//! Every page, with every sample, in every language: what each of them has to keep.

use std::{collections::BTreeSet, fs};

use super::{
    Brand, ErrorKind, ErrorPage, Frame, Language, Page, Pages, PagesError, Sample, SignInAddress,
    SignInToken, TokenError, templates, texts::Texts,
};

fn pages() -> Pages {
    Pages::new(None, Brand::default()).unwrap()
}

fn each(mut check: impl FnMut(Sample, &str)) {
    pages()
        .each_sample(|sample, html| {
            check(sample, &html?);
            Ok(())
        })
        .unwrap();
}

fn each_page(mut check: impl FnMut(Sample, &str)) {
    each(|sample, html| {
        if !sample.template.starts_with("mail/") {
            check(sample, html);
        }
    });
}

/// The start tags called `name`, attributes and all.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}");
    html.match_indices(&open)
        .map(|(at, _)| &html[at..])
        .filter(|rest| rest[open.len()..].starts_with([' ', '>']))
        .map(|rest| &rest[..=rest.find('>').unwrap()])
        .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// The values of fields, which are data and not markup, taken out.
fn without_values(html: &str) -> String {
    let mut parts = html.split(" value=\"");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |page, part| page + part.split_once('"').unwrap().1)
}

fn forms(html: &str) -> impl Iterator<Item = &str> {
    html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap())
}

#[test]
fn every_page_has_a_language_a_title_and_one_heading() {
    each_page(|sample, html| {
        let language = format!("<html lang=\"{}\">", sample.language.tag());
        assert!(html.contains(&language), "{sample:?}");
        let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(title.ends_with(" · Grantor") && title.len() > 12, "{sample:?}: {title}");
        assert_eq!(tags(html, "h1").len(), 1, "{sample:?}");
        assert!(!html.contains("<h1></h1>"), "{sample:?}");
    });
}

#[test]
fn every_field_has_a_label_and_every_reference_an_element() {
    each_page(|sample, html| {
        for input in tags(html, "input") {
            if attribute(input, "type") != Some("hidden") {
                let id = attribute(input, "id").unwrap();
                assert!(html.contains(&format!("<label for=\"{id}\">")), "{sample:?}: {input}");
                assert!(attribute(input, "autocomplete").is_some(), "{sample:?}: {input}");
            }
        }
        for name in ["aria-describedby", "aria-labelledby"] {
            for part in html.split(&format!(" {name}=\"")).skip(1) {
                for id in part.split('"').next().unwrap().split_whitespace() {
                    assert!(html.contains(&format!(" id=\"{id}\"")), "{sample:?}: {id}");
                }
            }
        }
        let ids: Vec<_> = html.split(" id=\"").skip(1).map(|r| r.split('"').next()).collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{sample:?}");
    });
}

#[test]
fn an_error_is_tied_to_its_field_and_has_the_focus() {
    each_page(|sample, html| {
        if html.contains("class=\"error\"") {
            let wrong = tags(html, "input")
                .into_iter()
                .filter(|input| attribute(input, "aria-invalid") == Some("true"))
                .collect::<Vec<_>>();
            assert!(wrong.iter().any(|input| input.contains(" autofocus")), "{sample:?}");
            assert!(
                wrong.iter().all(|i| attribute(i, "aria-describedby").unwrap().contains("error"))
            );
        }
        assert!(html.matches(" autofocus").count() <= 1, "{sample:?}");
    });
}

#[test]
fn every_post_form_is_protected_except_the_one_that_leaves() {
    each_page(|sample, html| {
        for form in forms(html) {
            let protected =
                form.contains("<input type=\"hidden\" name=\"csrf\" value=\"csrf-sample\">");
            let ours = form.contains("method=\"post\"") && sample.template != "form_post.html";
            assert_eq!(protected, ours, "{sample:?}: {form}");
        }
    });
}

#[test]
fn nothing_inline_that_a_strict_policy_would_refuse() {
    each_page(|sample, html| {
        // A quote in data is escaped, so every second piece is an attribute's value.
        let names: String = html.split('"').step_by(2).collect();
        for tag in names.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            for refused in [" style=", " on"] {
                assert!(!tag.to_ascii_lowercase().contains(refused), "{sample:?}: {tag}");
            }
        }
        assert!(!html.contains("<style") && !html.contains("javascript:"), "{sample:?}");
        for script in tags(html, "script") {
            assert!(attribute(script, "src").unwrap().starts_with("/static/"), "{sample:?}");
        }
        let scripted = ["form_post.html", "callback.html"].contains(&sample.template);
        assert!(!html.contains("></script>") || scripted, "{sample:?}");
    });
}

#[test]
fn hostile_names_stay_text() {
    each(|sample, html| {
        for escape in ["<script>", "<img src=x", "</title><s", " 49 "] {
            assert!(!html.contains(escape), "{sample:?}: {escape:?}");
        }
        assert!(!without_values(html).contains('\u{202e}'), "{sample:?}");
    });
}

#[test]
fn a_value_that_goes_back_is_kept_byte_for_byte() {
    let state = "a\u{202e}b&\"<\u{200b}c";
    let page = super::FormPost {
        action: "https://client.example/cb?a=1&b=2".to_owned(),
        fields: vec![super::HiddenField::new("state", state)],
        client: "Client".to_owned(),
    };
    let html = pages().render(&page, &Frame::sample(Language::En)).unwrap();
    assert!(html.contains("value=\"a\u{202e}b&amp;&quot;&lt;\u{200b}c\""), "{html}");
    let action = attribute(tags(&html, "form")[0], "action").unwrap();
    assert_eq!(action.replace("&#x2f;", "/"), "https://client.example/cb?a=1&amp;b=2");
}

#[test]
fn a_form_without_its_csrf_value_is_not_shown() {
    let frame = Frame { csrf: None, ..Frame::sample(Language::En) };
    let page = &SignInAddress::samples()[0];
    assert!(matches!(pages().render(page, &frame), Err(PagesError::Template { .. })));
    assert!(pages().render(&ErrorPage::new(ErrorKind::NotFound), &frame).is_ok());
}

#[test]
fn tries_are_counted_in_words() {
    let page = SignInToken {
        error: Some(TokenError::Wrong { tries_left: Some(4) }),
        ..SignInToken::samples().remove(0)
    };
    let html = pages().render(&page, &Frame::sample(Language::En)).unwrap();
    assert!(html.contains("That token is not right. Four tries left."), "{html}");
    assert!(html.contains("a•••@example.com"), "{html}");
    let html = pages().render(&page, &Frame::sample(Language::De)).unwrap();
    assert!(html.contains("Dieses Token stimmt nicht. Noch vier Versuche."), "{html}");
}

#[test]
fn a_dead_end_gives_the_request_id() {
    each_page(|sample, html| {
        if ["error.html", "connect_end.html"].contains(&sample.template) {
            assert!(html.contains("01JD7Y3C8Q"), "{sample:?}");
        }
        if sample.template == "error.html" {
            assert!(!html.contains("href=\"/") || html.matches("href=\"/static").count() == 2);
        }
    });
}

#[test]
fn languages_have_the_same_texts_with_the_same_arguments() {
    let shape = |language: Language| {
        let source = language.source();
        let mut key = String::new();
        let mut shape = BTreeSet::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                name.clone_into(&mut key);
                assert!(shape.insert(name.to_owned()), "{name} twice in {language:?}");
            }
            for part in line.split("{ $").skip(1) {
                let variable = part.split([' ', '}']).next().unwrap();
                shape.insert(format!("{key} ${variable}"));
            }
        }
        shape
    };
    assert_eq!(shape(Language::En), shape(Language::De));
}

#[test]
fn every_text_in_a_template_exists_and_every_text_is_used() {
    let texts = Texts::new(Language::En).unwrap();
    let sources = templates::sources();
    let quoted: BTreeSet<&str> = sources
        .split('\'')
        .filter(|part| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
        .collect();
    for (at, call) in sources.match_indices("t('") {
        let key = sources[at + call.len()..].split('\'').next().unwrap();
        let function = !sources[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        assert!(!function || key.ends_with('-') || texts.has(key), "{key}");
    }
    let families = [
        "scope-",
        "provider-scope-",
        "method-",
        "ask-",
        "device-allowed-",
        "device-denied-",
        "error-",
        "confirm-",
        "connect-end-",
        "connections-done-",
        "connections-why-",
        "account-done-",
        "span-",
        "left-",
        "ago-",
    ];
    let spoken_by_code = ["date", "browser-on", "browser-unknown"];
    let keys = Language::En.source().lines().filter_map(|line| {
        line.split_once(" =").map(|(key, _)| key).filter(|key| !key.starts_with([' ', '#']))
    });
    for key in keys {
        let used = quoted.contains(key)
            || families.iter().any(|family| key.starts_with(family))
            || spoken_by_code.contains(&key);
        assert!(used, "{key} is in no template");
    }
}

#[test]
fn the_voice_is_kept() {
    for language in Language::ALL {
        let source = language.source().to_lowercase();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let line = line.split_once('=').map_or(line, |(_, said)| said);
            for word in ["!", "please", "bitte ", "invalid", "oops", "sorry"] {
                assert!(!line.contains(word), "{word}: {line}");
            }
        }
    }
}

#[test]
fn an_operator_can_replace_a_template_and_is_told_of_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("home.html");
    fs::write(&own, "{% extends \"base.html\" %}{% block main %}<h1>Ours</h1>{% endblock %}")
        .unwrap();
    let brand = Brand { operator_name: "Acme & Sons".to_owned(), logo_url: None };
    let pages = Pages::new(Some(folder.path()), brand.clone()).unwrap();
    let html = pages.render(&super::Home::samples()[0], &Frame::sample(Language::En)).unwrap();
    assert!(html.contains("<h1>Ours</h1>") && html.contains("Acme &amp; Sons"), "{html}");

    fs::write(&own, "{{ page.isuer }}").unwrap();
    let error = Pages::new(Some(folder.path()), brand.clone()).unwrap_err().to_string();
    assert!(error.contains("home.html"), "{error}");
    fs::write(&own, "{% if %}").unwrap();
    assert!(Pages::new(Some(folder.path()), brand.clone()).is_err());
    assert!(Pages::new(Some(&folder.path().join("none")), brand).is_err());
}
