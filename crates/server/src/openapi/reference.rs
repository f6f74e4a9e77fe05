//! The document as the page `/docs` shows it.

use serde_json::{Map, Value};

use super::METHODS;
use super::prose::{blocks, spans};
use crate::pages::{
    Docs, DocsAnswer, DocsError, DocsField, DocsGroup, DocsOperation, DocsPage, DocsSample,
    DocsSpan, DocsTable,
};

/// The page of a document.
pub(super) fn reference(document: &Value) -> Docs {
    let reader = Reader { document };
    let groups = items(&document["tags"]).map(|tag| reader.group(tag));
    let pages = items(&document["x-pages"]).map(|page| DocsPage {
        path: text(&page["path"]),
        methods: items(&page["methods"]).map(text).collect(),
        text: spans(&text(&page["summary"])),
    });
    Docs {
        issuer: text(&document["servers"][0]["url"]),
        version: text(&document["info"]["version"]),
        text: blocks(&text(&document["info"]["description"])),
        groups: groups.collect(),
        pages: pages.collect(),
    }
}

struct Reader<'a> {
    document: &'a Value,
}

impl<'a> Reader<'a> {
    fn group(&self, tag: &Value) -> DocsGroup {
        let mut operations = Vec::new();
        for (path, own) in members(&self.document["paths"]) {
            for method in METHODS {
                let operation = &own[method];
                if items(&operation["tags"]).any(|named| *named == tag["name"]) {
                    operations.push(self.operation(path, &own["parameters"], method, operation));
                }
            }
        }
        let name = text(&tag["name"]);
        let id = name.to_lowercase().replace(' ', "-");
        DocsGroup { id, name, text: blocks(&text(&tag["description"])), operations }
    }

