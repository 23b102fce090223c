#!/bin/sh
# Finds a Python that is new enough and hands over to deploy/setup.py, which does the set-up.
set -eu
cd "$(dirname "$0")/.."

fits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

for python in "${PYTHON:-python3}" python3 python3.11 python3.12 python3.13 python3.14; do
    if fits "$python"; then exec "$python" deploy/setup.py "$@"; fi
done

if command -v python3 >/dev/null 2>&1; then found="found $(python3 --version 2>&1)"; else found="found no python3"; fi
cat >&2 <<EOF
setup: cannot go on: Ophør needs Python 3.11 or newer ($found).
  Debian 12 and Ubuntu 24.04 have one:  apt-get install python3 python3-venv
  Another interpreter can be named:     PYTHON=/path/to/python3.12 make setup
EOF
exit 1
