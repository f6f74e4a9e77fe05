"""An answer as `curl -i` prints it, written in the same way in every run."""

import json
import re
from dataclasses import dataclass

SHOWN = {
    "content-type",
    "cache-control",
    "location",
    "www-authenticate",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
}
WIDTH = 100
TIMES = {"iat": 1795269900, "exp": 1795273500, "client_id_issued_at": 1795269900, "auth_time": 1795269900}
TIMES |= {"updated_at": 1795269900, "expires_at": 1795270500}


@dataclass
class Answer:
    """Status, the headers that matter, and the body: JSON, a page or nothing."""

    status: int
    line: str
    headers: list[str]
    body: object

    def text(self) -> str:
        head = "\n".join([self.line, *self.headers])
        if self.body in (None, ""):
            return head
        body = self.body if isinstance(self.body, str) else compact(self.body)
        return f"{head}\n\n{body}"


def parse(raw: str) -> Answer | None:
    """None where it is no HTTP answer."""
    head, _, body = raw.replace("\r\n", "\n").partition("\n\n")
    line, *headers = head.split("\n")
    if not line.startswith("HTTP/"):
        return None
    headers = [own for own in headers if own.split(":")[0].lower() in SHOWN]
    content: object = body.strip()
    if any("json" in own for own in headers):
        content = json.loads(body)
    elif body.startswith("<!doctype html"):
        title = re.search(r"<title>(.*?)</title>", body)
        content = f"(a page: {title.group(1) if title else ''})"
    return Answer(int(line.split()[1]), line.strip(), headers, content)


def compact(value, indent: int = 0) -> str:
    """JSON with what fits on a line on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and value and (indent == 0 or len(flat) + indent > WIDTH):
        rows = [f"{json.dumps(name)}: {compact(own, indent + 2)}" for name, own in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list) and len(flat) + indent > WIDTH:
        rows = [compact(own, indent + 2) for own in value]
        opening, closing = "[", "]"
    else:
        return flat
    space = " " * (indent + 2)
    return f"{opening}\n" + ",\n".join(space + row for row in rows) + f"\n{' ' * indent}{closing}"


def normalise(text: str, variables: dict[str, str]) -> str:
    """Without what differs from run to run."""
    for name, value in variables.items():
        if name.endswith("_ID") and len(value) > 12:
            text = text.replace(value, f"${name}")
    text = re.sub(r"\b(grt_[a-z]{2}_)[A-Za-z0-9_-]+", r"\1…", text)
    text = re.sub(r"\bya29\.[\w-]+", "ya29.…", text)
    text = re.sub(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-21T19:04:05Z", text)
    text = re.sub(r'("last_used_at": ?)null', r'\1"2026-11-21T19:04:05Z"', text)  # soon after
    text = re.sub(r'("expires_in": ?)35\d\d\b', r"\g<1>3599", text)
    text = re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "eyJ…", text)
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "0193a1b2-…", text)
    text = re.sub(r'"(kid|x|y|n)": "[\w-]+"', r'"\1": "…"', text)
    text = re.sub(r'"(client_secret)": "(?!secret_abc)[^"]+"', r'"\1": "…"', text)
    text = re.sub(r"\b[A-Z]{4}-[A-Z]{4}\b", "WDJB-MJHT", text)
    text = re.sub(r"\b(request=)[\w-]{16,}", r"\1…", text)
    text = re.sub(r'(ratelimit: "client";r=)\d+;t=\d+', r"\1…;t=…", text)
    for name, time in TIMES.items():
        text = re.sub(rf'"{name}": \d+', f'"{name}": {time}', text)
    return text
