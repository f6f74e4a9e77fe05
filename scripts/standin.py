"""A person at the demo's stand-in for Google."""

import html
import re
import urllib.parse

import requests

SECONDS = 20
ADA = "101815121018526101815"


def allow(google: str, link: str) -> str:
    """Ada follows a link that connects an account, and allows everything. The connect code."""
    browser = requests.Session()
    page = browser.get(link, timeout=SECONDS)
    form = {"request": waiting(page), "account": ADA}
    page = browser.post(f"{google}/v3/signin/accountchooser", form, timeout=SECONDS, allow_redirects=False)
    onward = urllib.parse.urljoin(google, page.headers["location"])
    if "/connect/callback" not in onward:
        page = browser.get(onward, timeout=SECONDS)
        scopes = [html.unescape(scope) for scope in re.findall(r'name="scope" value="([^"]+)"', page.text)]
        form = {"request": waiting(page), "decision": "allow", "scope": scopes}
        url = f"{google}/signin/oauth/consent"
        onward = browser.post(url, form, timeout=SECONDS, allow_redirects=False).headers["location"]
    page = browser.get(onward, timeout=SECONDS, allow_redirects=False)
    back = urllib.parse.urlsplit(page.headers["location"])
    return urllib.parse.parse_qs(back.query)["connect_code"][0]


def waiting(page: requests.Response) -> str:
    """The request that a page of Google's is about."""
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
