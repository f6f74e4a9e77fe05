#!/usr/bin/env python3
"""Run the Postman collection against a demo, from beginning to end.

With a client and an assertion for the grants that only an operator gives, so that these are answered
with tokens and not with refusals. Run it with a Python that has `requests` and `jwcrypto`, as
scripts/test does. GRANTOR_BIN is the program, GRANTOR_POSTMAN_PORT the port (default 25090). What is
given on the command line goes to newman.
"""

import os
import subprocess
import sys

from api_examples import api_key, assertion
from demo import ROOT, Demo

NEWMAN = ROOT / "scripts/node/node_modules/.bin/newman"
FOLDER = ROOT / "docs/postman"
GRANTS = ("client_credentials", "token_exchange", "jwt_bearer", "password")


def main() -> int:
    port = int(os.environ.get("GRANTOR_POSTMAN_PORT", "25090"))
    with Demo(port, ROOT / "scripts/api_docs.toml") as demo:
        grants = [part for grant in GRANTS for part in ("--grant", grant)]
        client = demo.client("--scope", "openid read", *grants)
        variables = {
            "issuer": demo.issuer,
            "sample": demo.sample,
            "google": demo.google,
            "api_key": api_key(demo, {})["API_KEY"],
            "password": demo.password,
            "exchange_id": client["client_id"],
            "exchange_secret": client["client_secret"],
            "assertion": assertion(demo, {})["ASSERTION"],
        }
        command = [NEWMAN, "run", FOLDER / "grantor.postman_collection.json"]
        command += ["--environment", FOLDER / "grantor-demo.postman_environment.json"]
        for name, value in variables.items():
            command += ["--env-var", f"{name}={value}"]
        command += ["--color", "off", "--reporter-cli-no-success-assertions", "--reporter-cli-no-banner"]
        return subprocess.run([*command, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
