"""Finds things as one would by hand: the network, those above the threshold, then the surest of each heap that overlaps.

    boxes.py MODEL PIXELS WIDTH HEIGHT MEAN STD THRESHOLD IOU    PIXELS: rows of RGB bytes, one picture after the other

Prints for each picture [[left, top, right, bottom, score], ...], the surest first.
"""

import json
import sys

import numpy
import onnxruntime

model, pixels = sys.argv[1:3]
width, height = map(int, sys.argv[3:5])
mean, std, threshold, most = map(float, sys.argv[5:9])


def overlap(a, b):
    shared = numpy.prod(numpy.maximum(numpy.minimum(a[2:], b[2:]) - numpy.maximum(a[:2], b[:2]), 0))
    return shared / (numpy.prod(a[2:] - a[:2]) + numpy.prod(b[2:] - b[:2]) - shared)


def kept(boxes, scores):
    found = []
    for at in numpy.argsort(-scores, kind="stable"):
        if scores[at] < threshold:
            break
        box = numpy.clip(boxes[at], 0, 1)
        if all(overlap(box, numpy.array(other[:4])) <= most for other in found):
            found.append([*map(float, box), float(scores[at])])
    return found


session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
pictures = numpy.fromfile(pixels, numpy.uint8).reshape(-1, height, width, 3)
answers = []
for picture in pictures:
    x = ((picture.astype(numpy.float32) - mean) / std).transpose(2, 0, 1)[None]
    scores, boxes = session.run(["scores", "boxes"], {name: x})
    answers.append(kept(boxes[0], scores[0, :, 1]))
print(json.dumps(answers))
