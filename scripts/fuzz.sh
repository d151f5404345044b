#!/usr/bin/env bash
# Fuzzes the parsers and archive readers of heurpipe-sources, and the decoder and manifests of heurpipe-models, each target for so many seconds (300
# unless told otherwise).
#
#   scripts/fuzz.sh [--seconds N] [TARGET …]
#
# Needs a nightly toolchain and cargo-fuzz (installed here if it is missing). What was learnt is kept in the crate's fuzz/corpus, minimised; what is found
# lies in its fuzz/artifacts and fails the script.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=300
if [ "${1:-}" = --seconds ]; then
    seconds=$2
    shift 2
fi
wanted=("$@")

rustup toolchain list | grep -q nightly || rustup toolchain install nightly --profile minimal
command -v cargo-fuzz > /dev/null || cargo install --locked cargo-fuzz

# The fixtures are where it begins; names of corpus files are digests of their content, as libFuzzer's own.
seed() {
    local corpus=$1 pattern=$2 folder=${3:-tests/fixtures} file
    while IFS= read -r -d '' file; do
        cp "$file" "$corpus/$(sha1sum "$file" | cut -c1-40)"
    done < <(find "$folder" -type f -regex "$pattern" -size -200k -print0)
}

# Seeds are for this run, the corpus is kept.
run() {
    local target=$1 corpus="fuzz/corpus/$1" seeds="fuzz/target/seeds/$1" dictionary=()
    mkdir -p "$corpus" "$seeds"
    case $target in
        archive_json) seed "$seeds" '.*\.json' ;;
        archive_lines | ndjson) seed "$seeds" '.*\.jsonl' ;;
        archive_table) seed "$seeds" '.*\.csv' ;;
        archive_text) seed "$seeds" '.*\.txt' ;;
        mapping) seed "$seeds" '.*\.toml' ;;
        decode) seed "$seeds" '.*\.\(jpg\|png\|webp\|gif\)' ;;
        manifest) seed "$seeds" '.*/model\.toml' models ;;
    esac
    [ ! -f fuzz/keys.dict ] || dictionary=(-dict=fuzz/keys.dict)
    echo "== $target: $seconds s"
    cargo +nightly fuzz run "$target" "$corpus" "$seeds" -- \
        "${dictionary[@]}" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -max_total_time="$seconds" -print_final_stats=1
    cargo +nightly fuzz cmin "$target" "$corpus"
}

is_wanted() {
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]
}

ran=0
for crate in heurpipe-sources heurpipe-models; do
    cd "$crate"
    mapfile -t targets < <(cargo +nightly fuzz list)
    for target in "${targets[@]}"; do
        if is_wanted "$target"; then
            run "$target"
            ran=$((ran + 1))
        fi
    done
    cd ..
done

if [ "$ran" -eq 0 ]; then
    echo "no such target: ${wanted[*]}" >&2
    exit 2
fi
