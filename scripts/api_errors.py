"""The errors that the OpenAPI document names, against the table in crates/core/src/error.rs."""

import re

from demo import ROOT

TABLE = ROOT / "crates/core/src/error.rs"
CODE = re.compile(r"^    (\w+) = \"(\w+)\", (\d+);", re.MULTILINE)
REFUSAL = re.compile(r"^    \w+ \{.*?\} => (\w+), \".*?\", \"(.*?)\";", re.MULTILINE)
# Answered outside the core: faults, and what is not there.
OTHERS = {"internal_server_error", "temporarily_unavailable", "server_error", "not_found", "method_not_allowed"}


def problems(document: dict) -> list[str]:
    source = TABLE.read_text(encoding="utf-8")
    names = {name: code for name, code, _ in CODE.findall(source)}
    texts = [(names[name], re.compile(wild(text))) for name, text in REFUSAL.findall(source)]
    named = set(errors(document))
    found = [
        f"openapi: no refusal of error.rs is {code}: {text!r}"
        for code, text in sorted(named)
        if code not in OTHERS and not any(own == code and pattern.fullmatch(text) for own, pattern in texts)
    ]
    missing = {code for code, _ in texts} - {code for code, _ in named}
    return found + [f"openapi: nothing answers {code}, which error.rs has" for code in sorted(missing)]


def wild(text: str) -> str:
    return ".+".join(re.escape(part) for part in re.split(r"\{\w+\}", text))


def errors(node):
    """Every (code, text) of the examples and of the errors that come with a redirect."""
    if isinstance(node, dict):
        value = node.get("value")
        if isinstance(value, dict) and "error_description" in value:
            yield value["error"], value["error_description"]
        for code, texts in node.get("x-redirect-errors", {}).items():
            for text in [texts] if isinstance(texts, str) else texts:
                yield code, text
        for own in node.values():
            yield from errors(own)
    elif isinstance(node, list):
        for own in node:
            yield from errors(own)
