"""A hand for the bus's tests: `deletion.delete` as a process that can be killed in the middle of a slice.

Its target is a collection: every try adds a row there (an effect outside the unit), every commit one in `effects`. A
file in the folder SIGNALS tells it what to do with a batch: `stop-<batch>`: wait for its end; `slow-<batch>`: wait
until that file is gone; `reject-…`, `unavailable-…`, `once-…` (unavailable, one time). It writes there that it has been
`told-to-stop`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from contracts.catalogue import TASKS
from contracts.errors import Rejected, Unavailable
from shared.bus.hands import Hand, Work, task

SIGNALS = Path(os.environ.get("SIGNALS", "/nonexistent"))


class Delete(Hand):
    service, name = "deletion", "delete"

    @task
    def delete_batch(self, work: Work) -> None:
        batch = work.data["batch"]
        work.db.tries.insert_one({"batch": batch})
        if (SIGNALS / f"stop-{batch}").exists():
            (SIGNALS / f"stopped-{batch}").touch()
            time.sleep(600)  # until it is killed
        if (SIGNALS / f"once-{batch}").exists():
            (SIGNALS / f"once-{batch}").unlink()
            raise Unavailable("TEST_UNAVAILABLE", "the world is wrong for a moment")
        if (SIGNALS / f"unavailable-{batch}").exists():
            raise Unavailable("TEST_UNAVAILABLE", "the world is wrong")
        while (SIGNALS / f"slow-{batch}").exists():
            time.sleep(0.02)
        if (SIGNALS / f"reject-{batch}").exists():
            raise Rejected("TEST_REJECTED", "the data is wrong")
        work.commit(lambda unit: unit.db.effects.insert_one({"batch": batch}, session=unit.session))


def _unasked(hand: Hand, work: Work) -> None:
    raise Rejected("TEST_REJECTED", "nobody asks for this one here")


for wire in TASKS:  # the contract's others
    if wire.startswith("deletion.delete.") and not hasattr(Delete, name := wire.rpartition(".")[2]):
        setattr(Delete, name, task(_unasked))


def main() -> None:
    """Run the hand, or a relay if asked for."""
    import signal

    from shared.runtime.logging import set_up

    set_up("test")
    if sys.argv[1:] == ["hand"]:
        process = Delete.from_environment()
    else:
        from shared.bus.relay import Relay

        process = Relay.from_environment(sys.argv[2])

    def leave(*_: object) -> None:
        process.stop()
        if SIGNALS.is_dir():
            (SIGNALS / "told-to-stop").touch()

    signal.signal(signal.SIGTERM, leave)
    process.run()


if __name__ == "__main__":
    main()
