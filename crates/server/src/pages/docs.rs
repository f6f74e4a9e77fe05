//! The reference of the API, for people who write a client. Its words are English; what frames them
//! is not.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// `GET /docs`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Docs {
    /// Where the endpoints are.
    pub(crate) issuer: String,
    /// The server's version.
    pub(crate) version: String,
    /// What holds for all of it.
    pub(crate) text: Vec<DocsBlock>,
    /// The operations, grouped.
    pub(crate) groups: Vec<DocsGroup>,
    /// The pages for people.
    pub(crate) pages: Vec<DocsPage>,
}

/// Operations that belong together.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) text: Vec<DocsBlock>,
    pub(crate) operations: Vec<DocsOperation>,
}

/// One method of one path.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsOperation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) text: Vec<DocsBlock>,
    /// What the caller shows; empty for nothing.
    pub(crate) authentication: Vec<DocsSpan>,
    pub(crate) request: Vec<DocsTable>,
    pub(crate) samples: Vec<DocsSample>,
    pub(crate) answers: Vec<DocsAnswer>,
    pub(crate) errors: Vec<DocsError>,
    /// Errors that go to the client's redirect URI.
    pub(crate) redirected: Vec<DocsError>,
}

/// Parameters or members.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsTable {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: Vec<DocsBlock>,
    pub(crate) fields: Vec<DocsField>,
    /// The same in several places, so it is folded.
    pub(crate) shared: bool,
}

/// One parameter, header or member.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsField {
    pub(crate) name: String,
    /// What kind of value.
    pub(crate) kind: String,
    /// The values that it can have, if they are few.
    pub(crate) values: Vec<String>,
    pub(crate) required: bool,
    pub(crate) text: Vec<DocsSpan>,
}

/// A request or an answer to look at.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsSample {
    pub(crate) label: String,
    pub(crate) source: String,
}

/// An answer that is no error.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsAnswer {
    pub(crate) status: String,
    pub(crate) text: Vec<DocsSpan>,
    pub(crate) kinds: Vec<String>,
    pub(crate) headers: Vec<DocsField>,
    pub(crate) tables: Vec<DocsTable>,
    pub(crate) samples: Vec<DocsSample>,
}

/// One code under one status.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsError {
    /// Empty for an error that comes with a redirect.
    pub(crate) status: String,
    /// Empty for a page.
    pub(crate) code: String,
    pub(crate) texts: Vec<String>,
}

/// A page for people.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DocsPage {
    pub(crate) path: String,
    pub(crate) methods: Vec<String>,
    pub(crate) text: Vec<DocsSpan>,
}

/// A paragraph, or a list of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DocsBlock {
    Paragraph(Vec<DocsSpan>),
    List(Vec<Vec<DocsSpan>>),
}

/// Some words of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DocsSpan {
    Words(String),
    Code(String),
    Strong(String),
}

impl Page for Docs {
    const TEMPLATE: &'static str = "docs.html";

    fn samples() -> Vec<Self> {
        vec![sample("https://login.example.com"), sample(HOSTILE)]
    }
}

/// Every part once, with `text` wherever text can be.
fn sample(text: &str) -> Docs {
    let said = || text.to_owned();
    let spans = || vec![DocsSpan::Words(said()), DocsSpan::Code(said()), DocsSpan::Strong(said())];
    let blocks = || vec![DocsBlock::Paragraph(spans()), DocsBlock::List(vec![spans()])];
    let fields = || {
        let values = vec![said(), said()];
        let one = DocsField { name: said(), kind: said(), values, required: true, text: spans() };
        vec![DocsField { required: false, values: Vec::new(), ..one.clone() }, one]
    };
    let table = |id: &str, shared| DocsTable {
        id: id.to_owned(),
        title: said(),
        text: blocks(),
        fields: fields(),
        shared,
    };
    let samples = || vec![DocsSample { label: said(), source: said() }];
    let answer = DocsAnswer {
        status: "200".to_owned(),
        text: spans(),
        kinds: vec![said()],
        headers: fields(),
        tables: vec![table("answer-open", false), table("answer-shared", true)],
        samples: samples(),
    };
    let error = DocsError { status: "400".to_owned(), code: said(), texts: vec![said(), said()] };
    let bare = DocsError { status: "400".to_owned(), ..DocsError::default() };
    let operation = DocsOperation {
        id: "token".to_owned(),
        method: "POST".to_owned(),
        path: said(),
        summary: said(),
        text: blocks(),
        authentication: spans(),
        request: vec![table("token-code", false), table("token-shared", true)],
        samples: samples(),
        answers: vec![answer],
        errors: vec![error.clone(), bare],
        redirected: vec![DocsError { status: String::new(), ..error }],
    };
    let page = DocsPage { path: said(), methods: vec!["GET".to_owned()], text: spans() };
    Docs {
        issuer: said(),
        version: "0.1.0".to_owned(),
        text: blocks(),
        groups: vec![DocsGroup {
            id: "tokens".to_owned(),
            name: said(),
            text: blocks(),
            operations: vec![operation],
        }],
        pages: vec![page],
    }
}
