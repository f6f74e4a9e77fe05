#!/usr/bin/env python3
"""Verify an ID token with PyPI jwcrypto: signature by the JWK set, and at_hash.

Reads {"id_token", "access_token", "jwks", "alg"} as JSON from standard input; the exit status is 1
when something does not hold. OpenID Connect Core 1.0 §3.1.3.6 and §3.1.3.7.
"""

import base64
import hashlib
import json
import sys

from jwcrypto import jwk, jws


def main() -> None:
    given = json.load(sys.stdin)
    keys = jwk.JWKSet.from_json(json.dumps(given["jwks"]))
    token = jws.JWS()
    token.allowed_algs = [given["alg"]]
    token.deserialize(given["id_token"])
    token.verify(keys.get_key(token.jose_header["kid"]), given["alg"])
    # RFC 8032: Ed25519 hashes with SHA-512, and so does at_hash.
    digest = hashlib.sha512 if given["alg"] == "EdDSA" else hashlib.sha256
    half = digest(given["access_token"].encode()).digest()
    half = half[: len(half) // 2]
    expected = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    found = json.loads(token.payload)["at_hash"]
    if found != expected:
        sys.exit(f"at_hash is {found}, expected {expected}")


if __name__ == "__main__":
    main()
