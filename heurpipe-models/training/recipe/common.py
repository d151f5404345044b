"""What both models share: arguments, features, and the card."""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np

from . import backbone, measure, pictures
from .head import softmax

# Depthwise layers of three depths: shapes of edges, of textures, of parts. Their mean says what is there, their deviation how
# much of the picture has it. Later layers know ImageNet's classes better, but not ours, and cost a third of the time.
TAPS = [("t117", True), ("t137", True), ("t144", True)]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with clothing/ and patterns/")
    parser.add_argument("--backbone", type=Path, required=True, help="MobileNetV2 as ONNX")
    parser.add_argument("--rendered", type=Path, help="folder of rendered pictures with labels.csv; none: photographs only")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    return parser.parse_args()


def rendered(folder, column, labels):
    """(training, holdout) of the rendered pictures; none without a folder."""
    if folder is None:
        return [], []
    training, holdout, broken = pictures.load(pictures.labelled_by_csv(folder, column, "rendered", labels))
    if broken:
        raise ValueError(f"rendered pictures that do not decode: {broken[:3]}")
    return training, holdout


def features(probe, images, size: int) -> np.ndarray:
    """Features of many pictures, a few at a time, so that altered pictures need not be held in memory."""
    rows = []
    images = iter(images)
    while some := list(itertools.islice(images, 32)):
        rows.append(probe.features(np.stack([pictures.stretch(image, size) for image in some])))
    return np.concatenate(rows)


def assemble(path, head, classes, size: int) -> bytes:
    graph = backbone.truncated(path, size, TAPS)
    backbone.store_small(graph)
    backbone.append_head(graph, head, backbone.append_pooling(graph, TAPS), classes)
    return backbone.finished(graph)


def evaluate(model: bytes, found, labels, size: int):
    """Confusion table of the finished model on pictures, run one by one by ONNX Runtime."""
    runner = backbone.Finished(model)
    images = np.stack([pictures.stretch(p.pixels, size) for p in found])
    truth = np.array([labels.index(p.label) for p in found])
    return measure.confusion(truth, runner.probabilities(images).argmax(axis=1), len(labels))


def cpu_ms(model: bytes, size: int) -> float:
    """CPU-milliseconds a picture, one thread, of the model alone."""
    runner = backbone.Finished(model, threads=1)
    picture = np.zeros((1, size, size, 3), np.uint8)
    runner.probabilities(picture)
    started = time.process_time()
    for _ in range(50):
        runner.probabilities(picture)
    return round((time.process_time() - started) * 1000 / 50, 1)


def calibrated(logits, truth, temperature):
    return measure.threshold(softmax(logits / temperature), truth, 0.90)


def section(title, table, labels):
    return f"""## {title}

{int(table.sum())} pictures, top-1 accuracy **{measure.accuracy(table):.3f}**.

{measure.per_class_table(table, labels)}

{measure.confusion_table(table, labels)}
"""


HOW = """MobileNetV2 1.0 (ImageNet weights of google-coral/test_data `mobilenet_v2_1.0_224_quant.tflite`, Apache-2.0) is cut after its
fourteenth block and stays frozen. Mean and standard deviation of three of its layers' channels go through a linear layer, trained
by multinomial logistic regression, to a softmax. Weights are stored as the bytes they came from; activations are fp32, so that ONNX
Runtime and tract give the same probabilities. No other model's judgement was used in training.
"""

SPLIT = """A picture is held out when the first eight hexadecimal digits of the SHA-256 of its file, as a number, are below 0.15 · 2^32. Training never
sees such a picture; `heurpipe models check NAME --on DIR --holdout` measures on exactly these.

The features and the input size were chosen by cross-validation on the training part, by somebody who had seen results on the held-out part of
earlier choices: the figures below may be a little optimistic.
"""
