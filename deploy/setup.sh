#!/bin/sh
# Finds a Python that is new enough and hands over to deploy/setup.py, which does the set-up.
set -eu
cd "$(dirname "$0")/.."

fits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

wanted=${PYTHON:-python3} # one that was named is the only one tried
if [ -n "${PYTHON:-}" ]; then others=""; else others="python3.11 python3.12 python3.13 python3.14"; fi
for python in "$wanted" $others; do
    if fits "$python"; then exec "$python" deploy/setup.py "$@"; fi
done

if command -v "$wanted" >/dev/null 2>&1; then found="$wanted is $("$wanted" --version 2>&1)"; else found="there is no $wanted"; fi
cat >&2 <<EOM
setup: cannot go on: Ophør needs Python 3.11 or newer ($found).
  Debian 12 and Ubuntu 24.04 have one:  apt-get install python3
  Another interpreter can be named:     PYTHON=/path/to/python3.12 make setup
EOM
exit 1
