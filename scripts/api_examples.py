"""The examples of the OpenAPI document, run one after the other against a demo.

An example is a curl command with shell variables; PLAN says in which order they run, what is done
before, and which members of an answer become variables for those that follow.
"""

import base64
import hashlib
import os
import subprocess
import time

import requests
from jwcrypto import jwk, jwt

import api_answers
import standin
from demo import EXTERNAL_SECRET, Demo
from person import Person

SECONDS = 20
# RFC 8037, appendix A.
ISSUER_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}


class Examples:
    """What the examples answered."""

    def __init__(self, demo: Demo):
        self.demo = demo
        self.variables = {"PASSWORD": demo.password, "EXTERNAL_SECRET": EXTERNAL_SECRET}
        self.answers: dict[tuple[str, str], str] = {}
        self.document = requests.get(f"{demo.issuer}/openapi.json", timeout=SECONDS).json()
        self.samples = {
            (operation["operationId"], sample["label"]): sample["source"]
            for path in self.document["paths"].values()
            for operation in path.values()
            if isinstance(operation, dict)
            for sample in operation["x-codeSamples"]
        }

    def run(self) -> list[str]:
        problems = []
        for step in PLAN:
            if callable(step):
                self.variables |= step(self.demo, self.variables)
                continue
            operation, label, status, *kept = step
            if (operation, label) not in self.samples:
                problems.append(f"api_examples.py: there is no example {operation}, {label!r}")
                continue
            problems += self.example(operation, label, status, dict(kept))
        never = self.samples.keys() - self.answers.keys()
        return problems + [f"api_examples.py: the example {own} is never run" for own in sorted(never)]

    def example(self, operation: str, label: str, status: int, kept: dict[str, str]) -> list[str]:
        command = self.samples[operation, label]
        raw = self.curl(command)
        if "|" in command:  # what the last program prints is the answer
            self.answers[operation, label] = self.plain(raw)
            return []
        answer = api_answers.parse(raw)
        if answer is None or answer.status != status:
            return [f"{operation}, {label!r}: not {status}\n{command}\n{raw}"]
        for name, member in kept.items():
            self.variables[name] = answer.body[member]
        self.answers[operation, label] = self.plain(answer.text())
        return []

    def curl(self, command: str) -> str:
        """The headers come too, unless something else reads the answer."""
        options = "-sS" if "|" in command else "-sS -i"
        script = f'curl() {{ command curl {options} "$@"; }}\n{command}'
        done = subprocess.run(
            ["bash", "-c", script],
            env=os.environ | self.variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.stdout or done.stderr

    def shown(self, text: str) -> str:
        """On the ports that everybody's demo has."""
        for after in (1, 2):
            text = text.replace(f"localhost:{self.demo.port + after}", f"localhost:{5050 + after}")
        for quoted in (":", "%3A"):
            text = text.replace(f"localhost{quoted}{self.demo.port}", f"localhost{quoted}5050")
        return text

    def plain(self, text: str) -> str:
        return self.shown(api_answers.normalise(text, self.variables))


def clients(demo: Demo, known: dict) -> dict[str, str]:
    """PKCE, an operator's client of every grant that starts from a person, and one on a device."""
    verifier = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    digest = hashlib.sha256(verifier.encode()).digest()
    web = demo.client(
        *("--redirect-uri", f"{demo.issuer}/callback", "--post-logout-redirect-uri", f"{demo.issuer}/"),
        *("--scope", "openid profile email read write"),
        *("--grant", "authorization_code", "--grant", "refresh_token", "--grant", "password"),
        *("--grant", "urn:ietf:params:oauth:grant-type:token-exchange"),
        *("--grant", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        *("--integration", "google"),
    )
    grants = ("--grant", "urn:ietf:params:oauth:grant-type:device_code", "--grant", "refresh_token")
    television = demo.client("--public", "--scope", "read", *grants)
    return {
        "VERIFIER": verifier,
        "CHALLENGE": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "WEB_ID": web["client_id"],
        "WEB_SECRET": web["client_secret"],
        "DEVICE_ID": television["client_id"],
    }


def code(demo: Demo, known: dict) -> dict[str, str]:
    pkce = {"code_challenge": known["CHALLENGE"], "code_challenge_method": "S256"}
    person = Person(demo.issuer, demo.password)
    return {"CODE": person.code(known["WEB_ID"], f"{demo.issuer}/callback", **pkce)}


def assertion(demo: Demo, known: dict) -> dict[str, str]:
    """What the issuer of scripts/api_docs.toml says about the demo account: RFC 7523 §3."""
    now = int(time.time())
    claims = {"iss": "https://issuer.example.com", "aud": demo.issuer, "sub": "demo_user"}
    claims |= {"iat": now, "exp": now + 300, "jti": os.urandom(8).hex()}
    token = jwt.JWT(header={"alg": "EdDSA", "kid": "rfc8037"}, claims=claims)
    token.make_signed_token(jwk.JWK(**ISSUER_KEY))
    return {"ASSERTION": token.serialize()}


def handed_over(demo: Demo, known: dict) -> dict[str, str]:
    """Somebody chooses to sign in on the operator's own page."""
    pkce = {"code_challenge": known["CHALLENGE"], "code_challenge_method": "S256"}
    person = Person(demo.issuer, demo.password)
    return {"CHALLENGE_ID": person.handed_over(known["WEB_ID"], f"{demo.issuer}/callback", **pkce)}


def approve(demo: Demo, known: dict) -> dict[str, str]:
    """Somebody types the code that the device shows, and allows."""
    person = Person(demo.issuer, demo.password)
    page = person.get(f"/device?user_code={known['USER_CODE']}")
    if page.is_redirect:
        page = person.sign_in(page)
        while page.is_redirect:
            page = person.get(page.headers["location"])
    while "decision" not in page.text:
        page = person.post(page, "user_code", user_code=known["USER_CODE"])
        while page.is_redirect:
            page = person.get(page.headers["location"])
    done = person.post(page, "decision", decision="allow")
    assert done.ok, done.text
    return {}


def api_key(demo: Demo, known: dict) -> dict[str, str]:
    """A key for everything that a service may do."""
    actions = [part for action in ("token", "connect", "manage", "proxy") for part in ("--action", action)]
    made = demo.grantor("apikey", "create", "--service", "reports", "--integration", "google", *actions, "--json")
    return {"API_KEY": made["key"]}


def allow(demo: Demo, known: dict) -> dict[str, str]:
    """Somebody follows the link."""
    return {"CONNECT_CODE": standin.allow(demo.google, known["CONNECT_URL"])}


def person_connects(demo: Demo, known: dict) -> dict[str, str]:
    """The demo account connects an account, through an application."""
    bearer = {"Authorization": f"Bearer {known['PERSON_TOKEN']}"}
    sub = requests.get(f"{demo.issuer}/userinfo", headers=bearer, timeout=SECONDS).json()["sub"]
    service = {"Authorization": f"Bearer {known['API_KEY']}"}
    asked = {"integration": "google", "subject": sub, "mode": "bound", "return_url": "https://app.example.com/connected"}
    link = requests.post(f"{demo.issuer}/connect/sessions", json=asked, headers=service, timeout=SECONDS).json()
    done = {"connect_code": standin.allow(demo.google, link["connect_url"]), "subject": sub}
    answer = requests.post(f"{demo.issuer}/connect/complete", json=done, headers=service, timeout=SECONDS)
    assert answer.ok, answer.text
    return {}


# A step is a function that makes variables, or an example: operation, label, status, and pairs of a
# variable with the member of the answer that it becomes.
PLAN = [
    ("alive", "Alive", 200),
    ("ready", "Ready", 200),
    ("openidConfiguration", "The metadata", 200),
    ("authorizationServerMetadata", "The metadata", 200),
    ("protectedResourceMetadata", "The metadata", 200),
    ("jwks", "The keys", 200),
    ("openapi", "Every operation", 200),
    ("createClient", "Make one", 200, ("CLIENT_ID", "client_id"), ("CLIENT_SECRET", "client_secret")),
    ("token", "Client credentials", 200, ("ACCESS_TOKEN", "access_token"), ("REFRESH_TOKEN", "refresh_token")),
    ("introspect", "A good token", 200),
    ("introspect", "Anything else", 200),
    ("protected", "With a token", 200),
    ("protected", "Without", 401),
    ("secureData", "With a token", 200),
    ("secureData", "With a wrong one", 401),
    ("token", "Refresh token", 200, ("ACCESS_TOKEN", "access_token")),
    ("token", "A wrong secret", 401),
    ("revoke", "Revoke", 200),
    ("register", "Metadata as JSON", 201, ("REGISTERED_ID", "client_id"), ("REGISTRATION_TOKEN", "registration_access_token")),
    ("register", "Chosen credentials as a form", 201),
    ("register", "A redirect URI that is refused", 400),
    ("readClient", "Read", 200),
    ("changeClient", "Another name", 200, ("REGISTRATION_TOKEN", "registration_access_token")),
    ("removeClient", "Remove", 204),
    clients,
    ("authorize", "What a client has the browser open", 303),
    ("authorize", "An error for the client", 303),
    ("authorizePost", "Posted", 303),
    code,
    ("token", "Authorization code", 200, ("PERSON_TOKEN", "access_token")),
    ("userinfo", "Claims", 200),
    ("userinfoPost", "The token in the body", 200),
    ("token", "Token exchange", 200),
    assertion,
    ("token", "JWT bearer", 200),
    ("token", "Password", 200),
    ("deviceAuthorization", "A public client", 200, ("DEVICE_CODE", "device_code"), ("USER_CODE", "user_code")),
    approve,
    ("token", "Device code", 200),
    handed_over,
    ("readExternalRequest", "Read", 200),
    ("acceptExternalRequest", "Accept", 200),
    handed_over,
    ("rejectExternalRequest", "Reject", 200),
    api_key,
    ("vaultToken", "A wrong key", 401),
    ("beginConnect", "For a subject", 201, ("SESSION_ID", "id"), ("CONNECT_URL", "connect_url")),
    allow,
    ("readConnect", "How far it is", 200),
    ("completeConnect", "After the browser is back", 200, ("CONNECTION_ID", "connection_id")),
    ("vaultToken", "The only connection", 200, ("PROVIDER_TOKEN", "access_token")),
    ("vaultToken", "By subject and scopes", 200),
    ("vaultToken", "With a form", 200),
    ("vaultRefresh", "Any other", 200),
    ("vaultRefresh", "After a 401", 200),
    ("listConnections", "Those that need a person", 200),
    ("readConnection", "One connection", 200),
    ("beginConnect", "Granted again, with more scopes", 201),
    ("proxyGet", "Call", 200),
    ("proxyPost", "Call", 200),
    person_connects,
    ("token", "Token exchange for a provider's token", 200),
    ("disconnect", "Give it back", 200),
    ("logout", "With nobody signed in", 303),
    ("logoutPost", "Posted without cookies", 303),
]
