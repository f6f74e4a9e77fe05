#!/usr/bin/env python3
"""Hold deploy/ and docs/operating.md to what the program takes, and to what reads these files.

- Every setting and every environment variable that they name exists; the settings files can be used.
- The systemd unit is read without a complaint, and what it leaves open is below EXPOSURE.
- The compose file fits its schema, names nothing that is not in it, and agrees with nginx's file.
- The Dockerfile passes hadolint, and copies what is there.
- The Helm chart is linted and rendered; what comes out fits the API of Kubernetes.
- nginx takes its example, and does with it what the example says: scripts/deploy_nginx.py.
- Every metric that docs/operating.md names is one, and its SQL fits the schema.

GRANTOR_BIN names the program (default: target/debug/grantor). Run it with the Python of the tests,
which has the tools beside it. Prints what is wrong; the exit status is 1 when anything is.
"""

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

import deploy_nginx

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm/grantor"
TOOLS = Path(sys.executable).parent
GRANTOR = Path(os.environ.get("GRANTOR_BIN", ROOT / "target/debug/grantor")).resolve()

# Tenths, as `systemd-analyze security` counts: 12 of 100 is what the network and the sockets are.
EXPOSURE = 15
KUBERNETES = ("1.27.0", "1.37.0")
VARIABLE = re.compile(r"\bGRANTOR__[A-Z0-9_]+\b")
METRIC = re.compile(r"`([a-z][a-z_]+_(?:total|seconds|pending))\b")
SECRETS = re.compile(r"/(?:etc/grantor|run/secrets(?:/grantor)?)/([\w-]+)")
FILES = {"key-encryption-key": "00" * 32, "store-url": "postgres://grantor:secret@db.example.com/grantor"}


def main() -> int:
    if not GRANTOR.is_file():
        sys.exit(f"{GRANTOR} is not there: build it, or name it in GRANTOR_BIN")
    schema = json.loads(run(GRANTOR, "config", "schema").stdout)
    checks = {
        "settings": lambda: settings(schema),
        "stopping": lambda: stopping(schema),
        "systemd": systemd,
        "compose": compose,
        "Dockerfile": dockerfile,
        "Helm chart": lambda: chart(schema),
        "nginx": lambda: deploy_nginx.problems(DEPLOY / "nginx/grantor.conf", GRANTOR),
        "metrics": metrics,
        "SQL": sql,
    }
    problems = [f"{name}: {problem}" for name, check in checks.items() for problem in check()]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(checks)} checks of deploy/ and docs/operating.md, {len(problems)} problems")
    return 1 if problems else 0


def run(*command, text: str | None = None) -> subprocess.CompletedProcess:
    # Nothing that is set here for another Grantor.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GRANTOR")}
    return subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, env=own)


def complaints(*command, text: str | None = None) -> list[str]:
    """What a program that should have nothing to say has said."""
    done = run(*command, text=text)
    said = (done.stdout + done.stderr).strip().splitlines()
    return said or [f"{command[0]} ended with {done.returncode}"] if done.returncode else []


