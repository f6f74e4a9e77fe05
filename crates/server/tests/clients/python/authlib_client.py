#!/usr/bin/env python3
"""Authlib against Grantor: discovery, every grant and client authentication that it has."""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from person import Person, check, register, setting


def main() -> None:
    own = setting()
    metadata = requests.get(f"{own['issuer']}/.well-known/openid-configuration").json()
    check(metadata["issuer"] == own["issuer"], "the issuer")
    for method in ("client_secret_basic", "client_secret_post"):
        flow(own, metadata, method)
    implicit(own, metadata)
    credentials(own, metadata)
    assertions(own, metadata)


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
    check_id_token(token["id_token"], "ES256", own, metadata, nonce)
    me = client.get(metadata["userinfo_endpoint"]).json()
    check(me["email"] == own["email"], "userinfo")
    newer = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    check(newer["access_token"] != token["access_token"], "a new access token")
    answer = client.get(f"{own['issuer']}/api-secure-data").json()
    check(answer == {"data": "This is protected data"}, "the API")


def implicit(own: dict, metadata: dict) -> None:
    """Both tokens in the fragment (OpenID Connect Core 1.0 §3.2)."""
    client_id = register(
        own,
        grant_types=["implicit"],
        response_types=["id_token token"],
        token_endpoint_auth_method="none",
    )["client_id"]
    client = OAuth2Session(client_id, scope="openid read", redirect_uri=own["redirect_uri"])
    nonce = generate_token()
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], response_type="id_token token", nonce=nonce
    )
    token = client.fetch_token(authorization_response=Person(own).open(url), state=state)
    own = own | {"client_id": client_id}
    # OpenID Connect Dynamic Client Registration 1.0 §2: RS256 for who asks for nothing.
    check_id_token(token["id_token"], "RS256", own, metadata, nonce)
    check(client.get(f"{own['issuer']}/protected").status_code == 200, "protected resource")


def credentials(own: dict, metadata: dict) -> None:
    """Client credentials, then introspection and revocation of what they gave."""
    made = register(
        own,
        grant_types=["client_credentials", "refresh_token"],
        redirect_uris=[],
        response_types=[],
    )
    client = OAuth2Session(made["client_id"], made["client_secret"], scope="read")
    token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    introspect, revoke = metadata["introspection_endpoint"], metadata["revocation_endpoint"]
    found = client.introspect_token(introspect, token["access_token"], "access_token").json()
    check(found["active"] and found["client_id"] == made["client_id"], "introspection")
    check(found["scope"] == "read" and found["iss"] == own["issuer"], "scope and issuer")
    newer = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    check(newer["access_token"] != token["access_token"], "a new access token")

    # The refresh token and all that came with it.
    answer = client.revoke_token(revoke, newer["refresh_token"], "refresh_token")
    check(answer.status_code == 200, "revocation")
    for gone in (newer["access_token"], newer["refresh_token"], "grt_at_none"):
        check(client.introspect_token(introspect, gone).json() == {"active": False}, "gone")
        check(client.revoke_token(revoke, gone).status_code == 200, "nothing to do")
    try:
        client.refresh_token(metadata["token_endpoint"], newer["refresh_token"])
    except OAuthError as error:
        check(error.error == "invalid_grant", "invalid_grant")
    else:
        check(False, "a revoked refresh token is refused")


def assertions(own: dict, metadata: dict) -> None:
    """Clients that sign instead of sending a secret (RFC 7523 §2.2)."""
    key = ECKey.generate_key("P-256", parameters={"kid": "1", "use": "sig", "alg": "ES256"})
    # The library's own audience is the token endpoint; the issuer is the safe one.
    private = PrivateKeyJWT(own["issuer"], headers={"kid": "1"}, alg="ES256")
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}}
    for method, auth, more, secret in (
        ("private_key_jwt", private, keys, key),
        ("client_secret_jwt", ClientSecretJWT(own["issuer"]), {}, None),
    ):
        made = register(
            own,
            grant_types=["client_credentials"],
            redirect_uris=[],
            response_types=[],
            token_endpoint_auth_method=method,
            **more,
        )
        client = OAuth2Session(
            made["client_id"],
            secret or made["client_secret"],
            scope="read",
            token_endpoint_auth_method=auth,
        )
        client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        check(client.get(f"{own['issuer']}/protected").status_code == 200, method)
        # Another assertion each time.
        client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


def check_id_token(text: str, alg: str, own: dict, metadata: dict, nonce: str) -> None:
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    token = jwt.decode(text, keys, algorithms=[alg])
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
