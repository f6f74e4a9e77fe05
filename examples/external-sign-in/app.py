#!/usr/bin/env python3
"""A sign-in page of your own for Grantor: an e-mailed token, with Python's standard library only.

Settings come from the environment:
  GRANTOR_URL  the issuer, such as http://localhost:5050
  SECRET       what sign_in.external.secret is set to
  PORT         where this page listens (5060)
  SMTP_HOST    where mail goes; without one the token is printed, to try it
"""

import hmac
import html
import json
import os
import secrets
import smtplib
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GRANTOR = os.environ["GRANTOR_URL"].rstrip("/")
SECRET = os.environ["SECRET"]
LIFETIME, TRIES = 600, 5
waiting = {}  # login_challenge: who wants to sign in, with which token, until when


def grantor(challenge, action="", answer=None):
    """Asks Grantor about a sign-in, or tells it the outcome."""
    path = urllib.parse.quote(challenge, safe="") + (f"/{action}" if action else "")
    body = None if answer is None else json.dumps(answer).encode()
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{GRANTOR}/external/requests/{path}", body, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def send(email, token):
    if not os.environ.get("SMTP_HOST"):
        print(f"token for {email}: {token}", flush=True)
        return
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "no-reply@example.com", email, "Your token"
    mail.set_content(f"Your token is {token}. It lives ten minutes and works once.")
    with smtplib.SMTP(os.environ["SMTP_HOST"]) as smtp:
        smtp.send_message(mail)


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.ask(query.get("login_challenge", [""])[0])

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length") or 0), 10_000)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        challenge, email, token, stop = (
            form.get(name, [""])[0].strip() for name in ("challenge", "email", "token", "stop"))
        if stop:
            return self.go(challenge, "reject", {"reason": "You went back."})
        for old in [own for own, (_, _, until, _) in waiting.items() if time.time() > until]:
            waiting.pop(old, None)
        # One mail for each sign-in that Grantor knows, so that nobody is sent mail for nothing.
        if email and challenge not in waiting and self.client(challenge) is not None:
            token = secrets.token_hex(4)
            waiting[challenge] = [email.lower(), token, time.time() + LIFETIME, TRIES]
            send(email, token)
        if email or challenge not in waiting:
            return self.ask(challenge, "" if email else "That token is over. Ask for a new one.")
        self.check(challenge, token)

    def check(self, challenge, token):
        email, right, _, tries = waiting[challenge]
        if tries < 1:
            return self.answer(400, "<h1>Too many tries</h1><p>Start again from the application.</p>")
        if not hmac.compare_digest(token.lower().encode(), right.encode()):
            waiting[challenge][3] -= 1
            return self.ask(challenge, "That token is not right.")
        del waiting[challenge]
        # The subject is this page's own name for the person. The address is proved: mail reached it.
        self.go(challenge, "accept", {"subject": f"mail:{email}", "email": email,
                                      "email_verified": True, "amr": ["otp"]})

    def client(self, challenge):
        """What the person signs in to, as Grantor says; None for a challenge that it does not know."""
        try:
            return (grantor(challenge)["client"] or {}).get("client_name", "your account")
        except urllib.error.HTTPError:
            return None

    def ask(self, challenge, problem=""):
        """Shows the form that comes next."""
        name = self.client(challenge)
        if name is None:
            return self.answer(400, "<h1>This link no longer works</h1><p>Start again.</p>")
        field = ("token", "Token", "text") if challenge in waiting else ("email", "E-mail", "email")
        self.answer(200, f"""<h1>Sign in to continue to {html.escape(name)}</h1>
            <p role="alert">{problem}</p>
            <form method="post"><input type="hidden" name="challenge" value="{html.escape(challenge)}">
            <label for="{field[0]}">{field[1]}</label>
            <input id="{field[0]}" name="{field[0]}" type="{field[2]}" autofocus>
            <button>Continue</button> <button name="stop" value="1">Go back</button></form>""")

    def go(self, challenge, action, answer):
        """Tells Grantor, and sends the browser where it says."""
        try:
            location = grantor(challenge, action, answer)["redirect_to"]
        except urllib.error.HTTPError:
            return self.answer(400, "<h1>This link no longer works</h1><p>Start again.</p>")
        self.answer(303, "", location)

    def answer(self, status, body, location=None):
        page = f"<!doctype html><html lang=en><meta charset=utf-8><title>Sign in</title>{body}"
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        """Nothing: addresses of this page have challenges in them."""


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "5060"))
    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    print(f"sign-in page on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