def settings(schema: dict) -> list[str]:
    papers = [path for path in DEPLOY.rglob("*") if path.is_file()] + [ROOT / "docs/operating.md"]
    problems = []
    for path in papers:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        for variable in sorted(set(VARIABLE.findall(text))):
            if not known(schema, variable.removeprefix("GRANTOR__").lower().split("__")):
                problems.append(f"{name}: there is no setting for {variable}")
        for setting in sorted(mentioned(schema, text)):
            if not known(schema, setting.split(".")):
                problems.append(f"{name}: there is no setting {setting}")
    for path in DEPLOY.rglob("grantor.toml"):
        problems += unusable(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
        problems += unknown(schema, path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    return problems


def mentioned(schema: dict, text: str) -> set[str]:
    """Names like `listen.port`, in papers and in comments, that begin with a section."""
    sections = "|".join(name for name, own in schema["properties"].items() if "object" in str(present(own).get("type")))
    text = re.sub(r"^\[\[?.*$", "", text, flags=re.MULTILINE)
    found = re.findall(rf"(?<![\w./@-])(?:{sections})(?:\.\w+)+(?![\w/-])", text)
    return {name for name in found if not name.endswith((".toml", ".example", ".com", ".md", ".internal"))}


def known(schema: dict, path: list[str]) -> bool:
    for key in path:
        schema = present(schema)
        named = schema.get("properties", {}).get(key)
        free = schema.get("additionalProperties")
        if named is None and not isinstance(free, dict):
            return False
        schema = named if named is not None else free
    return True


def present(schema: dict) -> dict:
    """The schema of a value that is there, where `null` would be allowed too."""
    return next((one for one in schema.get("anyOf", []) if one.get("type") != "null"), schema)


def unknown(schema: dict, text: str, name: str) -> list[str]:
    """Settings that a file has, those that are commented out too, and the schema has not."""
    text = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    found = []

    def walk(table: dict, path: list[str]):
        for key, value in table.items():
            if not known(schema, [*path, key]):
                found.append(f"{name}: there is no setting {'.'.join([*path, key])}")
            elif isinstance(value, dict):
                walk(value, [*path, key])

    walk(tomllib.loads(text), [])
    return found


def unusable(text: str, name: str) -> list[str]:
    """What the program says of such a file, with files in the places of the secrets."""
    with tempfile.TemporaryDirectory() as folder:
        for secret in SECRETS.findall(text):
            Path(folder, secret).write_text(FILES.get(secret.replace("_", "-"), "secret"))
        file = Path(folder, "settings.toml")
        file.write_text(SECRETS.sub(lambda found: f"{folder}/{found[1]}", text))
        return [f"{name}: {line}" for line in complaints(GRANTOR, "--config", file, "config", "check")]


def stopping(schema: dict) -> list[str]:
    """Whoever stops a process waits for longer than it may take."""
    listen, vault = present(schema["properties"]["listen"]), present(schema["properties"]["vault"])
    needed = seconds(listen["properties"]["shutdown_timeout"]["default"])
    needed += seconds(vault["properties"]["deadline"]["default"])
    drain = tomllib.loads((DEPLOY / "compose/grantor.toml").read_text(encoding="utf-8"))["listen"]["drain"]
    unit = re.search(r"^TimeoutStopSec=(\w+)$", (DEPLOY / "systemd/grantor.service").read_text(), re.MULTILINE)
    nodes = [own for name, own in composed()["services"].items() if name.startswith("grantor")]
    waits = {"the unit": seconds(unit[1]) - seconds(drain), "the chart": values()["shutdown"]["graceSeconds"]}
    waits |= {"compose": min(seconds(own["stop_grace_period"]) for own in nodes) - seconds(drain)}
    problems = [f"{who} waits for {own} s, and {needed} s are needed" for who, own in waits.items() if own <= needed]
    proxy = (DEPLOY / "nginx/grantor.conf").read_text(encoding="utf-8")
    for period in re.findall(r"(?:keepalive_timeout |fail_timeout=)(\w+);", proxy):
        if seconds(period) >= seconds(drain):
            problems.append(f"nginx takes {period} for what has to be over when a node has been stopping for {drain}")
    return problems


def seconds(period: str) -> int:
    return int(period[:-1]) * {"s": 1, "m": 60, "h": 3600}[period[-1]]


def systemd() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder, "grantor.service")
        text = (DEPLOY / "systemd/grantor.service").read_text(encoding="utf-8")
        unit.write_text(text.replace("/usr/local/bin/grantor", str(GRANTOR)))
        verified = run("systemd-analyze", "verify", unit)
        problems = (verified.stdout + verified.stderr).strip().splitlines()
        if verified.returncode and not problems:
            problems = [f"systemd-analyze verify ended with {verified.returncode}"]
        looked = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", unit)
        if looked.returncode:
            problems += looked.stderr.splitlines() + looked.stdout.splitlines()[-1:]
        return problems


def composed() -> dict:
    return yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text(encoding="utf-8"))


