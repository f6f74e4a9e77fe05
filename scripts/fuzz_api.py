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

import standin
from demo import EXTERNAL_SECRET
from person import Person

URL = os.environ["GRANTOR_URL"]
SEED = "20260901"
EXAMPLES = "120"
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
        command += ["--request-timeout", "20", "--request-retries", "2"]
        command += ["--suppress-health-check", "all", "--warnings", "off", *sys.argv[1:]]
        return subprocess.run(command, cwd=folder, timeout=SECONDS, check=False).returncode


def configuration() -> str:
    """Who calls what. What may be called without, is called without too: `ignored_auth`."""
    asker, holder = post("/create-client"), post("/create-client")
    # Each of its new tokens ends the one before, so whoever asks for tokens is not who uses one.
    token = tokens(holder, "grant_type=client_credentials&scope=read")["access_token"]
    device = register(grant_types=["urn:ietf:params:oauth:grant-type:device_code"], response_types=[])
    web = register(redirect_uris=[f"{URL}/callback"], scope="openid profile email read")
    somebody = Person(URL, os.environ["DEMO_PASSWORD"])
    challenge = somebody.handed_over(web["client_id"], f"{URL}/callback")
    code = somebody.code(web["client_id"], f"{URL}/callback")
    answer = f"grant_type=authorization_code&code={code}&redirect_uri={URL}/callback"
    person = tokens(web, answer)["access_token"]
    kept = f"Bearer {web['registration_access_token']}"
    key, connection = api_key(), None
    for subject in ("one", "two"):
        connection = connected(key, subject)
    service = f"Bearer {key}"
    headers = {
        "token": basic(asker),
        "deviceAuthorization": basic(device),
        "introspect": basic(asker),
        "revoke": basic(asker),
        "protected": f"Bearer {token}",
        "secureData": f"Bearer {token}",
        "userinfo": f"Bearer {person}",
        "readClient": kept,
        "changeClient": kept,
        "vaultToken": service,
        "vaultRefresh": service,
        "beginConnect": service,
        "readConnect": service,
        "completeConnect": service,
        "listConnections": service,
        "readConnection": service,
        "disconnect": service,
        "readExternalRequest": f"Bearer {EXTERNAL_SECRET}",
        "acceptExternalRequest": f"Bearer {EXTERNAL_SECRET}",
        "rejectExternalRequest": f"Bearer {EXTERNAL_SECRET}",
    }
    parameters = {
        "authorize": {"query.client_id": web["client_id"], "query.redirect_uri": f"{URL}/callback"},
        "logout": {"query.client_id": web["client_id"]},
        "readClient": {"path.client_id": web["client_id"]},
        "changeClient": {"path.client_id": web["client_id"]},
        "readConnection": {"path.id": connection},
        "readExternalRequest": {"path.challenge": challenge},
        "acceptExternalRequest": {"path.challenge": challenge},
    }
    parts = []
    for name in headers.keys() | parameters.keys():
        parts.append(f'[[operations]]\ninclude-operation-id = "{name}"')
        if name in headers:
            parts.append(f'headers = {{ Authorization = "{headers[name]}" }}')
        for parameter, value in parameters.get(name, {}).items():
            parts.append(f'parameters."{parameter}" = "{value}"')
    return "\n".join(parts)


def api_key() -> str:
    """One for everything that a service may do."""
    command = [os.environ["GRANTOR_BIN"], "--config", f"{os.environ['GRANTOR_FOLDER']}/grantor.toml"]
    command += ["apikey", "create", "--service", "noise", "--integration", "google", "--json"]
    for action in ("token", "connect", "manage", "proxy"):
        command += ["--action", action]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["key"]


def connected(key: str, subject: str) -> str:
    """The id of a connection."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"{os.environ['SAMPLE_URL']}/calendar/connected"
    asked = {"integration": "google", "subject": subject, "return_url": url}
    link = post("/connect/sessions", json.dumps(asked).encode(), headers)["connect_url"]
    code = standin.allow(os.environ["GOOGLE_URL"], link)
    done = post("/connect/complete", json.dumps({"connect_code": code, "subject": subject}).encode(), headers)
    return done["connection_id"]


def register(**metadata) -> dict:
    return post("/register", json.dumps(metadata).encode(), {"Content-Type": "application/json"})


def tokens(client: dict, form: str) -> dict:
    return post("/token", form.encode(), {"Authorization": basic(client)})


def basic(client: dict) -> str:
    pair = f"{client['client_id']}:{client['client_secret']}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def post(path: str, body: bytes = b"", headers: dict | None = None) -> dict:
    request = urllib.request.Request(URL + path, data=body, headers=headers or {}, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
