#!/usr/bin/env bash
# The pages of a small demo in headless Chromium: do they show what a person comes for, on a desk and on a phone? Screenshots go to target/browser-test.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/browser-test
address=127.0.0.1:8731
tools="${HEURPIPE_CI_TOOLS:-target/ci-tools}"
rm -rf "$out"
mkdir -p "$out"

if ! command -v chromium >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
scripts/python-tools.sh 'playwright==1.*'

# As the tests build them: another set of features would build everything once more.
cargo test -q --workspace --no-run
"${CARGO_TARGET_DIR:-target}/debug/heurpipe" demo --posts 80 --dir "$out/demo" --listen "$address" >"$out/demo.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
# The pages are there from the first post on; what they are tested for is there when both use cases are done.
for _ in $(seq 300); do
    done_runs=$(curl -fs "http://$address/v1/runs" 2>/dev/null | grep -o '"status":"done"' | wc -l || true)
    [ "$done_runs" -ge 2 ] && break
    kill -0 "$server" || { cat "$out/demo.log"; exit 1; }
    sleep 1
done

"$tools/python/bin/python" scripts/browser_test.py "http://$address" "$out"
