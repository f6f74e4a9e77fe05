//! The two pages of a provider: who are you and may this be, and an error.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

use super::people::PEOPLE;
use super::request::Fields;

const SIGN_IN: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in: {{ provider }}</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>{{ provider }}, a stand-in</h1>
<p>An application asks for: {% for scope in scopes %}<code>{{ scope }}</code> {% else %}nothing in
particular{% endfor %}</p>
<form method="get">
{% for name, value in asked|items %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}
<p><label>I am <select name="as">{% for person in people %}
<option value="{{ person.0 }}">{{ person.1 }}</option>{% endfor %}</select></label></p>
<p><button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button></p>
</form></main></body></html>
"#;

const ERROR: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ code }}</title></head>
<body><main><h1>{{ code }}</h1><p>{{ text }}</p></main></body></html>
"#;

pub(crate) fn sign_in(provider: &str, scopes: &[String], asked: &Fields) -> String {
    let people = PEOPLE.each_ref().map(|person| (person.key, person.name));
    let (scopes, asked, people) = (Serde(scopes), Serde(asked), Serde(people));
    render(SIGN_IN, context! { provider, scopes, asked, people })
}

pub(crate) fn error(code: &str, text: &str) -> String {
    render(ERROR, context! { code, text })
}

fn render(template: &str, values: minijinja::Value) -> String {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    pages.render_str(template, values).unwrap_or_else(|problem| {
        tracing::error!(%problem, "a page could not be made");
        String::new()
    })
}
