//! What the walk reads from pages.

use anyhow::Context as _;

/// The value of the first hidden field with this name.
pub(super) fn field(html: &str, name: &str) -> anyhow::Result<String> {
    let tags = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let mut named = tags.filter(|tag| attribute(tag, "name") == Some(name));
    let value = named.next().and_then(|tag| attribute(tag, "value"));
    let value = value.with_context(|| format!("the page has no field {name:?}"))?;
    Ok(value.replace("&#x2f;", "/").replace("&amp;", "&"))
}

/// The token in the newest mail to `address`, in the form `XXXX-XXXX`.
pub(super) fn token_of(html: &str, address: &str) -> Option<String> {
    let (_, mail) = html.split_once(address)?;
    let words = mail.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let token = |word: &&str| {
        word.len() == 9
            && word.bytes().enumerate().all(|(i, b)| match i {
                4 => b == b'-',
                _ => b.is_ascii_uppercase() || b.is_ascii_digit(),
            })
    };
    words.into_iter().find(token).map(ToOwned::to_owned)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_tokens_are_found() {
        let html =
            r#"<form><input type="hidden" name="csrf" value="a&#x2f;b"><input name="email">"#;
        assert_eq!(field(html, "csrf").expect("there"), "a/b");
        assert!(field(html, "request").is_err());
        let mails = "<li>bob@example.com ABCD-EFGH</li><li>ada@example.com <b>WXYZ-2345</b> ada@example.com JKMN-PQRS</li>";
        assert_eq!(token_of(mails, "ada@example.com").as_deref(), Some("WXYZ-2345"));
        assert_eq!(token_of(mails, "eve@example.com"), None);
    }
}
