//! What a browser reads out of a page: its forms, their fields and its links.

/// A form of a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// Where it goes.
    pub(crate) action: String,
    /// `get` or `post`.
    pub(crate) method: String,
    /// Names and values of its inputs, without the buttons.
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// With `name` filled in.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Without `name`.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self
    }

    /// The value of `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Every form of a page.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    html.split("<form").skip(1).map(form).collect()
}

/// An attribute of the first tag with this name that has it.
pub(crate) fn attribute_of(html: &str, tag: &str, name: &str) -> Option<String> {
    tags(html, tag).iter().find_map(|tag| attribute(tag, name))
}

fn form(text: &str) -> Form {
    let inside = text.split("</form>").next().unwrap_or_default();
    let head = inside.split('>').next().unwrap_or_default();
    let field = |tag: &String| {
        let value = attribute(tag, "value").unwrap_or_default();
        attribute(tag, "name").map(|name| (name, value))
    };
    Form {
        action: attribute(head, "action").unwrap_or_default(),
        method: attribute(head, "method").unwrap_or_else(|| "get".to_owned()),
        fields: tags(inside, "input").iter().filter_map(field).collect(),
    }
}

/// The insides of every tag `<name …>`.
fn tags(html: &str, name: &str) -> Vec<String> {
    let opening = format!("<{name} ");
    let starts = html.split(&opening).skip(1);
    starts.map(|rest| rest.split('>').next().unwrap_or_default().to_owned()).collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split('"').next().map(unescape)
}

/// Character references as the templates write them.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&#x2F;", "/")
        .replace("&amp;", "&")
}
