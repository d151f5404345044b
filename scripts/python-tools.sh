#!/usr/bin/env bash
# A Python of the project's own in target/ci-tools, or where HEURPIPE_CI_TOOLS says, with these packages: scripts/python-tools.sh PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."

python="${HEURPIPE_CI_TOOLS:-target/ci-tools}/python"
mkdir -p "$(dirname "$python")"
[ -x "$python/bin/python" ] || python3 -m venv "$python"
"$python/bin/python" -m pip install --quiet "$@"
