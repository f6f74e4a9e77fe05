"""nginx with the example of deploy/nginx in front of a Grantor and of nodes that play dead.

Its ports, certificates and nodes are replaced by throwaway ones; nothing else of it is changed.
"""

import contextlib
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 20
HOST = "login.example.com"
# Who asks; nginx and the nodes are 127.0.0.1.
CLIENT = "127.0.0.2"
BUSY = b'{"error":"temporarily_unavailable"}'


def problems(example: Path, grantor: Path) -> list[str]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not nginx:
        return ["nginx is not there"]
    with tempfile.TemporaryDirectory() as folder:
        front = Front(nginx, example.read_text(encoding="utf-8"), Path(folder))
        taken = front.taken([1, 2])
        return taken or [*of_addresses(front, grantor, Path(folder)), *of_repetition(front)]


class Front:
    """nginx with the example, anew for each list of nodes."""

    def __init__(self, nginx: str, example: str, folder: Path):
        self.nginx, self.example, self.folder = nginx, example, folder
        self.plain, self.port = free_port(), free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
             "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
            check=True, capture_output=True,
        )  # fmt: skip

    def write(self, nodes: list[int]) -> list[str]:
        """The configuration with these ports as nodes, and the arguments that begin with it."""
        text = self.example.replace("/etc/nginx/tls", str(self.folder))
        text = re.sub(r"listen \[::\].*;", "", text)
        text = re.sub(r"listen 80;", f"listen 127.0.0.1:{self.plain};", text)
        text = re.sub(r"listen 443 ", f"listen 127.0.0.1:{self.port} ", text)
        servers = re.findall(r"^ *server grantor-\d+:5050 ?(.*);$", text, re.MULTILINE)
        text = re.sub(r"^ *server grantor-\d+:5050.*;\n", "", text, flags=re.MULTILINE)
        own = "".join(f"server 127.0.0.1:{port} {servers[0]};" for port in nodes)
        text = text.replace("least_conn;", f"least_conn; {own}")
        temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{name}_temp_path {self.folder}/{name};" for name in temporary)
        config = self.folder / "nginx.conf"
        config.write_text(
            f"pid {self.folder}/pid; error_log stderr; daemon off; master_process off; events {{}}\n"
            f"http {{ access_log off; {paths}\n{text} }}"
        )
        return [self.nginx, "-p", str(self.folder), "-e", "stderr", "-c", str(config)]

    def taken(self, nodes: list[int]) -> list[str]:
        done = subprocess.run([*self.write(nodes), "-t"], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if "[" in line]
        return said or ([done.stderr] if done.returncode else [])

    @contextlib.contextmanager
    def before(self, nodes: list[int]) -> Iterator["Front"]:
        log = self.folder / "log"
        with log.open("w") as out:
            process = subprocess.Popen(self.write(nodes), stderr=out)
        try:
            wait_for(lambda: connects(self.port), "nginx")
            yield self
        finally:
            process.terminate()
            process.wait(timeout=SECONDS)

    def ask(self, method: str, path: str = "/", body: bytes | None = None, headers: dict | None = None):
        """Status, headers and body of an answer, over TLS whose certificate is checked."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        raw = socket.create_connection(("127.0.0.1", self.port), SECONDS, (CLIENT, 0))
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=SECONDS)
        connection.sock = context.wrap_socket(raw, server_hostname=HOST)
        with contextlib.closing(connection):
            return exchange(connection, method, path, body, headers)

    def ask_plainly(self, method: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=SECONDS)
        with contextlib.closing(connection):
            return exchange(connection, method, "/login?a=b", None, {"Host": HOST})


def exchange(connection, method: str, path: str, body: bytes | None, headers: dict | None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def of_addresses(front: Front, grantor: Path, folder: Path) -> list[str]:
    """Grantor behind nginx sees who asks, whatever is asked."""
    node, found = free_port(), []
    own = {"GRANTOR_DATA": str(folder / "data"), "GRANTOR__ISSUER": f"https://{HOST}", "GRANTOR__LISTEN__PORT": str(node)}
    own |= {"GRANTOR__LISTEN__TRUSTED_PROXIES": "127.0.0.1", "GRANTOR__LOG__LEVEL": "debug"}
    log = folder / "grantor-log"
    with log.open("w") as out:
        process = subprocess.Popen([grantor, "serve"], env=own, stdout=out, stderr=out)
    try:
        wait_for(lambda: connects(node), "Grantor")
        with front.before([node]):
            forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
            status, headers, _ = front.ask("GET", "/login", headers=forged)
            wait_for(lambda: "route=\"/login\"" in log.read_text(), "the line about a request")
            line = next(line for line in log.read_text().splitlines() if "route=\"/login\"" in line)
            if status >= 400 or f"source={CLIENT}" not in line:
                found.append(f"a forged address: {status}, {line}")
            if "max-age" not in headers.get("Strict-Transport-Security", ""):
                found.append("there is no Strict-Transport-Security")
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            status, _, body = front.ask("POST", "/token", b"a=" + b"b" * 70_000, form)
            if status != 413 or b'"error"' not in body:
                found.append(f"a body that is too large for Grantor: {status} {body[:80]!r}, which is not Grantor's")
            status, _, _ = front.ask("GET", "/authorize?state=" + "s" * 20_000)
            if status in (414, 431, 502):
                found.append(f"a long authorization request: {status}")
            if (status := front.ask_plainly("GET"))[0] != 301 or HOST not in status[1].get("Location", ""):
                found.append(f"a page without TLS: {status[0]}")
            if (status := front.ask_plainly("POST"))[0] != 403:
                found.append(f"a form without TLS: {status[0]}")
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)
    return found


def of_repetition(front: Front) -> list[str]:
    """What may have been done is not done again."""
    found = []
    for method, times, path in (("POST", 1, "/token"), ("GET", 2, "/jwks.json"), ("PUT", 1, "/proxy/google/x")):
        with Node("dies") as one, Node("dies") as two, front.before([one.port, two.port]):
            status, _, _ = front.ask(method, path, b"a=b" if method != "GET" else None)
            count = one.count + two.count
            if status != 502 or count != times:
                found.append(f"{method} {path} at nodes that die: {status}, sent {count} times, not {times}")
    with Node("answers") as node, front.before([free_port(), node.port]):
        for _ in range(4):
            if (status := front.ask("POST", "/token", b"a=b")[0]) != 200:
                found.append(f"POST beside a node that is gone: {status}")
    with Node("is busy") as one, Node("is busy") as two, front.before([one.port, two.port]):
        # Several: a node that nginx holds to have failed is left out from then on.
        for method in ("GET", "POST") * 3:
            status, headers, body = front.ask(method, "/token", b"a=b" if method == "POST" else None)
            if (status, headers.get("Retry-After"), body) != (503, "1", BUSY):
                found.append(f"503 of a node at {method}: {status} {headers.get('Retry-After')} {body[:80]!r}")
    return found


class Node:
    """Takes a request, counts it, and answers or hangs up."""

    def __init__(self, what: str):
        self.what, self.count = what, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> "Node":
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        # Closing alone does not wake the thread that waits in accept.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.answer(connection)

    def answer(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        if not whole_request(connection):
            return
        self.count += 1
        if self.what == "answers":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        elif self.what == "is busy":
            head = f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: {len(BUSY)}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + BUSY)


def whole_request(connection: socket.socket) -> bool:
    """Whether there was one: wait_for, too, connects."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65_536)
        if not part:
            return False
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {SECONDS} seconds")
        time.sleep(0.02)
