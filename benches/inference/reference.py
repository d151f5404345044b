"""The job that Python does: Pillow, numpy and onnxruntime, as the transformers library prepares pictures, in threads with a session each.

    reference.py JOB

Prints its name on a line; then, for each line that it reads, it does the whole job and prints what that took as JSON. Lines are "full" and "draft", which is
how Pillow decodes, with "alone" and a number of rounds where pictures are to be decoded and resized so often, on one thread, and shown to nobody; and "texts".
"""

import io
import json
import queue
import sys
import threading
import time

import numpy
import onnxruntime

THREADS = 2

job = json.load(open(sys.argv[1]))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
sessions = [onnxruntime.InferenceSession(job["network"], options, providers=["CPUExecutionProvider"]) for _ in range(THREADS)]
batch = job["batch"]


def in_threads(items, work):
    batches = queue.SimpleQueue()
    for at in range(0, len(items), batch):
        batches.put(items[at:at + batch])
    failed = []

    def serve(session):
        try:
            while True:
                work(session, batches.get_nowait())
        except queue.Empty:
            pass
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=serve, args=[session]) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def picture_job(spec):
    from PIL import Image

    files = [open(path, "rb").read() for path in spec["files"]]
    size = (spec["width"], spec["height"])
    name = sessions[0].get_inputs()[0].name

    def small(jpeg, draft):
        picture = Image.open(io.BytesIO(jpeg))
        if draft:
            picture.draft("RGB", size)
        return picture.convert("RGB").resize(size, Image.Resampling.BILINEAR)

    def numbers(jpeg, draft):
        x = (numpy.asarray(small(jpeg, draft), numpy.float32) - spec["mean"]) / spec["std"]
        return x.transpose(2, 0, 1)

    def work(request):
        mode, *alone = request.split()
        draft = mode == "draft"
        if alone:
            for _ in range(int(alone[1])):
                for jpeg in files:
                    small(jpeg, draft)
            return
        in_threads(files, lambda session, jpegs: session.run(None, {name: numpy.stack([numbers(jpeg, draft) for jpeg in jpegs])}))

    return work


def text_job(spec):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(spec["tokenizer"])
    tokenizer.enable_truncation(spec["max_tokens"])
    tokenizer.enable_padding()

    def embed(session, texts):
        encodings = tokenizer.encode_batch(texts)
        column = lambda part: numpy.array([getattr(e, part) for e in encodings], numpy.int64)
        session.run(["sentence_embedding"], {
            "input_ids": column("ids"), "attention_mask": column("attention_mask"), "token_type_ids": column("type_ids")})

    return lambda request: in_threads(spec["texts"], embed)


(kind, spec), = job["input"].items()
work = (picture_job if kind == "pictures" else text_job)(spec)
print(f"Python, onnxruntime {onnxruntime.__version__}", flush=True)


def duration(seconds):
    return {"secs": int(seconds), "nanos": int(seconds % 1 * 1e9)}


for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    work(line.strip())
    print(json.dumps({"wall": duration(time.perf_counter() - wall), "cpu": duration(time.process_time() - cpu)}), flush=True)
