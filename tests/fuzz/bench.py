"""The judge: a child process that is started again when it dies, and what it said of each case."""

from __future__ import annotations

import json
import pickle
import select
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.compliance.documents.bundle import VERIFIER

CHILD = Path(__file__).with_name("child.py")
DEAD_S, MOST_MB = 120.0, 200


@dataclass
class Judge:
    """Ask the verifier in its own process; collect what it may never do."""

    process: subprocess.Popen[bytes] | None = None
    cases: int = 0
    codes: Counter[Any] = field(default_factory=Counter)
    reached: Counter[int] = field(default_factory=Counter)
    whys: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak_mb: int = 0

    def ask(self, name: str, data: bytes, options: dict[str, Any]) -> dict[str, Any]:
        """Give the child's answer to a case; a dead or silent child is an answer too."""
        said = self._answer(pickle.dumps((data, options)))
        self.cases += 1
        self.codes[said.get("code", "crash")] += 1
        self.reached.update(said.get("failed", []))
        self.whys[str(said.get("why", ""))[:40]] += 1
        self.slowest = max(self.slowest, said.get("seconds", DEAD_S))
        self.peak_mb = max(self.peak_mb, said.get("peak_mb", 0))
        if "crash" in said:
            self.wrong.append(f"{name}: {said['crash']}")
        elif said["peak_mb"] >= MOST_MB:
            self.wrong.append(f"{name}: {said['peak_mb']} MB")
            self.close()
        elif said["unprintable"]:
            self.wrong.append(f"{name}: control characters are printed")
        return said

    def _answer(self, body: bytes) -> dict[str, Any]:
        child = self._child()
        assert child.stdin and child.stdout
        try:
            child.stdin.write(struct.pack(">I", len(body)) + body)
            child.stdin.flush()
        except BrokenPipeError:
            self.close()
            return {"crash": "the process died"}
        ready, _, _ = select.select([child.stdout], [], [], DEAD_S)
        line = child.stdout.readline() if ready else b""
        if not line:
            self.close()
            return {"crash": "the process died" if ready else "the process hangs"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _child(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            argv = [sys.executable, "-I", str(CHILD), str(VERIFIER)]
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.process

    def close(self) -> None:
        """End the child."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
