//! The little CommonMark that descriptions use: paragraphs, lists, `code` and **strong**.

use crate::pages::{DocsBlock, DocsSpan};

/// Paragraphs and lists.
pub(super) fn blocks(text: &str) -> Vec<DocsBlock> {
    let parts = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_prefix("- ") {
            Some(items) => DocsBlock::List(items.split("\n- ").map(spans).collect()),
            None => DocsBlock::Paragraph(spans(part)),
        })
        .collect()
}

/// The words of a sentence.
pub(super) fn spans(text: &str) -> Vec<DocsSpan> {
    let mut spans = Vec::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            spans.push(DocsSpan::Code(part.to_owned()));
            continue;
        }
        for (number, part) in part.split("**").enumerate().filter(|(_, part)| !part.is_empty()) {
            let words = part.to_owned();
            spans.push(match number % 2 {
                1 => DocsSpan::Strong(words),
                _ => DocsSpan::Words(words),
            });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::{blocks, spans};
    use crate::pages::{DocsBlock, DocsSpan};

    #[test]
    fn code_and_strong_words_are_told_from_others() {
        let words = |text: &str| DocsSpan::Words(text.to_owned());
        let found = spans("**Note** a `b*c` d");
        let wanted = [
            DocsSpan::Strong("Note".into()),
            words(" a "),
            DocsSpan::Code("b*c".into()),
            words(" d"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_empty_line_parts_paragraphs_and_lists() {
        let found = blocks("One.\n\n- a\n- b\n\nTwo.");
        assert!(matches!(&found[..], [
            DocsBlock::Paragraph(_),
            DocsBlock::List(items),
            DocsBlock::Paragraph(_)
        ] if items.len() == 2));
    }
}
