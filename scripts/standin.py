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
    onward = link
    # Once more for a refresh token, if she had allowed the same before.
    while "connect_code" not in onward:
        page = browser.get(onward, timeout=SECONDS, allow_redirects=False)
        onward = page.headers.get("location") or answer(browser, google, page)
        onward = urllib.parse.urljoin(google, onward)
    back = urllib.parse.urlsplit(onward)
    return urllib.parse.parse_qs(back.query)["connect_code"][0]


def answer(browser: requests.Session, google: str, page: requests.Response) -> str:
    """Where a page of Google's leads: the one that asks who she is, or the one that asks what to allow."""
    form = {"request": waiting(page)}
    if 'name="decision"' in page.text:
        scopes = re.findall(r'name="scope" value="([^"]+)"', page.text)
        form |= {"decision": "allow", "scope": [html.unescape(scope) for scope in scopes]}
        url = f"{google}/signin/oauth/consent"
    else:
        form |= {"account": ADA}
        url = f"{google}/v3/signin/accountchooser"
    return browser.post(url, form, timeout=SECONDS, allow_redirects=False).headers["location"]


def waiting(page: requests.Response) -> str:
    """The request that a page of Google's is about."""
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
