//! The texts of one language, and the template functions that speak it.

use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use minijinja::{Environment, Error, ErrorKind, Value, value::Kwargs};

use super::{Language, PagesError, browser::Browser, text, time};

/// A name longer than this is cut where it stands in a sentence.
const NAME_CAP: usize = 80;

/// One language, parsed.
pub(super) struct Texts {
    bundle: FluentBundle<FluentResource>,
}

/// A text that is not there, or that wants an argument it was not given.
#[derive(Debug, thiserror::Error)]
#[error("text {key}: {problem}")]
pub(super) struct TextError {
    key: String,
    problem: String,
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self::new(ErrorKind::InvalidOperation, error.to_string())
    }
}

impl Texts {
    /// Parses the embedded file.
    pub(super) fn new(language: Language) -> Result<Self, PagesError> {
        let broken = |problem: String| PagesError::Texts { language: language.tag(), problem };
        let resource = FluentResource::try_new(language.source().to_owned())
            .map_err(|(_, errors)| broken(format!("{errors:?}")))?;
        let tag = language.tag().parse().map_err(|error| broken(format!("{error:?}")))?;
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // The templates put names from outside into `<bdi>` or clean them of overrides.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| broken(format!("{errors:?}")))?;
        Ok(Self { bundle })
    }

    /// Whether there is a text of that name.
    pub(super) fn has(&self, key: &str) -> bool {
        self.bundle.get_message(key).is_some_and(|message| message.value().is_some())
    }

    /// The text with its arguments in place.
    pub(super) fn say<'a>(
        &self,
        key: &str,
        arguments: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> Result<String, TextError> {
        let wrong = |problem: String| TextError { key: key.to_owned(), problem };
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| wrong("there is none of that name".to_owned()))?;
        let arguments: FluentArgs<'_> = arguments.into_iter().collect();
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        match errors.first() {
            None => Ok(said.into_owned()),
            Some(error) => Err(wrong(error.to_string())),
        }
    }
}

/// Teaches the templates a language: `t('key', name=…)`, `has_text`, `lifetime`, `left`, `wait`,
/// `moment`, `browser`.
pub(super) fn speak(
    mut environment: Environment<'static>,
    language: Language,
) -> Result<Environment<'static>, PagesError> {
    let texts = Arc::new(Texts::new(language)?);
    let speaker = Arc::clone(&texts);
    environment.add_function("t", move |key: &str, given: Kwargs| translate(&speaker, key, &given));
    let speaker = Arc::clone(&texts);
    environment.add_function("has_text", move |key: &str| speaker.has(key));
    let speaker = Arc::clone(&texts);
    environment.add_function("lifetime", move |seconds: u64| {
        time::lifetime(seconds, &speaker).map_err(Error::from)
    });
    let speaker = Arc::clone(&texts);
    environment.add_function("left", move |seconds: u64| {
        time::left(seconds, &speaker).map_err(Error::from)
    });
    let speaker = Arc::clone(&texts);
    environment.add_function("wait", move |seconds: u64| {
        time::wait(seconds, &speaker).map_err(Error::from)
    });
    let speaker = Arc::clone(&texts);
    environment.add_function("moment", move |at: i64, now: i64| {
        time::moment(at, now, &speaker).map_err(Error::from)
    });
    environment.add_function("browser", move |header: &str| describe(&texts, header));
    Ok(environment)
}

fn translate(texts: &Texts, key: &str, given: &Kwargs) -> Result<String, Error> {
    let mut arguments = Vec::new();
    for name in given.args() {
        let value: Value = given.get(name)?;
        arguments.push((name, argument(&value)));
    }
    texts.say(key, arguments).map_err(Error::from)
}

fn argument(value: &Value) -> FluentValue<'static> {
    match value.as_i64() {
        Some(number) if value.is_number() => FluentValue::from(number),
        _ => FluentValue::from(text::line(&value.to_string(), NAME_CAP)),
    }
}

fn describe(texts: &Texts, header: &str) -> Result<String, Error> {
    let said = match Browser::of(header) {
        Browser { name: Some(name), system: Some(system) } => texts.say(
            "browser-on",
            [("name", FluentValue::from(name)), ("system", FluentValue::from(system))],
        ),
        Browser { name: Some(only), system: None } | Browser { name: None, system: Some(only) } => {
            Ok(only.to_owned())
        }
        Browser { name: None, system: None } => texts.say("browser-unknown", []),
    };
    said.map_err(Error::from)
}
