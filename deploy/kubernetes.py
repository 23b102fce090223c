"""Write `k8s/base/processes.yaml` from the table of processes: `python -m deploy.kubernetes`.

One Deployment a process, each with its own Secret for its environment and its own Secret for its keys, so that no
process can read another's. Probes are commands, because health answers on the pod's own loopback only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from deploy.stack.processes import OTHER_SIGNER, PRODUCT, SIGNERS, TABLE, Process

FILE = Path(__file__).resolve().parent.parent / "k8s" / "base" / "processes.yaml"
HEAD = "# Written by `python -m deploy.kubernetes` from deploy/stack/processes.py; a contract test compares.\n"
PORT = "9000"
SINGLE = frozenset({"gateway", "compliance-ledger", "delivery-extract"})  # sessions, log writer, work folder


def deployments() -> list[dict[str, Any]]:
    """Describe a Deployment for every process of the product."""
    return [_deployment(TABLE[name]) for name in PRODUCT]


def text() -> str:
    """Write the file's text."""
    return HEAD + yaml.safe_dump_all(deployments(), sort_keys=False, width=120)


def _deployment(row: Process) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": row.name, "app.kubernetes.io/part-of": "ophor", "ophor/kind": row.kind}
    strategy = "Recreate" if row.name in SINGLE else "RollingUpdate"
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": row.name, "labels": labels},
        "spec": {
            "replicas": 1,
            "strategy": {"type": strategy},
            "selector": {"matchLabels": {"app.kubernetes.io/name": row.name}},
            "template": {"metadata": {"labels": labels}, "spec": _pod(row)},
        },
    }


def _pod(row: Process) -> dict[str, Any]:
    mounted: dict[str, dict[str, Any]] = {
        "keys": {"secret": {"secretName": f"keys-{row.name}", "defaultMode": 0o440}},
        "trust": {"configMap": {"name": "trust"}},
        "tmp": {"emptyDir": {}},
    }
    paths = {"keys": "/etc/ophor/keys", "trust": "/etc/ophor/trust", "tmp": "/tmp"}  # noqa: S108 (a mount of the pod)
    if row.kind == "hand":
        mounted |= {"maps": {"secret": {"secretName": "system-maps", "optional": True}}, "work": {"emptyDir": {}}}
        paths |= {"maps": "/etc/ophor/maps", "work": "/work"}
    user = SIGNERS.get(row.name, 10001)
    env = [{"name": "OPHOR_HEALTH_PORT", "value": PORT}]
    if row.name in OTHER_SIGNER:
        env.append({"name": "OPHOR_OTHER_KEYS", "value": f"/etc/ophor/keys-of-{OTHER_SIGNER[row.name]}"})
    volumes = [{"name": name, **source} for name, source in mounted.items()]
    mounts = [{"name": name, "mountPath": paths[name], "readOnly": name not in ("tmp", "work")} for name in mounted]
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 100,
        "securityContext": {"runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "process",
            "image": "ophor",
            "args": list(row.module[1:]),
            "env": env,
            "envFrom": [{"secretRef": {"name": f"env-{row.name}"}}],
            "readinessProbe": {**_probe("ready"), "periodSeconds": 5, "failureThreshold": 3},
            "livenessProbe": {**_probe("live"), "periodSeconds": 20, "failureThreshold": 6, "initialDelaySeconds": 30},
            "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": mounts,
        }],
        "volumes": volumes,
    }  # fmt: skip


def _probe(what: str) -> dict[str, Any]:
    words = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/{what}', timeout=4)"
    return {"exec": {"command": ["python", "-c", words]}, "timeoutSeconds": 5}


if __name__ == "__main__":
    FILE.write_text(text())
