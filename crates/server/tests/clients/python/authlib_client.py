#!/usr/bin/env python3
"""Authlib against Grantor: discovery, code flow with PKCE, ID token, userinfo, refresh."""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from person import Person, check, setting


def main() -> None:
    own = setting()
    metadata = requests.get(f"{own['issuer']}/.well-known/openid-configuration").json()
    check(metadata["issuer"] == own["issuer"], "the issuer")
    for method in ("client_secret_basic", "client_secret_post"):
        flow(own, metadata, method)


def flow(own: dict, metadata: dict, method: str) -> None:
    client = OAuth2Session(
        own["client_id"],
        own["client_secret"],
        scope="openid profile email read",
        redirect_uri=own["redirect_uri"],
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    verifier, nonce = generate_token(48), generate_token()
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    back = Person(own).open(url)
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    check_id_token(token["id_token"], own, metadata, nonce)
    me = client.get(metadata["userinfo_endpoint"]).json()
    check(me["email"] == own["email"], "userinfo")
    newer = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    check(newer["access_token"] != token["access_token"], "a new access token")
    answer = client.get(f"{own['issuer']}/api-secure-data").json()
    check(answer == {"data": "This is protected data"}, "the API")


def check_id_token(text: str, own: dict, metadata: dict, nonce: str) -> None:
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    token = jwt.decode(text, keys, algorithms=["ES256"])
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": own["issuer"]},
        aud={"essential": True, "value": own["client_id"]},
        sub={"essential": True},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    registry.validate(token.claims)


if __name__ == "__main__":
    main()
