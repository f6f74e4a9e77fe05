#!/usr/bin/env python3
"""requests-oauthlib against Grantor: code flow with PKCE, API call, automatic refresh."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

from oauthlib.oauth2 import InvalidGrantError
from requests_oauthlib import OAuth2Session

from person import Person, check, setting


def main() -> None:
    own = setting()
    issuer, scope = own["issuer"], ["openid", "profile", "email", "read"]
    client = OAuth2Session(
        own["client_id"], redirect_uri=own["redirect_uri"], scope=scope, pkce="S256"
    )
    url, state = client.authorization_url(f"{issuer}/authorize", nonce="n-0S6_WzA2Mj")
    back = Person(own).open(url)
    # Raises when the scope of the answer is not the one that was asked for.
    token = client.fetch_token(
        f"{issuer}/token", authorization_response=back, client_secret=own["client_secret"]
    )
    check(token["token_type"] == "Bearer" and "refresh_token" in token, "tokens")
    check(client.get(f"{issuer}/userinfo").json()["email"] == own["email"], "userinfo")
    check(client.get(f"{issuer}/protected").status_code == 200, "protected resource")

    newer = client.refresh_token(
        f"{issuer}/token", auth=(own["client_id"], own["client_secret"])
    )
    check(newer["access_token"] != token["access_token"], "a new access token")
    check(client.get(f"{issuer}/protected").status_code == 200, "with the new one")

    # An expired token is refreshed on the way, and its successor handed to the application.
    kept = []
    expired = dict(newer, expires_at=1)
    automatic = OAuth2Session(
        own["client_id"],
        token=expired,
        auto_refresh_url=f"{issuer}/token",
        auto_refresh_kwargs={
            "client_id": own["client_id"],
            "client_secret": own["client_secret"],
        },
        token_updater=kept.append,
    )
    check(automatic.get(f"{issuer}/protected").status_code == 200, "refreshed on the way")
    check(len(kept) == 1, "the application was told")

    # The same code again: the library understands the error.
    client.state = state
    try:
        client.fetch_token(
            f"{issuer}/token", authorization_response=back, client_secret=own["client_secret"]
        )
    except InvalidGrantError:
        return
    check(False, "a replayed code is refused")


if __name__ == "__main__":
    main()
