"""Writes a model folder: model.onnx, model.toml, CARD.md."""

import hashlib
from pathlib import Path

from .backbone import MEAN, SCALE

LIMIT = 5 * 1024 * 1024


def write(folder: Path, model: bytes, *, name, version, attribute, labels, size, threshold, temperature, cost_ms, licence, card):
    if len(model) > LIMIT:
        raise ValueError(f"{name}: {len(model)} bytes are more than a shipped model may have")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "model.toml").write_text(
        f"""# Written by heurpipe-models/training; what each key means: heurpipe_models::Manifest.
name = "{name}"
version = "{version}"
task = "classify"
attribute = "{attribute}"
labels = [{", ".join(f'"{label}"' for label in labels)}]
threshold = {threshold}
temperature = {temperature}
cost_ms = {cost_ms}
licence = "{licence}"

[file]
path = "model.onnx"
digest = "sha256:{hashlib.sha256(model).hexdigest()}"

[input]
name = "input"
width = {size}
height = {size}
fit = "stretch"
filter = "bilinear"
layout = "nchw"
mean = [{MEAN}, {MEAN}, {MEAN}]
std = [{SCALE}, {SCALE}, {SCALE}]

[output]
name = "probabilities"
kind = "probabilities"
""",
        encoding="utf-8",
    )
    (folder / "CARD.md").write_text(card, encoding="utf-8")
