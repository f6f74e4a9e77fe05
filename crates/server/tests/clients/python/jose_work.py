#!/usr/bin/env python3
"""Make keys and sign tokens with PyPI jwcrypto, for tests that need what others send.

Reads {"make": {name: {"kty", ...}}, "keys": {name: private JWK}, "tokens": [{"header", "payload",
"key" or "secret"}]} from standard input; each part may be left out. A token with neither key nor
secret is left unsigned. Prints {"keys", "public", "tokens"}: private and public JWKs by name, and
the compact tokens in their order. The header stands in the token as it is given.
"""

import base64
import json
import sys

from jwcrypto import jwk, jws


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(keys: dict, wanted: dict) -> str:
    header, payload = json.dumps(wanted["header"]), json.dumps(wanted["payload"])
    if "key" in wanted:
        key = keys[wanted["key"]]
    elif "secret" in wanted:
        key = jwk.JWK(kty="oct", k=encoded(wanted["secret"].encode()))
    else:
        return f"{encoded(header.encode())}.{encoded(payload.encode())}."
    made = jws.JWS(payload)
    made.allowed_algs = [wanted["header"]["alg"]]
    made.add_signature(key, protected=header)
    return made.serialize(compact=True)


def main() -> None:
    given = json.load(sys.stdin)
    keys = {name: jwk.JWK(**own) for name, own in given.get("keys", {}).items()}
    for name, wanted in given.get("make", {}).items():
        keys[name] = jwk.JWK.generate(**wanted)
    made = {
        "keys": {name: key.export(as_dict=True) for name, key in keys.items()},
        "public": {name: key.export_public(as_dict=True) for name, key in keys.items()},
        "tokens": [token(keys, wanted) for wanted in given.get("tokens", [])],
    }
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
