#!/usr/bin/env python3
"""google-auth-oauthlib's flow for web applications, from client_secret.json to a revoked grant."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine
# As everybody has to who asks Google for "email": the answer names it otherwise.
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

import requests
from google.auth import exceptions, jwt
from google.auth.transport.requests import AuthorizedSession, Request
from google_auth_oauthlib.flow import Flow

from person import Person, check, setting

CALENDAR = "https://www.googleapis.com/auth/calendar.readonly"
DRIVE = "https://www.googleapis.com/auth/drive.file"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"


def main() -> None:
    own = setting()
    issuer = own["issuer"]
    # What a developer downloads from the console.
    web = {
        "client_id": own["client_id"],
        "client_secret": own["client_secret"],
        "auth_uri": f"{issuer}/o/oauth2/v2/auth",
        "token_uri": f"{issuer}/token",
        "redirect_uris": [own["redirect_uri"]],
    }
    flow = Flow.from_client_config(
        {"web": web}, scopes=["openid", "email", CALENDAR, DRIVE], redirect_uri=own["redirect_uri"]
    )
    url, state = flow.authorization_url(
        access_type="offline", include_granted_scopes="true", prompt="consent"
    )
    back = Person(own, without=(DRIVE,)).open(url)
    check(f"state={state}" in back, "the state comes back")
    # The library wants https here; the stand-in is on this machine.
    token = flow.fetch_token(authorization_response=back)
    check(sorted(token["scope"]) == sorted([CALENDAR, EMAIL, "openid"]), f"scopes: {token}")

    credentials = flow.credentials
    check(credentials.valid and credentials.refresh_token is not None, "credentials")
    check(set(credentials.granted_scopes) == {CALENDAR, EMAIL, "openid"}, "granted scopes")
    claims = jwt.decode(credentials.id_token, verify=False)
    check(claims["aud"] == own["client_id"] and claims["email"] == own["account"], "the ID token")

    session = AuthorizedSession(credentials)
    calendars = session.get(f"{issuer}/calendar/v3/users/me/calendarList").json()
    check(calendars["items"][0]["id"] == own["account"], "calendars")
    check(session.get(f"{issuer}/drive/v3/about").status_code == 403, "what was unticked")

    refresh_token, before = credentials.refresh_token, credentials.token
    credentials.refresh(Request())
    check(credentials.token != before, "a new access token")
    check(credentials.refresh_token == refresh_token, "the refresh token stays")
    # An access token that ended before its time is replaced on the way.
    requests.post(f"{issuer}/_control/access_tokens/end", json={})
    check(session.get(f"{issuer}/v1/userinfo").json()["email"] == own["account"], "on the way")

    revoked = requests.post(f"{issuer}/revoke", data={"token": credentials.token})
    check(revoked.status_code == 200, "revoked")
    try:
        credentials.refresh(Request())
    except exceptions.RefreshError as error:
        check("Token has been expired or revoked." in str(error), str(error))
    else:
        check(False, "a revoked grant is not refreshed")


if __name__ == "__main__":
    main()