    fn operation(
        &self,
        path: &str,
        shared: &'a Value,
        method: &str,
        own: &'a Value,
    ) -> DocsOperation {
        let id = text(&own["operationId"]);
        let mut request: Vec<_> = ["path", "query", "header"]
            .into_iter()
            .filter_map(|place| self.parameters(&id, place, [shared, &own["parameters"]]))
            .collect();
        let body = self.resolve(&own["requestBody"]);
        for (number, (kind, content)) in members(&body["content"]).enumerate() {
            let id = format!("{id}-body-{number}");
            let title = match kind {
                "application/json" => "In the body, as JSON",
                _ => "In the body, as a form",
            };
            request.extend(self.tables(&id, title, &content["schema"]));
        }
        let (answers, errors) = self.responses(&id, &own["responses"]);
        let redirected = members(&own["x-redirect-errors"]);
        DocsOperation {
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&own["summary"]),
            text: blocks(&text(&own["description"])),
            authentication: self.authentication(own),
            request,
            samples: samples(&own["x-codeSamples"]),
            answers,
            errors,
            redirected: redirected.map(|(code, told)| error("", code, told)).collect(),
            id,
        }
    }

    fn parameters(&self, id: &str, place: &str, lists: [&'a Value; 2]) -> Option<DocsTable> {
        let all = lists.into_iter().flat_map(items).map(|parameter| self.resolve(parameter));
        let here = all.filter(|parameter| parameter["in"] == place);
        let fields: Vec<_> = here
            .map(|parameter| {
                let required = parameter["required"] == true;
                self.field(&text(&parameter["name"]), &parameter["schema"], parameter, required)
            })
            .collect();
        let title = format!("In the {place}");
        let id = format!("{id}-{place}");
        (!fields.is_empty()).then(|| DocsTable { id, title, fields, ..DocsTable::default() })
    }

    /// The schema's own members, then one table for each alternative, then what it shares.
    fn tables(&self, id: &str, title: &str, schema: &'a Value) -> Vec<DocsTable> {
        let schema = self.resolve(schema);
        let mut tables = Vec::new();
        let fields = self.fields(schema);
        let described = schema["description"].is_string() && schema["oneOf"].is_null();
        if !fields.is_empty() || described {
            let text = blocks(&text(&schema["description"]));
            let title = title.to_owned();
            tables.push(DocsTable { id: id.to_owned(), title, text, fields, shared: false });
        }
        for (list, shared) in [("oneOf", false), ("allOf", true)] {
            for (number, part) in items(&schema[list]).enumerate() {
                let part = self.resolve(part);
                tables.push(DocsTable {
                    id: format!("{id}-{list}-{number}"),
                    title: text(&part["title"]),
                    text: blocks(&text(&part["description"])),
                    fields: self.fields(part),
                    shared,
                });
            }
        }
        tables
    }

    fn fields(&self, schema: &'a Value) -> Vec<DocsField> {
        let named = members(&schema["properties"]);
        named
            .map(|(name, member)| {
                let required = items(&schema["required"]).any(|own| own == name);
                self.field(name, member, self.described(member), required)
            })
            .collect()
    }

    fn field(&self, name: &str, schema: &'a Value, about: &Value, required: bool) -> DocsField {
        let schema = self.resolve(schema);
        let mut values: Vec<String> = items(&schema["enum"]).map(text).collect();
        values.extend(schema.get("const").map(text));
        DocsField {
            name: name.to_owned(),
            kind: if values.is_empty() { self.kind(schema) } else { String::new() },
            values,
            required,
            text: spans(&text(&about["description"])),
        }
    }

    /// What kind of value, in words.
    fn kind(&self, schema: &'a Value) -> String {
        let kind = &schema["type"];
        match (kind.as_str().or(kind[0].as_str()), schema["format"].as_str()) {
            (Some("string"), Some("uri")) => "URL".to_owned(),
            (Some("string"), _) => "text".to_owned(),
            (Some("integer"), _) => "number".to_owned(),
            (Some("boolean"), _) => "true or false".to_owned(),
            (Some("array"), _) => {
                let one = self.resolve(&schema["items"]);
                match items(&one["enum"]).next() {
                    Some(_) => "list".to_owned(),
                    None => format!("list of {}", self.kind(one)),
                }
            }
            (Some("object"), _) => "object".to_owned(),
            (_, _) => String::new(),
        }
    }

    /// Successes one by one, with what they hold; errors as a table.
    fn responses(&self, id: &str, responses: &'a Value) -> (Vec<DocsAnswer>, Vec<DocsError>) {
        let (mut answers, mut errors) = (Vec::new(), Vec::new());
        for (status, response) in members(responses) {
            let response = self.resolve(response);
            if status.starts_with(['2', '3']) {
                answers.push(self.answer(&format!("{id}-{status}"), status, response));
                continue;
            }
            let examples = &response["content"]["application/json"]["examples"];
            let mut codes: Vec<DocsError> = Vec::new();
            for (_, example) in members(examples) {
                let (code, told) = (text(&example["value"]["error"]), text(&example["summary"]));
                match codes.last_mut().filter(|last| last.code == code) {
                    Some(last) => last.texts.push(told),
                    None => codes.push(error(status, &code, &Value::String(told))),
                }
            }
            if codes.is_empty() {
                codes.push(error(status, "", &response["description"]));
            }
            errors.extend(codes);
        }
        (answers, errors)
    }

    fn answer(&self, id: &str, status: &str, response: &'a Value) -> DocsAnswer {
        let headers = members(&response["headers"]).map(|(name, header)| {
            let header = self.resolve(header);
            self.field(name, &header["schema"], header, false)
        });
        let (mut tables, mut shown) = (Vec::new(), Vec::new());
        for (_, content) in members(&response["content"]) {
            let schema = self.resolve(&content["schema"]);
            if schema["type"] == "object" {
                tables.extend(self.tables(id, "Members", schema));
            }
            let examples = members(&content["examples"]);
            shown.extend(examples.map(|(_, one)| sample(&text(&one["summary"]), &one["value"])));
            shown.extend(content.get("example").map(|value| sample("", value)));
        }
        DocsAnswer {
            status: status.to_owned(),
            text: spans(&text(&response["description"])),
            kinds: members(&response["content"]).map(|(kind, _)| kind.to_owned()).collect(),
            headers: headers.collect(),
            tables,
            samples: shown,
        }
    }

    /// In the words of the schemes, unless the operation has its own.
    fn authentication(&self, operation: &Value) -> Vec<DocsSpan> {
        let mut told = spans(&text(&operation["x-authentication"]));
        if !told.is_empty() {
            return told;
        }
        for (name, scopes) in items(&operation["security"]).flat_map(members) {
            let scheme = &self.document["components"]["securitySchemes"][name];
            told.extend(spans(&text(&scheme["x-label"])));
            for scope in items(scopes) {
                told.push(DocsSpan::Words(" with the scope ".to_owned()));
                told.push(DocsSpan::Code(text(scope)));
            }
        }
        told
    }

    /// A reference may have a description of its own.
    fn described(&self, schema: &'a Value) -> &'a Value {
        if schema["description"].is_string() { schema } else { self.resolve(schema) }
    }

    fn resolve(&self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }
}

fn samples(list: &Value) -> Vec<DocsSample> {
    let one = |own: &Value| DocsSample { label: text(&own["label"]), source: text(&own["source"]) };
    items(list).map(one).collect()
}

fn sample(label: &str, value: &Value) -> DocsSample {
    DocsSample { label: label.to_owned(), source: format!("{value:#}") }
}

fn error(status: &str, code: &str, told: &Value) -> DocsError {
    let texts = match told {
        Value::Array(texts) => texts.iter().map(text).collect(),
        one => vec![text(one)],
    };
    DocsError { status: status.to_owned(), code: code.to_owned(), texts }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, own)| (name.as_str(), own))
}
