"""Classifies pictures as the transformers library prepares them: Pillow's bilinear resize, (x - 127.5) / 127.5, ONNX Runtime one by one.

    classify.py MODEL FOLDER SIDE    reads FOLDER/*.png in order of names, prints a list of outputs as JSON
"""

import json
import pathlib
import sys

import numpy
import onnxruntime
from PIL import Image

model, folder, side = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
output = session.get_outputs()[0].name
rows = []
for path in sorted(folder.glob("*.png")):
    picture = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    x = (numpy.asarray(picture, numpy.float32) - 127.5) / 127.5
    rows.append(session.run([output], {name: x.transpose(2, 0, 1)[None]})[0][0].tolist())
print(json.dumps(rows))
