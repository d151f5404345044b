#!/usr/bin/env bash
# The pages of a small demo in headless Chromium: do they show what a person comes for? Screenshots go to target/browser-test.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/browser-test
address=127.0.0.1:8731
rm -rf "$out"
mkdir -p "$out"

if ! command -v chromium >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi

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

browser() {
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$(mktemp -d)" --hide-scrollbars "$@" 2>>"$out/chromium.log"
}

passed=0
failed=0
# page NAME PATH PATTERN...: the page, as the browser has it, matches each pattern.
page() {
    local name=$1 path=$2
    shift 2
    browser --dump-dom "http://$address$path" >"$out/$name.html"
    browser --window-size=1280,900 --screenshot="$out/$name.png" "http://$address$path"
    browser --window-size=390,844 --screenshot="$out/$name-phone.png" "http://$address$path"
    for pattern in "$@"; do
        if grep -Eq "$pattern" "$out/$name.html"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $path: nothing matches $pattern"
        fi
    done
}

page overview / '<h1' 'catalog' 'trends'
page explore /explore '<img[^>]+/v1/media/[0-9a-f]{64}' 'name="filter"'
page explore-filtered '/explore?filter=garment%3Adress' 'garment:dress' '<img[^>]+/v1/media/'
page explore-wrong '/explore?filter=likes%3A%3Eabc' 'role="alert"'
page trends '/trends?attribute=colour' '<svg' '<table'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
