#!/usr/bin/env python3
"""Write docs/api.md: the OpenAPI document of a running demo, with what its examples really answer.

`scripts/api_docs.py` writes it, `scripts/api_docs.py --check` says where the one that is there
differs. Every example of the document is run, in the order of scripts/api_examples.py; values that
differ from run to run (tokens, ids, times) are written in one way. Run it with a Python that has
`requests` and `jwcrypto`, as scripts/test does. GRANTOR_BIN is the program, GRANTOR_DOCS_PORT the port
(default 25070). Also compares the texts of errors with crates/core/src/error.rs.
"""

import difflib
import os
import re
import sys

import api_errors
import api_examples
from demo import ROOT, Demo

PAPER = ROOT / "docs/api.md"
METHODS = ("get", "post", "put", "delete")
# Answered by the router, whatever else is at the URL.
EVERYWHERE = {
    "method_not_allowed": ("405", "every URL, for a method that it does not take"),
    "not_found": ("404", "a URL that is not there"),
}
INTRO = """# The API

<!-- Made by scripts/api_docs.py from crates/server/src/openapi/ and a running demo. Change those. -->

"""


def main() -> int:
    port = int(os.environ.get("GRANTOR_DOCS_PORT", "25070"))
    with Demo(port, ROOT / "scripts/api_docs.toml") as demo:
        examples = api_examples.Examples(demo)
        problems = examples.run()
        document = examples.document
    problems += api_errors.problems(document)
    paper = examples.shown(Paper(document, examples).text())
    if "--check" in sys.argv[1:]:
        old = PAPER.read_text(encoding="utf-8") if PAPER.exists() else ""
        if old != paper:
            names = ("docs/api.md", "what is answered")
            diff = difflib.unified_diff(old.splitlines(), paper.splitlines(), *names, lineterm="", n=2)
            problems.append("\n".join([*diff, "docs/api.md is old, or an answer has changed: scripts/api_docs.py"]))
    else:
        PAPER.write_text(paper, encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"docs/api.md: {len(examples.answers)} examples ran, {len(problems)} problems")
    return 1 if problems else 0


