"""The Kubernetes base is written from the table of processes and is current."""

from __future__ import annotations

import yaml

from deploy import kubernetes
from deploy.stack.processes import PRODUCT, SIGNERS


def test_the_written_file_is_the_tables() -> None:
    assert kubernetes.FILE.read_text() == kubernetes.text()


def test_every_process_has_a_deployment_with_secrets_of_its_own() -> None:
    found = {each["metadata"]["name"]: each for each in yaml.safe_load_all(kubernetes.FILE.read_text())}
    assert set(found) == set(PRODUCT)
    for name, each in found.items():
        pod = each["spec"]["template"]["spec"]
        keys = next(volume for volume in pod["volumes"] if volume["name"] == "keys")
        number = SIGNERS.get(name, 10001)
        assert [pod["securityContext"][one] for one in ("runAsUser", "runAsGroup", "fsGroup")] == [number] * 3
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": f"env-{name}"}}]
        assert keys["secret"]["secretName"] == f"keys-{name}"