def compose() -> list[str]:
    path, file = DEPLOY / "compose/compose.yaml", composed()
    problems = complaints(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)
    for name, service in file["services"].items():
        for kind in ("secrets", "networks"):
            problems += [f"{name}: {own} is not in {kind}" for own in service.get(kind, []) if own not in file[kind]]
        problems += [f"{name}: no service {own}" for own in service.get("depends_on", []) if own not in file["services"]]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            made = source.startswith("./") and f"{(path.parent / source).relative_to(ROOT)}/" in ignored()
            if source not in file["volumes"] and not made and not (path.parent / source).is_file():
                problems.append(f"{name}: there is no {source}")
    for own in file["secrets"].values():
        if not any((path.parent / own["file"]).relative_to(ROOT).is_relative_to(folder) for folder in ignored()):
            problems.append(f"{own['file']} could be committed: name its folder in .gitignore")
    return problems + together(file)


def ignored() -> list[str]:
    return (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def together(file: dict) -> list[str]:
    """What the compose file, the settings of its nodes and nginx's file have to agree about."""
    nodes = {name: own for name, own in file["services"].items() if name.startswith("grantor")}
    own = tomllib.loads((DEPLOY / "compose/grantor.toml").read_text(encoding="utf-8"))
    proxy = file["services"]["nginx"]["networks"]["front"]["ipv4_address"]
    problems = []
    if own["listen"]["trusted_proxies"] != [proxy]:
        problems.append(f"the nodes do not trust {proxy}, which is nginx")
    named = set(re.findall(r"^\s*server ([\w-]+):5050", (DEPLOY / "nginx/grantor.conf").read_text(), re.MULTILINE))
    if named != set(nodes):
        problems.append(f"nginx leads to {sorted(named)}, and the nodes are {sorted(nodes)}")
    text = (DEPLOY / "compose/grantor.toml").read_text(encoding="utf-8")
    for secret in re.findall(r"/run/secrets/(\w+)", text):
        problems += [f"{name} has no secret {secret}" for name, node in nodes.items() if secret not in node["secrets"]]
    return problems


def dockerfile() -> list[str]:
    path = DEPLOY / "Dockerfile"
    problems = complaints(TOOLS / "hadolint", path)
    kept = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    for line in re.findall(r"^COPY (?!--from)(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        for source in line.split()[:-1]:
            if not (ROOT / source).exists() or source not in kept:
                problems.append(f"{source} is copied, and is not there or is ignored")
    user = re.search(r"^USER (\d+):\d+$", path.read_text(encoding="utf-8"), re.MULTILINE)
    rendered = (CHART / "templates/deployment.yaml").read_text(encoding="utf-8")
    if not user or f"runAsUser: {user[1]}\n" not in rendered:
        problems.append("its user is not that of the chart")
    return problems


def values() -> dict:
    return yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


LEAST = {"issuer": "https://login.example.com", "secrets": {"existingSecret": "grantor"}}
MOST = LEAST | {
    "imagePullSecrets": [{"name": "registry"}],
    "extraSecrets": [{"name": "mail", "mountPath": "/run/secrets/mail"}],
    "trustedProxies": ["10.42.0.0/16", "fd00::/8"],
    "listen": {"address": "::"},
    "service": {"annotations": {"a": "b"}},
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "networkPolicy": {
        "enabled": True,
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "metricsFrom": [{"podSelector": {}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
    },
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}
# Each has to be refused.
WRONG = {
    "no issuer": {"secrets": LEAST["secrets"]},
    "an issuer with a path": LEAST | {"issuer": "https://example.com/login"},
    "no Secret": {"issuer": LEAST["issuer"]},
    "a value that is not known": LEAST | {"replicas": 3},
    "an ingress without a certificate": LEAST | {"ingress": {"enabled": True}},
    "a network policy for nobody": LEAST | {"networkPolicy": {"enabled": True}},
}


def chart(schema: dict) -> list[str]:
    problems = []
    for name, own in {"least": LEAST, "most": MOST}.items():
        linted = run(TOOLS / "helm", "lint", "--strict", CHART, "--values", "-", text=json.dumps(own))
        problems += [f"{name}: {line}" for line in linted.stdout.splitlines() if linted.returncode and line]
        rendered = run(TOOLS / "helm", "template", "own", CHART, "--values", "-", text=json.dumps(own))
        if rendered.returncode:
            problems.append(f"{name}: {rendered.stderr}")
            continue
        problems += [f"{name}: {problem}" for problem in manifests(schema, rendered.stdout)]
    for name, own in WRONG.items():
        if run(TOOLS / "helm", "template", "own", CHART, "--values", "-", text=json.dumps(own)).returncode == 0:
            problems.append(f"the schema takes {name}")
    return problems


def manifests(schema: dict, text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rendered.yaml")
        file.write_text(text)
        problems = []
        for version in KUBERNETES:
            command = (TOOLS / "kubernetes-validate", "--quiet", "--strict", "-k", version, file)
            problems += [f"Kubernetes {version}: {line}" for line in complaints(*command)]
    found = {own["kind"]: own for own in yaml.safe_load_all(text) if own}
    if "Secret" in found:
        problems.append("it makes a Secret")
    toml = found["ConfigMap"]["data"]["grantor.toml"]
    problems += unknown(schema, toml, "settings")
    return problems + environment(found["Deployment"]["spec"]["template"]["spec"], toml)


def environment(pod: dict, toml: str) -> list[str]:
    """The variables of the pod, with its files, are settings that the program can use."""
    container = pod["containers"][0]
    mounted = {own["mountPath"]: own["name"] for own in container["volumeMounts"]}
    items = {own["name"]: [item["path"] for item in own.get("secret", {}).get("items", [])] for own in pod["volumes"]}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "grantor.toml").write_text(toml)
        own = {"GRANTOR_CONFIG": f"{folder}/grantor.toml"}
        for variable in container["env"]:
            if not variable["name"].startswith("GRANTOR__"):
                continue
            value = Path(variable["value"])
            if variable["name"].endswith("_FILE"):
                if value.name not in items.get(mounted.get(str(value.parent), ""), []):
                    return [f"{variable['name']}: nothing is mounted at {value}"]
                Path(folder, value.name).write_text(FILES[value.name])
                value = Path(folder, value.name)
            own[variable["name"]] = str(value) if value.is_absolute() else variable["value"]
        done = subprocess.run([GRANTOR, "config", "check"], env=own, capture_output=True, text=True)
        return done.stderr.splitlines() if done.returncode else []


def metrics() -> list[str]:
    folder = ROOT / "crates/server/src/telemetry"
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.rs"))
    named = METRIC.findall((ROOT / "docs/operating.md").read_text(encoding="utf-8"))
    problems = [f"docs/operating.md: there is no metric {name}" for name in sorted(set(named)) if f'"{name}"' not in code]
    return problems if named else ["docs/operating.md names no metric"]


def sql() -> list[str]:
    """What docs/operating.md would have done to a database can be done."""
    paper = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    scripts = re.findall(r"^ *```sql\n(.*?)^ *```", paper, re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        made = run(GRANTOR, "--data", folder, "client", "list")
        if made.returncode:
            return [made.stderr]
        with contextlib.closing(sqlite3.connect(f"{folder}/grantor.db")) as database:
            try:
                for script in scripts:
                    database.executescript(script)
            except sqlite3.Error as error:
                return [f"docs/operating.md: {error}"]
    return [] if scripts else ["docs/operating.md has no SQL"]


if __name__ == "__main__":
    sys.exit(main())
