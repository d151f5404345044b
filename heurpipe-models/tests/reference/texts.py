"""Tokenises texts, and embeds them where a model is given.

    texts.py TOKENIZER MAX_TOKENS TEXTS [MODEL]    TEXTS is a JSON list; prints {"ids": [...], "vectors": [...]}
"""

import json
import sys

import numpy
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_padding()
tokenizer.enable_truncation(int(sys.argv[2]))
with open(sys.argv[3], encoding="utf-8") as file:
    texts = json.load(file)
encodings = [tokenizer.encode(text) for text in texts]
vectors = []
if len(sys.argv) > 4:
    import onnxruntime

    session = onnxruntime.InferenceSession(sys.argv[4], providers=["CPUExecutionProvider"])
    for encoding in encodings:
        inputs = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        inputs = {name: numpy.array([value], numpy.int64) for name, value in inputs.items()}
        vectors.append(session.run(["sentence_embedding"], inputs)[0][0].tolist())
print(json.dumps({"ids": [encoding.ids for encoding in encodings], "vectors": vectors}))
