"""Run the verifier with limits: `python -I verify_child.py VERIFIER ARGUMENT…`, as a process that may die alone.

At most 20 seconds of processor time, 768 MB of address space, no file written, no further process. It is the program
that everybody gets with a bundle, unchanged; nothing of the project is imported.
"""

from __future__ import annotations

import resource
import runpy
import sys

CPU_S, MEMORY = 20, 768 << 20
LIMITS = ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0),
          (resource.RLIMIT_CORE, 0))  # fmt: skip


def main() -> None:
    """Limit this process, then be the verifier."""
    for limit, most in LIMITS:
        resource.setrlimit(limit, (most, most))
    sys.dont_write_bytecode = True
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
