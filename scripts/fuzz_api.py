#!/usr/bin/env python3
"""Throw what the OpenAPI document allows, and what it does not, at a running demo: schemathesis.

Run beside a demo: `scripts/demo.py 25080 VENV/bin/python scripts/fuzz_api.py`, with the limits off
(GRANTOR__LIMITS__…=0, as scripts/test does). No answer may be a 5xx, or have a status, content type,
header or schema that the document does not name. The seed is fixed, and so is the longest time.
Each operation is called by somebody who may: with the secret of a client, or a token.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

URL = os.environ["GRANTOR_URL"]
SEED = "20260901"
EXAMPLES = os.environ.get("GRANTOR_FUZZ_EXAMPLES", "40")
SECONDS = 170
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    ]
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "schemathesis.toml")
        config.write_text(configuration(), encoding="utf-8")
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run"]
        command += [f"{URL}/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES, "--checks", CHECKS]
        command += ["--phases", "examples,coverage,fuzzing", "--workers", "2", "--continue-on-failure"]
        command += ["--suppress-health-check", "all", "--warnings", "off", *sys.argv[1:]]
        return subprocess.run(command, cwd=folder, timeout=SECONDS, check=False).returncode


def configuration() -> str:
    """Who calls what. What may be called without, is called without too: `ignored_auth`."""
    client = post("/create-client")
    basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    form = b"grant_type=client_credentials&scope=read"
    token = post("/token", form, {"Authorization": f"Basic {basic}"})["access_token"]
    registered = post("/register", json.dumps({"redirect_uris": [f"{URL}/callback"]}).encode(), JSON)
    kept = registered["client_id"]
    headers = {
        "token": f"Basic {basic}",
        "deviceAuthorization": f"Basic {basic}",
        "introspect": f"Basic {basic}",
        "revoke": f"Basic {basic}",
        "protected": f"Bearer {token}",
        "secureData": f"Bearer {token}",
        "readClient": f"Bearer {registered['registration_access_token']}",
        "changeClient": f"Bearer {registered['registration_access_token']}",
    }
    parts = [
        f'[[operations]]\ninclude-operation-id = "{name}"\nheaders = {{ Authorization = "{header}" }}\n'
        for name, header in headers.items()
    ]
    parts += [
        f'[[operations]]\ninclude-operation-id = "{name}"\nparameters = {{ "path.client_id" = "{kept}" }}\n'
        for name in ("readClient", "changeClient")
    ]
    return "\n".join(parts)


JSON = {"Content-Type": "application/json"}


def post(path: str, body: bytes = b"", headers: dict | None = None) -> dict:
    request = urllib.request.Request(URL + path, data=body, headers=headers or {}, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
