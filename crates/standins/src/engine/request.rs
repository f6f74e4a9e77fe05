//! A request as a provider sees it, and the short forms of what it answers.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};

use crate::http::{Answer, Body};

/// Parameters by name.
pub(crate) type Fields = BTreeMap<String, String>;

/// One request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Fields,
    pub(crate) body: Vec<u8>,
    /// What the pattern of the URL caught, such as a tenant.
    pub(crate) vars: Fields,
    /// Where this provider is, without a slash at the end.
    pub(crate) base: String,
}

/// How parameters came in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Form,
    Json,
    Other,
}

impl Request {
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether a header is there and not empty.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.header(&HeaderName::from_static(name)).is_some_and(|value| !value.is_empty())
    }

    /// The media type of the body; parameters such as a charset do not matter.
    pub(crate) fn kind(&self) -> Kind {
        let whole = self.header(&header::CONTENT_TYPE).unwrap_or_default();
        match whole.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Kind::Form,
            "application/json" => Kind::Json,
            _ => Kind::Other,
        }
    }

    /// The parameters of the body; a value that is empty counts as left out.
    pub(crate) fn fields(&self) -> Fields {
        match self.kind() {
            Kind::Form => pairs(&self.body),
            Kind::Json => match serde_json::from_slice::<Map<String, Value>>(&self.body) {
                Ok(all) => all
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, plain(&value)?)))
                    .collect(),
                Err(_) => Fields::new(),
            },
            Kind::Other => Fields::new(),
        }
    }

    /// Whether the caller asks for JSON.
    pub(crate) fn wants_json(&self) -> bool {
        self.header(&header::ACCEPT).is_some_and(|accept| accept.contains("json"))
    }
}

/// The pairs of a query or a form; of a name that comes twice, the first counts.
pub(crate) fn pairs(encoded: &[u8]) -> Fields {
    let mut found = Fields::new();
    for (name, value) in form_urlencoded::parse(encoded).filter(|(_, value)| !value.is_empty()) {
        found.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    found
}

/// A JSON value that a form can have as well.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// JSON with a status by its number.
pub(crate) fn say(status: u16, body: Value) -> Answer {
    Answer::json(number(status), body)
}

/// A status and nothing else.
pub(crate) fn nothing(status: u16) -> Answer {
    Answer { status: number(status), headers: HeaderMap::new(), body: Body::Text(String::new()) }
}

/// A page.
pub(crate) fn page(status: u16, html: String) -> Answer {
    Answer::html(number(status), html)
}

/// Sends the browser on.
pub(crate) fn redirect(to: &str) -> Answer {
    Answer { status: StatusCode::FOUND, ..Answer::see_other(to) }
}

/// The same as a form, as some token endpoints answer; what is not plain is left out.
pub(crate) fn as_form(answer: Answer) -> Answer {
    let Body::Json(Value::Object(fields)) = &answer.body else { return answer };
    let pairs = fields.iter().filter_map(|(name, value)| Some((name, plain(value)?)));
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    let mut answer = Answer { body: Body::Text(form), ..answer };
    answer.headers.insert(header::CONTENT_TYPE, kind);
    answer
}

/// The same, one level further down.
pub(crate) fn nested(mut answer: Answer, below: &str) -> Answer {
    if let Body::Json(inner) = answer.body {
        answer.body = Body::Json(Value::from_iter([(below, inner)]));
    }
    answer
}

fn number(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
