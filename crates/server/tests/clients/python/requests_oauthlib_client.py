#!/usr/bin/env python3
"""requests-oauthlib against Grantor: a class of client for each grant, and automatic refresh."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

from oauthlib.oauth2 import (
    BackendApplicationClient,
    InvalidClientError,
    InvalidGrantError,
    LegacyApplicationClient,
    MobileApplicationClient,
)
from requests_oauthlib import OAuth2Session

from person import Person, check, register, setting


def main() -> None:
    own = setting()
    web(own)
    mobile(own)
    backend(own)
    legacy(own)


def web(own: dict) -> None:
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


def mobile(own: dict) -> None:
    """The implicit grant: the token comes in the fragment."""
    issuer = own["issuer"]
    client_id = register(
        own,
        grant_types=["implicit"],
        response_types=["token"],
        token_endpoint_auth_method="none",
    )["client_id"]
    session = OAuth2Session(
        client=MobileApplicationClient(client_id),
        redirect_uri=own["redirect_uri"],
        scope=["email", "read"],
    )
    url, _ = session.authorization_url(f"{issuer}/authorize")
    back = Person(own).open(url)
    token = session.token_from_fragment(back)
    check("refresh_token" not in token, "no refresh token (RFC 6749 §4.2.2)")
    check(token["scope"] == ["email", "read"] and token["expires_in"] > 0, "scope and expiry")
    check(session.get(f"{issuer}/protected").status_code == 200, "protected resource")
    try:
        session.token_from_fragment(back.replace("state=", "state=x"))
    except ValueError:
        return
    check(False, "another state is refused")


def backend(own: dict) -> None:
    """The client credentials grant, with and without a refresh token."""
    issuer = own["issuer"]
    for grants in (["client_credentials"], ["client_credentials", "refresh_token"]):
        client = register(own, grant_types=grants, redirect_uris=[], response_types=[])
        auth = (client["client_id"], client["client_secret"])
        session = OAuth2Session(
            client=BackendApplicationClient(client["client_id"], scope=["read"])
        )
        token = session.fetch_token(f"{issuer}/token", auth=auth)
        check(session.get(f"{issuer}/api-secure-data").status_code == 200, "protected resource")
        in_body = session.fetch_token(
            f"{issuer}/token", client_secret=client["client_secret"], include_client_id=True
        )
        check(in_body["access_token"] != token["access_token"], "a token of its own")
        check(("refresh_token" in token) == ("refresh_token" in grants), "refresh token")
        if "refresh_token" in token:
            session.refresh_token(f"{issuer}/token", auth=auth)
            check(session.get(f"{issuer}/protected").status_code == 200, "with the new one")
    try:
        session.fetch_token(f"{issuer}/token", auth=(client["client_id"], "wrong"))
    except InvalidClientError:
        return
    check(False, "a wrong secret is refused")


def legacy(own: dict) -> None:
    """The password grant, which the operator has to switch on."""
    issuer, client = own["issuer"], own["clients"]["legacy"]
    session = OAuth2Session(
        client=LegacyApplicationClient(client["client_id"], scope=["email", "read"])
    )
    who = {"username": own["username"], "client_secret": client["client_secret"]}
    token = session.fetch_token(f"{issuer}/token", password=own["password"], **who)
    check(session.get(f"{issuer}/protected").status_code == 200, "protected resource")
    auth = (client["client_id"], client["client_secret"])
    newer = session.refresh_token(f"{issuer}/token", auth=auth)
    check(newer["access_token"] != token["access_token"], "a new access token")
    check(session.get(f"{issuer}/protected").status_code == 200, "with the new one")
    try:
        session.fetch_token(f"{issuer}/token", password="wrong", **who)
    except InvalidGrantError:
        return
    check(False, "a wrong password is refused")


if __name__ == "__main__":
    main()
