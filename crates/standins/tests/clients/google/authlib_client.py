#!/usr/bin/env python3
"""Authlib, which knows nothing but the address of the metadata."""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from person import Person, check, setting

CALENDAR = "https://www.googleapis.com/auth/calendar.readonly"


def main() -> None:
    own = setting()
    metadata = requests.get(f"{own['issuer']}/.well-known/openid-configuration").json()
    check(metadata["issuer"] == own["issuer"], "the issuer")
    for method in metadata["token_endpoint_auth_methods_supported"]:
        flow(own, metadata, method)


def flow(own: dict, metadata: dict, method: str) -> None:
    client = OAuth2Session(
        own["client_id"],
        own["client_secret"],
        scope=f"openid email profile {CALENDAR}",
        redirect_uri=own["redirect_uri"],
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    verifier, nonce = generate_token(48), generate_token()
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"],
        code_verifier=verifier,
        nonce=nonce,
        access_type="offline",
        prompt="consent",
    )
    back = Person(own).open(url)
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    check(token["expires_in"] == 3599 and "refresh_token" in token, "the answer")
    check_id_token(token["id_token"], own, metadata, {"nonce": nonce})
    me = client.get(metadata["userinfo_endpoint"]).json()
    check(me["email"] == own["account"] and "name" in me, "userinfo")

    newer = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    check(newer["access_token"] != token["access_token"], "a new access token")
    check(newer["refresh_token"] == token["refresh_token"], "the library keeps the refresh token")
    check("nonce" not in check_id_token(newer["id_token"], own, metadata, {}), "no nonce again")
    calendars = client.get(f"{own['issuer']}/calendar/v3/users/me/calendarList")
    check(calendars.status_code == 200, "calendars")

    gone = client.revoke_token(metadata["revocation_endpoint"], token["refresh_token"])
    check(gone.status_code == 200, "revoked")
    again = client.revoke_token(metadata["revocation_endpoint"], token["refresh_token"])
    check(again.json()["error"] == "invalid_token", "dead already")
    try:
        client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    except OAuthError as error:
        check(error.error == "invalid_grant", "invalid_grant")
    else:
        check(False, "a revoked refresh token is refused")


def check_id_token(text: str, own: dict, metadata: dict, more: dict) -> dict:
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    token = jwt.decode(text, keys, algorithms=["RS256"])
    wanted = {"iss": own["issuer"], "aud": own["client_id"], "email": own["account"]} | more
    registry = jwt.JWTClaimsRegistry(
        exp={"essential": True},
        iat={"essential": True},
        **{name: {"essential": True, "value": value} for name, value in wanted.items()},
    )
    registry.validate(token.claims)
    return token.claims


if __name__ == "__main__":
    main()
