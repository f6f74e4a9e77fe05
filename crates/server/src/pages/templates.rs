//! The template engine: strict, escaping, embedded templates with the operator's own over them.

use std::{fs, io, path::Path};

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
    syntax::SyntaxConfig,
};
use rust_embed::Embed;

use super::{PagesError, assets, text, time};

#[derive(Embed)]
#[folder = "src/templates"]
struct Files;

/// Everything that does not depend on a language.
pub(super) fn environment(override_dir: Option<&Path>) -> Result<Environment<'static>, PagesError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(format);
    environment.set_syntax(syntax()?);
    environment.add_function("asset", |name: &str| {
        assets::url(name).map(Value::from_safe_string).ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, format!("there is no static file {name}"))
        })
    });
    environment.add_function("exact", time::exact);
    environment.add_filter("mask", |address: &str| text::mask(address));
    environment.add_filter("scope_key", |name: &str| text::scope_key(name));
    environment.add_filter("line", |name: &str, cap: usize| text::line(name, cap));
    environment.add_test("web", |url: &str| text::is_web(url));
    for name in Files::iter() {
        let source = source(override_dir, &name)?;
        environment
            .add_template_owned(name.to_string(), source)
            .map_err(|source| PagesError::Template { name: name.to_string(), source })?;
    }
    Ok(environment)
}

/// Blocks on lines of their own leave no empty lines; a mail part keeps its last line break.
fn syntax() -> Result<SyntaxConfig, PagesError> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|source| PagesError::Template { name: "*".to_owned(), source })
}

/// All embedded templates in one text.
#[cfg(test)]
pub(super) fn sources() -> String {
    Files::iter().map(|name| embedded(&name)).collect()
}

fn source(override_dir: Option<&Path>, name: &str) -> Result<String, PagesError> {
    let Some(dir) = override_dir else {
        return Ok(embedded(name));
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PagesError::Folder { path, source }
    };
    if !fs::metadata(dir).map_err(failed(dir))?.is_dir() {
        return Err(failed(dir)(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let path = dir.join(name);
    match fs::read_to_string(&path) {
        Ok(own) => Ok(own),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(embedded(name)),
        Err(error) => Err(failed(&path)(error)),
    }
}

fn embedded(name: &str) -> String {
    let bytes = Files::get(name).map(|file| file.data).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Escapes as ever, after two things that no template can then forget: text from outside loses the
/// characters that turn it around, and a value that is not there is a mistake, not the word "none".
/// A safe string (`|e`) goes out as it is, for values that must arrive byte for byte.
fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value that is not there is printed"));
    }
    match value.as_str() {
        Some(raw) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(text::clean(raw).as_ref()))
        }
        _ => escape_formatter(out, state, value),
    }
}
