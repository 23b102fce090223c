"""Set a checkout up: Debian packages that are missing, `.venv`, the locked libraries, Ophør itself.

Standard library only: it runs before anything is installed. It asks for what is there, not for how it came there, and
installs packages only for what is missing. It never starts or stops a service of the machine. It is safe to repeat: a
stamp in `.venv` (digest of the lock file, the project file and the interpreter) makes a second run quick. Where it
cannot go on it says what is missing and what to do, and ends with 1.
"""

from __future__ import annotations

import ctypes.util
import glob
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "ophor-setup"
BUILD, LOCK = ROOT / "requirements" / "build.txt", ROOT / "requirements" / "dev.txt"
Need = tuple[str, str, Callable[[], bool]]


class CannotGoOn(Exception):
    """Something is missing that set-up cannot get; the text says what and what to do."""


def program(*names: str) -> bool:
    """Tell whether one of the programs is on the PATH or where Debian puts servers."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return any(shutil.which(name, path=places) for name in names)


def library(name: str) -> Callable[[], bool]:
    """Make a question whether the dynamic linker knows the library."""
    return lambda: ctypes.util.find_library(name) is not None or bool(glob.glob(f"/usr/lib/*/lib{name}.so*"))


def postgres_there() -> bool:
    """Tell whether a PostgreSQL server (not only the client) is installed."""
    return bool(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or program("initdb")


def fonts_there() -> bool:
    """Tell whether the font that the certificates are set in is installed."""
    return bool(glob.glob("/usr/share/fonts/**/DejaVuSans.ttf", recursive=True))


def venv_there() -> bool:
    """Tell whether this interpreter can make a virtual environment with pip in it."""
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def needs() -> list[Need]:
    """List (what, Debian package, question whether it is there)."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [
        ("Python's venv module", f"python{version}-venv", venv_there),
        ("RabbitMQ server", "rabbitmq-server", lambda: program("rabbitmq-server")),
        ("PostgreSQL server", "postgresql", postgres_there),
        ("MariaDB server", "mariadb-server", lambda: program("mariadbd")),
        ("pg_dump", "postgresql-client", lambda: program("pg_dump")),
        ("Pango", "libpango-1.0-0", library("pango-1.0")),
        ("Pango for FreeType", "libpangoft2-1.0-0", library("pangoft2-1.0")),
        ("HarfBuzz subsetting", "libharfbuzz-subset0", library("harfbuzz-subset")),
        ("libcurl (mongod needs it)", "libcurl4", lambda: program("mongod") or library("curl")()),
        ("pdfsig and pdftotext", "poppler-utils", lambda: program("pdfsig") and program("pdftotext")),
        ("DejaVu fonts", "fonts-dejavu-core", fonts_there),
    ]


def wishes() -> list[Need]:
    """List what only tests use, and say that they skip where it is absent: its lack stops nothing."""
    return [("SoftHSM, a PKCS#11 token in software (tests)", "softhsm2", lambda: program("softhsm2-util"))]


def missing() -> list[Need]:
    """List what is not there."""
    return [need for need in needs() if not need[2]()]


def install_wishes() -> None:
    """Try to install what only tests use, where that takes no password."""
    names = [package for _, package, there in wishes() if not there()]
    if not names or not program("apt-get"):
        return
    sudo = ["sudo", "-n"]
    if os.geteuid() == 0:
        sudo = []
    elif not program("sudo"):
        return
    words = [*sudo, "sh", str(ROOT / "deploy" / "packages.sh"), *names]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        print(f"setup: without {', '.join(names)}; the tests that use it skip", flush=True)


def check_machine() -> None:
    """Refuse a Python that is too old and a machine that no development mongod exists for."""
    if sys.version_info < (3, 11):  # noqa: UP036 – this file may be started by any interpreter
        raise CannotGoOn(f"Python 3.11 or newer is needed; this is {platform.python_version()}.")
    if (sys.platform, platform.machine()) != ("linux", "x86_64") and not program("mongod"):
        raise CannotGoOn(
            f"there is no development mongod for {sys.platform}/{platform.machine()} (only for x86-64 Linux).\n"
            "  Put a mongod (6.0 or newer) on the PATH and run this again."
        )


