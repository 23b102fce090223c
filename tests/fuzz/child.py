"""Judge cases in a process of its own (`python child.py VERIFIER`): a crash, a hang or a flood is seen outside.

Reads cases from standard input (`>I` length and pickle of (data, options)) and answers each with one JSON line. A case
that takes longer than its limit is interrupted and said to hang; memory is limited, so that a bomb ends here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import pickle
import resource
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

CASE_S, MEMORY = 5.0, 1 << 30


class Hang(BaseException):
    """A case took longer than its limit."""


def _stop(*_: Any) -> None:
    raise Hang


def load(path: str) -> Any:
    """Load the verifier from its file, as it is copied out of a bundle."""
    spec = importlib.util.spec_from_file_location("ophor_verify", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["ophor_verify"] = module
    spec.loader.exec_module(module)
    return module


def judge(module: Any, data: bytes, options: dict[str, Any]) -> dict[str, Any]:
    """Verify and print one case; say what came out."""
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_PROF, CASE_S)  # of work: a busy machine makes nothing hang
    try:
        report = module.verify(data, module.Options(**options))
        with contextlib.redirect_stdout(io.StringIO()):
            told = [module.as_text(report, "x", english) for english in (False, True)]
            told.append(json.dumps(module.as_dict(report)))
        said = {"code": report.code, "level": report.level, "failed": [
            one.n for one in report.checks if one.result == "FAILED"], "why": report.malformed[:80],
            "unprintable": not all(each.isprintable() or each == "\n" for each in told[0] + told[1])}  # fmt: skip
    except Hang:
        said = {"crash": "hang"}
    except BaseException as error:
        said = {"crash": f"{type(error).__name__}: {error}"[:200]}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return said | {"seconds": round(time.monotonic() - began, 3)}


def _peak_mb() -> int:
    """Give the most memory that this program used itself: getrusage would count whoever forked it, too."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def main() -> None:
    """Judge until the input ends; last, tell the most memory that was ever used."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _stop)
    module = load(sys.argv[1])
    take = sys.stdin.buffer
    while header := take.read(4):
        data, options = pickle.loads(take.read(struct.unpack(">I", header)[0]))
        said = judge(module, data, options)
        said["peak_mb"] = _peak_mb()
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
