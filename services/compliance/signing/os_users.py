"""What a statement says of the signers' OS users: what the log has of them (`separation.py`), and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from services.compliance.facts import Facts
from services.compliance.signing.keys import PublicKeys


def stated(facts: Facts, public: PublicKeys) -> dict[str, Any]:
    """Give what a statement says of the signers' users; nothing where the log has no such entry for these keys."""
    logged = facts.signers
    if logged is None:
        return {}
    said = logged.entry
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in (public.seal, public.sign)]
    if [said["seal_key"], said["sign_key"]] != digests:
        return {}
    names = ("seal_user", "sign_user", "own_files", "other_folder")
    return {"os_users": {**{name: said[name] for name in names}, "evidence": logged.index}}
