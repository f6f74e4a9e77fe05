"""A person at a browser, for the client programs: signs in and agrees over HTTP."""

import html.parser
import json
import sys
import urllib.parse

import requests


class Forms(html.parser.HTMLParser):
    """Every form of a page: its action and its fields."""

    def __init__(self, page: str):
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((values.get("action", ""), {}))
        elif tag == "input" and self.forms and "name" in values:
            self.forms[-1][1][values["name"]] = values.get("value", "")

    def with_field(self, name: str) -> tuple[str, dict[str, str]]:
        for action, fields in self.forms:
            if name in fields:
                return action, fields
        sys.exit(f"there is no form with {name}")


class Person:
    """Somebody with an address and a token, who says yes."""

    def __init__(self, setting: dict):
        self.issuer, self.email, self.token = setting["issuer"], setting["email"], setting["token"]
        self.redirect_uri = setting["redirect_uri"]
        self.browser = requests.Session()

    def open(self, url: str) -> str:
        """Goes where the application sends the browser; the URL that leads back to it."""
        answer = self._to(self.browser.get(url, allow_redirects=False))
        if isinstance(answer, str):
            return answer
        answer = self._fill(answer, "email", self.email)
        answer = self._fill(answer, "token", self.token)
        if isinstance(answer, str):
            return answer  # agreed before
        action, fields = Forms(answer.text).with_field("request")
        fields["decision"] = "allow"
        answer = self._to(self._post(action, fields))
        if not isinstance(answer, str):
            sys.exit(f"not back at the application: {answer.status_code} {answer.url}")
        return answer

    def _fill(self, page, name: str, value: str) -> requests.Response | str:
        action, fields = Forms(page.text).with_field(name)
        answer = self._to(self._post(action, fields | {name: value}))
        if not isinstance(answer, str):
            answer.raise_for_status()
        return answer

    def _post(self, action: str, fields: dict[str, str]) -> requests.Response:
        url = urllib.parse.urljoin(self.issuer, action)
        return self.browser.post(url, data=fields, allow_redirects=False)

    def _to(self, answer: requests.Response) -> requests.Response | str:
        while answer.is_redirect:
            target = urllib.parse.urljoin(answer.url, answer.headers["location"])
            if target.startswith(self.redirect_uri):
                return target
            answer = self.browser.get(target, allow_redirects=False)
        return answer


def setting() -> dict:
    """What the test passes: issuer, client, address and token as one JSON argument."""
    return json.loads(sys.argv[1])


def check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"does not hold: {what}")


def register(own: dict, **metadata) -> dict:
    """A client of its own, by dynamic registration (RFC 7591); the answer."""
    metadata = {"redirect_uris": [own["redirect_uri"]], "scope": "openid email read"} | metadata
    answer = requests.post(f"{own['issuer']}/register", json=metadata)
    check(answer.status_code == 201, f"registered: {answer.text}")
    return answer.json()
