#!/usr/bin/env python3
"""Verify tokens of Grantor with another implementation (PyPI jwcrypto).

Reads lines `alg TAB jwk TAB compact token` from standard input, as the test
`tokens_for_another_implementation` writes them into the file that GRANTOR_JOSE_OUT names.
Also computes each key's thumbprint (RFC 7638) and makes sure that a changed token is refused.
Prints how many were verified; the exit status is 1 when one was not, or when there was none.
"""

import json
import sys

from jwcrypto import jwk, jws


def verifies(key: jwk.JWK, alg: str, token: str) -> bool:
    parsed = jws.JWS()
    parsed.allowed_algs = [alg]
    try:
        parsed.deserialize(token)
        parsed.verify(key, alg)
    except jws.InvalidJWSSignature:
        return False
    return parsed.jose_header["alg"] == alg and isinstance(json.loads(parsed.payload), dict)


def problem(line: str) -> str | None:
    alg, public, token = line.split("\t")
    key = jwk.JWK.from_json(public)
    if key.has_private:
        return "the published key has private members"
    if key.thumbprint() != json.loads(public)["kid"]:
        return "the kid is not the thumbprint"
    if not verifies(key, alg, token):
        return "the token does not verify"
    signed, _, signature = token.rpartition(".")
    other = "A" if signature[0] != "A" else "B"
    if verifies(key, alg, f"{signed}.{other}{signature[1:]}"):
        return "a changed token verifies"
    return None


def main() -> int:
    count, failed = 0, 0
    for number, line in enumerate(sys.stdin, start=1):
        if found := problem(line.rstrip("\n")):
            print(f"line {number}: {found}: {line.split(chr(9))[0]}", file=sys.stderr)
            failed += 1
        count += 1
    print(f"{count - failed} of {count} tokens verified by jwcrypto")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
