"""The demo account at a browser, for scripts: signs in with its password and says yes."""

import html.parser
import urllib.parse

import requests

SECONDS = 20


class Form(html.parser.HTMLParser):
    """The first form of a page that has a field: its action and fields."""

    def __init__(self, page: str, wanted: str):
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)
        self.action, self.fields = next(form for form in self.forms if wanted in form[1])

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((values.get("action", ""), {}))
        elif tag in ("input", "button") and self.forms and "name" in values:
            self.forms[-1][1].setdefault(values["name"], values.get("value", ""))


class Person:
    """The demo account at a browser, saying yes."""

    def __init__(self, issuer: str, password: str):
        self.issuer, self.password = issuer, password
        self.browser = requests.Session()

    def get(self, url: str) -> requests.Response:
        url = urllib.parse.urljoin(self.issuer, url)
        return self.browser.get(url, allow_redirects=False, timeout=SECONDS)

    def post(self, page: requests.Response, wanted: str, **fields: str) -> requests.Response:
        form = Form(page.text, wanted)
        url = urllib.parse.urljoin(page.url, form.action)
        return self.browser.post(url, data=form.fields | fields, allow_redirects=False, timeout=SECONDS)

    def code(self, client_id: str, redirect_uri: str, **more: str) -> str:
        """Signs in and allows; the code that comes back to the redirect URI."""
        answer = self.sign_in(self.ask(client_id, redirect_uri, more))
        while "code=" not in answer.headers.get("location", ""):
            if answer.is_redirect:
                answer = self.get(answer.headers["location"])
            else:
                answer = self.post(answer, "decision", decision="allow")
        query = urllib.parse.urlsplit(answer.headers["location"]).query
        return dict(urllib.parse.parse_qsl(query))["code"]

    def handed_over(self, client_id: str, redirect_uri: str, **more: str) -> str:
        """Chooses the operator's own sign-in page; the challenge that goes there."""
        login = self.ask(client_id, redirect_uri, more).headers["location"]
        return self.get(f"{login}&method=external").headers["location"].split("login_challenge=")[1]

    def ask(self, client_id: str, redirect_uri: str, more: dict[str, str]) -> requests.Response:
        asked = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code"} | more
        return self.get(f"/authorize?{urllib.parse.urlencode(asked)}")

    def sign_in(self, answer: requests.Response) -> requests.Response:
        """By password, from wherever a redirect leads to /login."""
        login = answer.headers["location"]
        page = self.get(login + ("&" if "?" in login else "?") + "method=password")
        return self.post(page, "password", username="demo_user", password=self.password)
