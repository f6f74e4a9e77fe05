#!/usr/bin/env python3
"""google-auth-oauthlib's installed-app flow, pointed at Grantor instead of Google."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

import threading
import urllib.parse
import webbrowser

import requests
from google.auth.transport.requests import AuthorizedSession, Request
from google_auth_oauthlib.flow import InstalledAppFlow

from person import Person, check, setting

SCOPE = ["openid", "email", "offline_access", "read"]


class PersonsBrowser(webbrowser.BaseBrowser):
    """The browser that the library opens: it goes on while the library waits for the answer."""

    def __init__(self, own: dict):
        super().__init__("person")
        self.own, self.page, self.thread = own, None, None

    def open(self, url, new=0, autoraise=True):
        self.thread = threading.Thread(target=self._go, args=(url,))
        self.thread.start()
        return True

    def _go(self, url: str) -> None:
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        person = Person(self.own | {"redirect_uri": asked["redirect_uri"][0]})
        self.page = requests.get(person.open(url))


def main() -> None:
    own = setting()
    browser = PersonsBrowser(own)
    webbrowser.register("person", None, browser)
    for name in ("desktop", "desktop_without_secret"):
        run(own, own["clients"][name], browser)


def run(own: dict, client: dict, browser: PersonsBrowser) -> None:
    issuer = own["issuer"]
    # What a person downloads from a provider's console as client_secret.json.
    config = {
        "client_id": client["client_id"],
        "client_secret": client["client_secret"] or "",
        "auth_uri": f"{issuer}/authorize",
        "token_uri": f"{issuer}/token",
        "redirect_uris": ["http://127.0.0.1"],
    }
    flow = InstalledAppFlow.from_client_config({"installed": config}, SCOPE)
    # Any free port, which the library puts into its redirect URI.
    credentials = flow.run_local_server(
        host="127.0.0.1",
        port=0,
        browser="person",
        timeout_seconds=30,
        success_message="Close this window.",
        authorization_prompt_message=None,
        access_type="offline",
    )
    browser.thread.join()
    check(browser.page.text == "Close this window.", "the person is told that it is done")
    check(credentials.valid and credentials.id_token is not None, "credentials")

    before = credentials.token
    session = AuthorizedSession(credentials)
    check(session.get(f"{issuer}/userinfo").json()["email"] == own["email"], "userinfo")
    credentials.refresh(Request())
    check(credentials.token != before, "a new access token")
    check(session.get(f"{issuer}/protected").status_code == 200, "with the new one")
    # One that stopped working is replaced on the way.
    credentials.token = "grt_at_none"
    check(session.get(f"{issuer}/protected").status_code == 200, "refreshed on the way")


if __name__ == "__main__":
    main()
