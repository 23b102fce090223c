"""From what the system map says of a holder of keys to the holder itself, for one purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.system_map.keys import Holder
from shared.keystore.files import FileKeys
from shared.keystore.model import Keystore
from shared.keystore.service import ServiceKeys
from shared.keystore.token import TokenKeys


@contextmanager
def holding(holder: Holder, purpose: str) -> Iterator[Keystore]:
    """Open a holder to `delete` or to `verify`, and close it."""
    if holder.kind == "files":
        yield FileKeys(Path(holder.folder))
    elif holder.kind == "pkcs11":
        yield TokenKeys(holder.module, holder.token, holder.secret(purpose))
    else:
        service = ServiceKeys(holder.url, holder.secret(purpose), holder.waits_days)
        try:
            yield service
        finally:
            service.close()
