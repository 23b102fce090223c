"""The command line in an image, which holds the product without the local stack's programs (deploy/Dockerfile)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT_ALONE = """
import sys
sys.modules["deploy.stack"] = sys.modules["deploy.stack.instance"] = None
from contracts.errors import Unavailable
from services.console import session, systems
print(systems.maps_folder())
for asked in (session.stack, session.home):
    try:
        asked()
    except Unavailable as error:
        print(error.code)
"""


def test_system_maps_are_registered_where_told_and_a_missing_stack_is_said_so(tmp_path: Path) -> None:
    environ = {"OPHOR_MAPS": str(tmp_path), "OPHOR_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", PRODUCT_ALONE], env=environ, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.split(), done.returncode) == ([str(tmp_path), "STACK_MISSING", "STACK_MISSING"], 0), done.stderr
