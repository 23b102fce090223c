"""A stack's private keys, each only in the folder of the process that needs it, and the trust file of public halves.

`keys/<service>/<role>/` is the key folder of one process: `<service>.pem` signs what a service tells and lies with its
relay, which alone signs; `gateway.pem` and `console.pem` sign tokens; the evidence keys lie where
`services.compliance.signing.keys` puts them. Console and gateway may act in every role: the demo's people sit at both.
"""

from __future__ import annotations

from pathlib import Path

from contracts.catalogue import SERVICES
from contracts.roles import EVERYONE
from deploy.stack.processes import TABLE, Process
from shared.bus import trust

EVIDENCE = "evidence.json"  # the public half of the evidence keys; the gateway's verify page shows and uses it
CONSOLE = Process("console", "console", (), "console")


def folder_of(keys: Path, process: Process) -> Path:
    """Give the key folder of a process."""
    return keys / process.service / process.role


def make(keys: Path, trust_file: Path, verify_url: str = "") -> None:
    """Make every key that is not there yet, and the trust file; safe to repeat. `verify_url`: where QR codes lead."""
    from services.compliance.signing.keys import make_demo_keys

    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_demo_keys(keys / "compliance", verify_url)
    for row in TABLE.values():
        if row.service in SERVICES:
            _private(folder_of(keys, row))
    services = {service: trust.make_key(keys / service / "relay", service) for service in SERVICES}
    issuers = {}
    for issuer, row in (("gateway", TABLE["gateway"]), ("console", CONSOLE)):
        folder = _private(folder_of(keys, row))
        issuers[issuer] = (trust.make_key(folder, issuer), sorted(EVERYONE))
    public = (keys / "compliance" / "face" / EVIDENCE).read_bytes()
    (folder_of(keys, TABLE["gateway"]) / EVIDENCE).write_bytes(public)
    trust.write(trust_file, services, issuers)


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
