"""A person at a browser, for the client programs: chooses an account and allows what is ticked."""

import html.parser
import json
import sys
import urllib.parse

import requests


class Form(html.parser.HTMLParser):
    """The one form of a page: its action, and its fields with the boxes that are ticked."""

    def __init__(self, page: str):
        super().__init__()
        self.action, self.fields = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "form":
            self.action = values["action"]
        elif tag == "input" and (values["type"] != "checkbox" or "checked" in values):
            self.fields.append((values["name"], values["value"]))


class Person:
    """Somebody with an account, who may untick a scope."""

    def __init__(self, setting: dict, without: tuple[str, ...] = ()):
        self.issuer, self.account = setting["issuer"], setting["account"]
        self.without = without
        self.browser = requests.Session()

    def open(self, url: str) -> str:
        """Goes where the application sends the browser; the URL that leads back to it."""
        answer = self.browser.get(url, allow_redirects=False)
        while True:
            if answer.is_redirect:
                target = urllib.parse.urljoin(answer.url, answer.headers["location"])
                if not target.startswith(self.issuer):
                    return target
                answer = self.browser.get(target, allow_redirects=False)
                continue
            if answer.status_code != 200:
                sys.exit(f"not back at the application: {answer.status_code} {answer.text}")
            form = Form(answer.text)
            fields = [field for field in form.fields if field[1] not in self.without]
            fields += [("account", self.account), ("decision", "allow")]
            url = urllib.parse.urljoin(self.issuer, form.action)
            answer = self.browser.post(url, data=fields, allow_redirects=False)


def setting() -> dict:
    """What the test passes: issuer, client and account as one JSON argument."""
    return json.loads(sys.argv[1])


def check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"does not hold: {what}")