class Paper:
    """The document as Markdown."""

    def __init__(self, document: dict, examples: api_examples.Examples):
        self.document, self.examples = document, examples
        self.here = ""  # the operation
        self.told: dict[str, str] = {}  # schema → the operation where it is told

    def text(self) -> str:
        parts = [INTRO + self.document["info"]["description"]]
        parts.append(
            "The same is at `/docs` of a running server, with its own address, and at `/openapi.json` "
            "(OpenAPI 3.1) for programs. The examples below ran against `grantor demo`, with the settings of "
            "`scripts/api_docs.toml`; long values are shortened to `…`."
        )
        parts.append(self.contents())
        for tag in self.document["tags"]:
            parts += [f"## {tag['name']}", tag["description"]]
            for path, method, operation in self.operations(tag["name"]):
                parts += self.operation(path, method, operation)
        parts += self.pages() + self.codes()
        return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"

    def operations(self, tag: str):
        for path, own in self.document["paths"].items():
            for method in METHODS:
                if method in own and tag in own[method]["tags"]:
                    merged = own[method] | {
                        "parameters": own.get("parameters", []) + own[method].get("parameters", [])
                    }
                    yield path, method, merged

    def contents(self) -> str:
        lines = []
        for tag in self.document["tags"]:
            lines.append(f"- [{tag['name']}](#{anchor(tag['name'])})")
            for path, method, operation in self.operations(tag["name"]):
                name = heading(path, method)
                lines.append(f"  - [`{name}`](#{anchor(name)}) {operation['summary']}")
        return "\n".join(lines + ["- [Pages](#pages)", "- [Error codes](#error-codes)"])

    def operation(self, path: str, method: str, own: dict) -> list[str]:
        self.here = heading(path, method)
        parts = [f"### {self.here}", f"**{own['summary']}.** " + own["description"]]
        parts.append(f"Authentication: {self.authentication(own)}")
        for place in ("path", "query", "header"):
            parts += self.parameters(place, own["parameters"])
        for kind, content in self.resolve(own.get("requestBody", {})).get("content", {}).items():
            title = "In the body, as JSON" if kind == "application/json" else "In the body, as a form"
            parts += self.tables(title, content["schema"])
        for sample in own["x-codeSamples"]:
            parts += self.sample(own["operationId"], sample)
        parts += self.answers(own)
        return parts

    def authentication(self, own: dict) -> str:
        if "x-authentication" in own:
            return own["x-authentication"]
        told = []
        for one in own["security"]:
            for name, scopes in one.items():
                label = self.document["components"]["securitySchemes"][name]["x-label"]
                told.append(label + "".join(f" with the scope `{scope}`." for scope in scopes))
        return " ".join(told) or "none."

    def parameters(self, place: str, all_of_them: list) -> list[str]:
        here = [own for own in map(self.resolve, all_of_them) if own["in"] == place]
        rows = [
            self.row(own["name"], own["schema"], own["description"], own.get("required", False)) for own in here
        ]
        return [f"In the {place}:", table(rows)] if rows else []

    def tables(self, title: str, schema: dict) -> list[str]:
        """The schema's own members, then those of its parts; what was told before is only named."""
        if elsewhere := self.elsewhere(schema):
            return [f"{title}: {elsewhere}"]
        schema = self.resolve(schema)
        parts = []
        rows = self.rows(schema)
        if rows or ("description" in schema and "oneOf" not in schema):
            parts += [f"{title}:", schema.get("description", ""), table(rows) if rows else ""]
        for part in schema.get("oneOf", []) + schema.get("allOf", []):
            elsewhere, part = self.elsewhere(part), self.resolve(part)
            if elsewhere:
                parts.append(f"*{part['title']}*, {elsewhere}")
            else:
                parts += [f"*{part['title']}.* {part['description']}", table(self.rows(part))]
        return parts

    def elsewhere(self, schema: dict) -> str:
        """Where the schema was told before, if it was."""
        name = schema.get("$ref", "")
        before = self.told.get(name)
        if name and not before:
            self.told[name] = self.here
        if not before:
            return ""
        return "as above." if before == self.here else f"as at [`{before}`](#{anchor(before)})."

    def rows(self, schema: dict) -> list[str]:
        required = schema.get("required", [])
        return [
            self.row(name, own, own.get("description") or self.resolve(own).get("description", ""), name in required)
            for name, own in schema.get("properties", {}).items()
            if own is not False
        ]

    def row(self, name: str, schema: dict, text: str, required: bool) -> str:
        schema = self.resolve(schema)
        values = [f"`{own}`" for own in [*schema.get("enum", []), schema.get("const")] if own is not None]
        kind = ", ".join(values) or self.kind(schema)
        return f"| `{name}` | {kind} | {'yes' if required else ''} | {cell(text)} |"

    def kind(self, schema: dict) -> str:
        if isinstance(schema.get("type"), list):
            schema = schema | {"type": schema["type"][0]}
        match schema:
            case {"type": "string", "format": "uri"}:
                return "URL"
            case {"type": "string"}:
                return "text"
            case {"type": "integer"}:
                return "number"
            case {"type": "boolean"}:
                return "true or false"
            case {"type": "array", "items": items}:
                one = self.resolve(items)
                return "list" if "enum" in one else f"list of {self.kind(one)}"
            case {"type": "object"}:
                return "object"
        return ""

    def sample(self, operation: str, sample: dict) -> list[str]:
        answer = self.examples.answers.get((operation, sample["label"]))
        command = self.examples.shown(sample["source"])
        parts = [f"{sample['label']}:", f"```sh\n{command}\n```"]
        return parts + ([f"```http\n{answer}\n```"] if answer else [])

    def answers(self, own: dict) -> list[str]:
        good, bad, tables = [], [], []
        for status, response in own["responses"].items():
            response = self.resolve(response)
            if status.startswith(("2", "3")):
                good.append(f"| {status} | {cell(response['description'])} | {self.headers(response)} |")
                for content in response.get("content", {}).values():
                    tables += self.tables(f"Members of the answer {status}", content["schema"])
            else:
                bad += self.errors(status, response)
        for code, texts in own.get("x-redirect-errors", {}).items():
            bad.append(f"| redirect | `{code}` | {lines(texts)} |")
        head = ["| Status | Answer | Headers |", "|---|---|---|"]
        parts = ["\n".join(head + good), *tables]
        if bad:
            parts.append("\n".join(["| Status | `error` | `error_description` |", "|---|---|---|", *bad]))
        return parts

    def headers(self, response: dict) -> str:
        return ", ".join(f"`{name}`" for name in response.get("headers", {}))

    def errors(self, status: str, response: dict) -> list[str]:
        codes: dict[str, list[str]] = {}
        for kind in response.get("content", {}).values():
            for example in kind.get("examples", {}).values():
                codes.setdefault(example["value"]["error"], []).append(example["summary"])
        if not codes:
            return [f"| {status} | | {cell(response['description'])} |"]
        return [f"| {status} | `{code}` | {lines(texts)} |" for code, texts in codes.items()]

    def pages(self) -> list[str]:
        rows = [
            f"| `{page['path']}` | {', '.join(page['methods'])} | {cell(page['summary'])} |"
            for page in self.document["x-pages"]
        ]
        head = ["| Path | Methods | What it is |", "|---|---|---|"]
        return ["## Pages", "For people at a browser. Programs have no use for them.", "\n".join(head + rows)]

    def codes(self) -> list[str]:
        found: dict[str, set] = {}
        for tag in self.document["tags"]:
            for path, method, own in self.operations(tag["name"]):
                for status, response in own["responses"].items():
                    for kind in self.resolve(response).get("content", {}).values():
                        for example in kind.get("examples", {}).values():
                            if "error" in example["value"]:
                                found.setdefault(example["value"]["error"], set()).add((status, heading(path, method)))
                for code in own.get("x-redirect-errors", {}):
                    found.setdefault(code, set()).add(("redirect", heading(path, method)))
        rows = []
        for code in sorted(found.keys() | EVERYWHERE.keys()):
            uses = found.get(code, set())
            status, anywhere = EVERYWHERE.get(code, ("", ""))
            statuses = ", ".join(sorted({status for status, _ in uses} | {status} - {""}))
            links = [f"[`{name}`](#{anchor(name)})" for name in sorted({name for _, name in uses})]
            where = ", ".join(links + [anywhere] * bool(anywhere))
            everywhere = len({name for _, name in uses}) > 8
            rows.append(f"| `{code}` | {statuses} | {'nearly everywhere' if everywhere else where} |")
        head = ["| `error` | Status | Where |", "|---|---|---|"]
        return ["## Error codes", "\n".join(head + rows)]

    def resolve(self, value: dict) -> dict:
        while isinstance(value, dict) and "$ref" in value:
            target = self.document
            for name in value["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            value = target
        return value


def heading(path: str, method: str) -> str:
    return f"{method.upper()} {path}"


def anchor(name: str) -> str:
    """As the usual Markdown renderers make them."""
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def table(rows: list[str]) -> str:
    return "\n".join(["| Name | Value | Required | Meaning |", "|---|---|---|---|", *rows])


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def lines(texts) -> str:
    return "<br>".join(cell(text) for text in ([texts] if isinstance(texts, str) else texts))


if __name__ == "__main__":
    sys.exit(main())
