#!/bin/sh
# Makes heurpipe-models/models/{garment,pattern} anew: pictures in, model folders with their cards out.
#
#   heurpipe-models/training/make_models.sh DATA BACKBONE.onnx [OUT]
#
# DATA has clothing/ (labels.csv and images/) and patterns/ (a folder per pattern); the README beside this file says where to get
# both and the backbone. OUT defaults to heurpipe-models/models. Needs python3 and cargo; takes some minutes on two cores.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
data=${1:?the folder with clothing/ and patterns/}
backbone=${2:?the backbone, an ONNX file}
out=${3:-$here/../models}
work=${HEURPIPE_TRAINING_DIR:-$here/.venv}

if [ ! -x "$work/bin/python" ]; then
    python3 -m venv "$work"
    "$work/bin/pip" install --quiet -r "$here/requirements.txt"
fi

rendered=$work/rendered
if [ ! -f "$rendered/labels.csv" ]; then
    (cd "$here/../.." && cargo run -p heurpipe-sources --features simulator --example render_pictures -- "$rendered" 3000)
fi

cd "$here"
"$work/bin/python" -m recipe.garment --data "$data" --backbone "$backbone" --rendered "$rendered" --out "$out/garment"
"$work/bin/python" -m recipe.pattern --data "$data" --backbone "$backbone" --rendered "$rendered" --out "$out/pattern"
