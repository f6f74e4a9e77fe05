#!/usr/bin/env python3
"""google-auth-oauthlib's flow for installed applications, with a listener on any port."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

import threading
import webbrowser

import requests
from google.auth.transport.requests import AuthorizedSession, Request
from google_auth_oauthlib.flow import InstalledAppFlow

from person import Person, check, setting

# Under the names that Google answers, so that nothing seems to have changed.
SCOPE = ["openid", "https://www.googleapis.com/auth/userinfo.email"]


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
        self.page = requests.get(Person(self.own).open(url))


def main() -> None:
    own = setting()
    issuer = own["issuer"]
    browser = PersonsBrowser(own)
    webbrowser.register("person", None, browser)
    config = {
        "client_id": own["client_id"],
        "client_secret": own["client_secret"],
        "auth_uri": f"{issuer}/o/oauth2/v2/auth",
        "token_uri": f"{issuer}/token",
        "redirect_uris": ["http://localhost"],
    }
    flow = InstalledAppFlow.from_client_config({"installed": config}, SCOPE)
    credentials = flow.run_local_server(
        port=0,
        browser="person",
        timeout_seconds=30,
        success_message="Close this window.",
        authorization_prompt_message=None,
    )
    browser.thread.join()
    check(browser.page.text == "Close this window.", "the person is told that it is done")
    check(credentials.valid and credentials.refresh_token is not None, "credentials")
    credentials.refresh(Request())
    me = AuthorizedSession(credentials).get(f"{issuer}/v1/userinfo").json()
    check(me["email"] == own["account"], "userinfo")


if __name__ == "__main__":
    main()
