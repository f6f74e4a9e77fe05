#!/usr/bin/env python3
"""A real SMTP server for the tests (PyPI aiosmtpd) that puts each mail into a folder.

    smtpd.py FOLDER [--port N] [--certificate PEM --key PEM [--tls]] [--account NAME:PASSWORD]
             [--refuse N]

Prints `ready PORT`. With a certificate STARTTLS is demanded, or, with --tls, TLS from the first
byte. --refuse answers the first N mails with a temporary failure.
"""

import argparse
import itertools
import pathlib
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Folder:
    """Takes mail: `0001.eml` is what came in the envelope of `0001.to`."""

    def __init__(self, path: pathlib.Path, refuse: int):
        self.path, self.refuse, self.numbers = path, refuse, itertools.count(1)

    async def handle_DATA(self, server, session, envelope):
        if self.refuse > 0:
            self.refuse -= 1
            return "451 Try again later"
        name = f"{next(self.numbers):04}"
        (self.path / f"{name}.to").write_text("\n".join(envelope.rcpt_tos))
        aside = self.path / f"{name}.part"
        aside.write_bytes(envelope.content)
        aside.rename(self.path / f"{name}.eml")
        return "250 Taken"


class Server(Controller):
    def __init__(self, handler, options):
        self.options = options
        context = None
        if options.certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(options.certificate, options.key)
        self.starttls = None if options.tls else context
        super().__init__(
            handler,
            hostname="127.0.0.1",
            port=options.port,
            ssl_context=context if options.tls else None,
        )

    def factory(self):
        account = self.options.account
        return SMTP(
            self.handler,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            auth_required=account is not None,
            auth_require_tls=False,
            authenticator=self.authenticate if account else None,
        )

    def authenticate(self, server, session, envelope, mechanism, data):
        name, password = self.options.account.split(":", 1)
        right = isinstance(data, LoginPassword) and (
            data.login.decode(),
            data.password.decode(),
        ) == (name, password)
        return AuthResult(success=right)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--account")
    parser.add_argument("--refuse", type=int, default=0)
    options = parser.parse_args()
    server = Server(Folder(options.folder, options.refuse), options)
    server.start()
    print("ready", options.port, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop()


if __name__ == "__main__":
    main()