def install_packages() -> None:
    """Install the Debian packages for what is missing, as root or with sudo; say what remains."""
    wanted = missing()
    if not wanted:
        return
    names = [package for _, package, _ in wanted]
    what = "\n".join(f"  - {title}: {package}" for title, package, _ in wanted)
    root = as_root(names, what)
    print(f"setup: installing Debian packages for what is missing (a minute or so):\n{what}", flush=True)
    outcome = subprocess.run([*root, "sh", str(ROOT / "deploy" / "packages.sh"), *names], check=False)
    lacking = "\n".join(f"  - {title}: {package}" for title, package, _ in missing())
    if lacking:
        raise CannotGoOn(f"these are still missing (apt-get ended with {outcome.returncode}):\n{lacking}")


def as_root(names: list[str], what: str) -> list[str]:
    """Give the words before a command that make it run as root; raise CannotGoOn where there is no way."""
    if not program("apt-get"):
        raise CannotGoOn(f"these are missing, and there is no apt-get to install them with:\n{what}")
    if os.geteuid() == 0:
        return []
    by_hand = f"  As root:  apt-get install --no-install-recommends {' '.join(names)}"
    if not program("sudo"):
        raise CannotGoOn(f"these are missing, and this is neither root nor is there sudo:\n{what}\n{by_hand}")
    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    if not allowed and not sys.stdin.isatty():
        raise CannotGoOn(f"these are missing, and sudo would ask for a password:\n{what}\n{by_hand}")
    return ["sudo"]


def digest() -> str:
    """Give the digest of everything that decides what `.venv` holds."""
    files = (BUILD, LOCK, ROOT / "pyproject.toml")
    parts = [*(file.read_bytes() for file in files), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def venv_works() -> bool:
    """Tell whether `.venv` has a Python that runs, is this version, and has pip."""
    code = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.run([python, "-c", code], check=False, capture_output=True).returncode == 0


def make_venv() -> None:
    """Make `.venv`, or make it anew when it is broken or of another Python version."""
    if venv_works():
        return
    print("setup: making .venv", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True, text=True
    )
    if made.returncode or not venv_works():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CannotGoOn(
            f"{sys.executable} cannot make a virtual environment:\n{(made.stdout + made.stderr).strip()[-800:]}\n"
            f"  On Debian and Ubuntu:  apt-get install python{version}-venv"
        )


def install_libraries() -> None:
    """Install exactly the locked libraries, each checked by its hash, then the project itself, offline and editable.

    What libraries without a wheel are built with is installed first and locked too, so that pip fetches nothing else.
    """
    print("setup: installing the locked libraries (a minute or two the first time)", flush=True)
    pip("install", "--require-hashes", "--only-binary", ":all:", "-r", str(BUILD))
    pip("install", "--require-hashes", "--prefer-binary", "--no-build-isolation", "-r", str(LOCK))
    pip("install", "--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT))


def pip(*arguments: str) -> None:
    """Run `.venv`'s pip quietly; raise CannotGoOn with the end of its words when it fails."""
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        *arguments,
        "--quiet",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        words = (done.stdout + done.stderr).strip()[-2000:]
        raise CannotGoOn(f"pip could not install the locked libraries:\n{words}\n  Is a package registry reachable?")


def check_parts() -> None:
    """Try what only shows when it runs: PDF rendering and mongod."""
    code = "import weasyprint; from deploy.stack.programs import mongod; import subprocess; "
    code += "subprocess.run([mongod(), '--version'], check=True, capture_output=True)"
    tried = subprocess.run([VENV / "bin" / "python", "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    if tried.returncode:
        raise CannotGoOn(f"the parts are installed but do not run:\n{tried.stderr.strip()[-1500:]}")


def steps() -> Iterator[Callable[[], None]]:
    """Give the steps that remain; a stamp that fits makes them few."""
    yield check_machine
    yield install_packages
    yield install_wishes
    if STAMP.exists() and STAMP.read_text() == digest() and venv_works():
        return
    yield make_venv
    yield install_libraries
    yield check_parts
    yield finish


def finish() -> None:
    """Leave the stamp that makes the next run quick."""
    STAMP.write_text(digest())
    print(f"setup: done; the command is {VENV.relative_to(ROOT)}/bin/ophor", flush=True)


def main() -> int:
    """Run the steps; give the exit code."""
    try:
        for step in steps():
            step()
    except CannotGoOn as reason:
        print(f"setup: cannot go on: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
