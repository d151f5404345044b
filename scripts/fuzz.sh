#!/usr/bin/env bash
# Fuzzes the parsers and archive readers of heurpipe-sources, each target for so many seconds (300 unless told otherwise).
#
#   scripts/fuzz.sh [--seconds N] [TARGET …]
#
# Needs a nightly toolchain and cargo-fuzz (installed here if it is missing). What was learnt is kept in heurpipe-sources/fuzz/corpus, minimised; what is
# found lies in heurpipe-sources/fuzz/artifacts and fails the script.
set -euo pipefail
cd "$(dirname "$0")/../heurpipe-sources"

seconds=300
if [ "${1:-}" = --seconds ]; then
    seconds=$2
    shift 2
fi

rustup toolchain list | grep -q nightly || rustup toolchain install nightly --profile minimal
command -v cargo-fuzz > /dev/null || cargo install --locked cargo-fuzz

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)

# The fixtures are where it begins; names of corpus files are digests of their content, as libFuzzer's own.
seed() {
    local corpus=$1 pattern=$2 file
    while IFS= read -r -d '' file; do
        cp "$file" "$corpus/$(sha1sum "$file" | cut -c1-40)"
    done < <(find tests/fixtures -type f -regex "$pattern" -size -200k -print0)
}

# Seeds are for this run, the corpus is kept.
run() {
    local target=$1 corpus="fuzz/corpus/$1" seeds="fuzz/target/seeds/$1"
    mkdir -p "$corpus" "$seeds"
    case $target in
        archive_json) seed "$seeds" '.*\.json' ;;
        archive_lines | ndjson) seed "$seeds" '.*\.jsonl' ;;
        archive_table) seed "$seeds" '.*\.csv' ;;
        archive_text) seed "$seeds" '.*\.txt' ;;
        mapping) seed "$seeds" '.*\.toml' ;;
    esac
    echo "== $target: $seconds s"
    cargo +nightly fuzz run "$target" "$corpus" "$seeds" -- \
        -dict=fuzz/keys.dict -max_len=65536 -timeout=10 -rss_limit_mb=1024 -max_total_time="$seconds" -print_final_stats=1
    cargo +nightly fuzz cmin "$target" "$corpus"
}

for target in "${targets[@]}"; do
    run "$target"
done
