#!/usr/bin/env python3
"""Run a command beside a fresh demo: `scripts/demo.py [--config FILE] PORT COMMAND…`.

The demo has a data folder of its own, which goes with it. The command finds it by GRANTOR_URL,
SAMPLE_URL, GOOGLE_URL (the stand-in for Google), GRANTOR_BIN, GRANTOR_FOLDER (its data), and
DEMO_PASSWORD of the account demo_user; the exit status is the command's. GRANTOR_BIN names the program (default: target/release/grantor).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
EXTERNAL_SECRET = "only-for-these-examples"  # in scripts/api_docs.toml


class Demo:
    """A demo on a port and the next two, as long as the `with` block."""

    def __init__(self, port: int, config: Path | None = None):
        self.program = Path(os.environ.get("GRANTOR_BIN", ROOT / "target/release/grantor")).resolve()
        self.port, self.config = port, config
        self.issuer, self.sample = f"http://localhost:{port}", f"http://localhost:{port + 1}"
        self.google = f"http://localhost:{port + 2}"

    def __enter__(self) -> "Demo":
        if not self.program.is_file():
            sys.exit(f"{self.program} is not there: build it, or name it in GRANTOR_BIN")
        self.folder = tempfile.TemporaryDirectory()
        self.data = Path(self.folder.name, "data")
        command = [self.program, "demo", "--data", self.data, "--port", str(self.port)]
        command += ["--config", self.config] if self.config else []
        self.log = Path(self.folder.name, "log")
        with self.log.open("w") as out:
            self.process = subprocess.Popen(command, env=clean(), stdout=out, stderr=out)
        if not self.ready():
            log = self.log.read_text()
            self.__exit__()
            sys.exit(f"the demo did not start:\n{log}")
        self.password = (self.data / "demo-password").read_text().strip()
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS)
        self.folder.cleanup()

    def ready(self) -> bool:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if all(answers(url) for url in (f"{self.issuer}/readyz", f"{self.sample}/healthz")):
                return True
            time.sleep(0.1)
        return False

    def client(self, *arguments: str) -> dict[str, str]:
        """Registers a client on the command line."""
        return self.grantor("client", "add", "--json", *arguments)

    def grantor(self, *arguments: str) -> dict:
        """What a command with --json prints."""
        command = [self.program, "--config", self.data / "grantor.toml", *arguments]
        done = subprocess.run(command, env=clean(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"grantor {' '.join(arguments)}:\n{done.stderr}")
        return json.loads(done.stdout)

    def environment(self) -> dict[str, str]:
        return clean() | {
            "GRANTOR_BIN": str(self.program),
            "GRANTOR_FOLDER": str(self.data),
            "GRANTOR_URL": self.issuer,
            "SAMPLE_URL": self.sample,
            "GOOGLE_URL": self.google,
            "DEMO_PASSWORD": self.password,
        }


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def clean() -> dict[str, str]:
    """The environment without settings of Grantor, but for those of this very run."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRANTOR_") or "__" in name}


def main() -> int:
    arguments = sys.argv[1:]
    config = None
    if arguments[:1] == ["--config"]:
        config, arguments = Path(arguments[1]), arguments[2:]
    if len(arguments) < 2 or not arguments[0].isdigit():
        sys.exit(__doc__)
    with Demo(int(arguments[0]), config) as demo:
        done = subprocess.run(arguments[1:], env=demo.environment(), check=False)
        if done.returncode != 0:
            print(f"--- log of the demo\n{demo.log.read_text()[-4000:]}", file=sys.stderr)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
