"""`python -m tests.integration.connectors_doomed MAP PLACE STEP`: delete one batch and die by SIGKILL at a step.

The keys are printed first, as the intent that a deleting hand commits before it acts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from contracts import system_map
from shared.connectors import open_connector


def die(here: str, at: str) -> None:
    """End this process without a word."""
    if here == at:
        os.kill(os.getpid(), signal.SIGKILL)


def main(path: str, place: str, at: str) -> None:
    """Do the batch."""
    connector = open_connector(system_map.load(Path(path)), "maal", "delete", "101", "11111111")
    connector.order(connector.discover())
    keys = connector.keys(place, 3)
    print(json.dumps(keys), flush=True)
    with connector.batch() as batch:
        die("begun", at)
        batch.delete(place, keys)
        die("deleted", at)
        assert batch.effects() == batch.planned()
        die("counted", at)
        batch.commit()
        die("committed", at)


if __name__ == "__main__":
    main(*sys.argv[1:])
