#!/usr/bin/env python3
"""Keep the papers true: docs/standards.md, docs/threats.md, docs/vault.md, docs/providers.md and
ARCHITECTURE.md against the code.

- Every file and every test that docs/standards.md or docs/threats.md names is there, and every row
  names a file; every row of docs/threats.md also a test.
- Every test in the table of docs/vault.md about the stand-in for Google is there.
- docs/providers.md has a row for each provider that is built in, and for no other; what it says of
  apps and of revoking is what the description says.
- Every file and folder that ARCHITECTURE.md names is there.
- Every section of an RFC or of OpenID Connect Core that crates/core/src names has a row.

Prints what is wrong; the exit status is 1 when anything is.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES = ROOT / "crates"
SECTION = r"(?:§[0-9]+(?:\.[0-9]+)*|appendix [A-Z])"
MENTION = re.compile(rf"(RFC [0-9]+|OpenID Connect Core)(?: 1\.0)?((?:,? (?:and |to )?{SECTION})+)")
NAMED = re.compile(r"`([^`]+)`")
SOURCE = re.compile(r"[\w./-]+\.(?:rs|toml|sql|html|css|ftl|py|md|sh)")


def main() -> int:
    rows = list(table(ROOT / "docs/standards.md"))
    threats = list(attacks(ROOT / "docs/threats.md"))
    problems = named_things("standards.md", rows) + named_things("threats.md", threats)
    problems += [f"threats.md: {what}: no test is named" for _, what, _, tests in threats if not NAMED.search(tests)]
    problems += missing_sections(rows) + named_paths(ROOT / "ARCHITECTURE.md")
    problems += standin_tests(ROOT / "docs/vault.md") + providers(ROOT / "docs/providers.md")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(rows)} rules of standards, {len(threats)} threats, {len(problems)} problems")
    return 1 if problems or not rows or not threats else 0


def table(path: Path):
    """Rows as (sections, file cell, test cell); a section has the standard of its heading."""
    standard = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (RFC [0-9]+|OpenID Connect Core)?", line):
            standard = heading.group(1) or ""
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and not cells[0].startswith(("--", "Section")):
            yield set(sections(cells[0], standard)), cells[0], cells[2], cells[3]


def attacks(path: Path):
    """The same of a table with a column for what is done about it."""
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and not cells[0].startswith(("--", "Section")):
            yield set(), f"{cells[0]} {cells[1]}", cells[3], cells[4]


def standin_tests(path: Path) -> list[str]:
    """Rows are (what the provider does, the stand-in, tests)."""
    text = path.read_text(encoding="utf-8").partition("\n## The stand-in for Google\n")[2]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    known = functions(CRATES / "standins")
    tests = [test for cells in rows if len(cells) == 3 for test in NAMED.findall(cells[2])]
    missing = [f"vault.md: the stand-in has no test {test}" for test in tests if test not in known]
    return missing if tests else ["vault.md: there is no table of what the stand-in for Google does"]


def providers(path: Path) -> list[str]:
    """Rows are (name, variables, refresh token, app, revokes, …)."""
    text = path.read_text(encoding="utf-8").partition("\n| `provider` |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    rows = {cells[0].strip("`"): cells for cells in rows if cells[0].startswith("`")}
    folder = CRATES / "core/src/vault/provider/catalogue"
    built_in = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.toml")}
    problems = []
    for name in sorted(built_in.keys() ^ rows.keys()):
        problems.append(f"providers.md: {name} is not built in, or has no row")
    for name in sorted(built_in.keys() & rows.keys()):
        own = built_in.get(built_in[name].get("extends"), {}) | built_in[name]
        for cell, block in ((3, "client_credentials"), (4, "revoke")):
            if rows[name][cell].startswith("no") == (block in own):
                problems.append(f"providers.md: {name}: {rows[name][cell]!r} is not what [{block}] says")
    return problems


def functions(folder: Path) -> set[str]:
    code = (path.read_text(encoding="utf-8") for path in folder.rglob("*.rs"))
    return set(re.findall(r"\bfn (\w+)", "\n".join(code)))


def sections(text: str, standard: str):
    for named, listed in MENTION.findall(text):
        yield from ((named, one) for one in re.findall(SECTION, listed))
    if not MENTION.search(text):
        yield from ((standard, one) for one in re.findall(SECTION, text))


def named_things(paper: str, rows: list) -> list[str]:
    known = functions(CRATES)
    problems = []
    for _, section, files, tests in rows:
        if not NAMED.search(files):
            problems.append(f"{paper}: {section}: no file is named")
        for file in NAMED.findall(files):
            if not (CRATES / file).is_file():
                problems.append(f"{paper}: {section}: there is no file crates/{file}")
        for test in NAMED.findall(tests):
            if test not in known:
                problems.append(f"{paper}: {section}: there is no test {test}")
    return problems


def missing_sections(rows: list) -> list[str]:
    known = set().union(*(found for found, *_ in rows))
    problems = []
    for path in sorted((CRATES / "core/src").rglob("*.rs")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for standard, section in sections(line, ""):
                if standard and (standard, section) not in known:
                    where = f"{path.relative_to(ROOT)}:{number}"
                    problems.append(f"{where}: {standard} {section} has no row in docs/standards.md")
    return problems


def named_paths(path: Path) -> list[str]:
    """Paths in `code` from the root or from crates/, and the lines of the tree."""
    text = path.read_text(encoding="utf-8")
    problems = []
    for name in NAMED.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if SOURCE.fullmatch(name) or name.endswith("/") and re.fullmatch(r"[\w./-]+", name):
            if not ((ROOT / name).exists() or (CRATES / name).exists()):
                problems.append(f"ARCHITECTURE.md: there is no {name}")
    for block in re.findall(r"```tree\n(.*?)```", text, flags=re.DOTALL):
        problems += [f"ARCHITECTURE.md: there is no {name}" for name in tree(block) if not (ROOT / name).exists()]
    return problems


def tree(block: str):
    """The paths of a tree: a line is indentation, one or more names, two spaces, a caption."""
    folders: list[tuple[int, str]] = []
    for line in block.splitlines():
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        folders = [(own, name) for own, name in folders if own < indent]
        above = "".join(name for _, name in folders)
        names = re.split(r"\s{2,}", line.strip())[0].split()
        yield from (above + name for name in names)
        if names[0].endswith("/"):
            folders.append((indent, names[0]))


if __name__ == "__main__":
    sys.exit(main())
