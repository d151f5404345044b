"""The frozen backbone: cut, probed for features, and stored small."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MEAN = 127.5
SCALE = 127.5

# Added to a variance before its root is taken: where there is hardly any, runtimes would differ by how they round.
TINY = 1e-3


def normalised(batch: np.ndarray) -> np.ndarray:
    """u8 NHWC -> f32 NCHW in -1..1, as the backbone was trained."""
    return ((batch.astype(np.float32) - MEAN) / SCALE).transpose(0, 3, 1, 2)


class Probe:
    """Runs the backbone and returns pooled activations of some of its layers, one row a picture."""

    def __init__(self, path: Path, size: int, taps, threads: int = 2):
        model = onnx.load(path)
        _free_size(model, size)
        del model.graph.output[:]
        self.names = []
        for tap, spread in taps:
            model.graph.node.append(helper.make_node("GlobalAveragePool", [tap], [f"mean.{tap}"]))
            self._output(model, f"mean.{tap}")
            if spread:
                model.graph.node.extend(_spread(tap))
                self._output(model, f"variance.{tap}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        self.taps = taps

    def _output(self, model, name):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        self.names.append(name)

    def features(self, batch: np.ndarray) -> np.ndarray:
        """u8 NHWC -> the features that `append_pooling` writes into the shipped model, in the same order."""
        values = dict(zip(self.names, self.session.run(self.names, {"input": normalised(batch)})))
        columns = []
        for tap, spread in self.taps:
            mean = values[f"mean.{tap}"].reshape(len(batch), -1)
            columns.append(mean)
            if spread:
                variance = values[f"variance.{tap}"].reshape(len(batch), -1)
                columns.append(np.sqrt(variance + TINY))
        return np.concatenate(columns, axis=1).astype(np.float32)


def _spread(tap):
    """The variance of each channel, by way of the differences from the mean: the short formula loses too many digits."""
    return [
        helper.make_node("Sub", [tap, f"mean.{tap}"], [f"difference.{tap}"]),
        helper.make_node("Mul", [f"difference.{tap}", f"difference.{tap}"], [f"square.{tap}"]),
        helper.make_node("GlobalAveragePool", [f"square.{tap}"], [f"variance.{tap}"]),
    ]


def _free_size(model, size):
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[0].dim_param = "N"
    shape.dim[2].dim_value = size
    shape.dim[3].dim_value = size
    del model.graph.value_info[:]


def truncated(path: Path, size: int, taps):
    """The part of the backbone that the taps need, with a fixed input of one picture."""
    model = onnx.load(path)
    wanted = {tap for tap, _ in taps}
    nodes = []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            nodes.append(node)
            wanted.update(node.input)
    nodes.reverse()
    graph = helper.make_graph(
        nodes,
        "heurpipe",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
        [],
        [tensor for tensor in model.graph.initializer if tensor.name in wanted],
    )
    return graph


def append_pooling(graph, taps) -> str:
    """Mean, and where asked for the standard deviation, of each tap's channels, joined to one row."""
    _constant(graph, "tiny", np.float32([TINY]))
    rows = []
    for tap, spread in taps:
        graph.node.append(helper.make_node("GlobalAveragePool", [tap], [f"mean.{tap}"]))
        rows.append(f"mean.{tap}")
        if spread:
            graph.node.extend(_spread(tap))
            graph.node.append(helper.make_node("Add", [f"variance.{tap}", "tiny"], [f"safe.{tap}"]))
            graph.node.append(helper.make_node("Sqrt", [f"safe.{tap}"], [f"deviation.{tap}"]))
            rows.append(f"deviation.{tap}")
    graph.node.append(helper.make_node("Concat", rows, ["features.4d"], axis=1))
    graph.node.append(helper.make_node("Flatten", ["features.4d"], ["features"], axis=1))
    return "features"


def append_head(graph, head, features: str, classes: int):
    """The trained layers and a softmax; the output is called `probabilities`."""
    last = features
    for index, (weights, bias) in enumerate(head.layers):
        _constant(graph, f"head.weights.{index}", weights)
        _constant(graph, f"head.bias.{index}", bias)
        graph.node.append(
            helper.make_node("Gemm", [last, f"head.weights.{index}", f"head.bias.{index}"], [f"head.{index}"])
        )
        last = f"head.{index}"
        if index + 1 < len(head.layers):
            graph.node.append(helper.make_node("Relu", [last], [f"head.relu.{index}"]))
            last = f"head.relu.{index}"
    graph.node.append(helper.make_node("Softmax", [last], ["probabilities"], axis=1))
    graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, classes]))


def store_small(graph):
    """Stores convolution weights as bytes, without loss.

    The backbone's weights come from an 8-bit model, so each tensor has at most 256 values on an even grid. Cast, subtract and
    multiply are folded to the fp32 constants when a runtime loads the model; activations are fp32 throughout, so every runtime computes
    the same thing.
    """
    before = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.ndim != 4:
            continue
        step, zero, grid = _grid(values)
        graph.initializer.remove(tensor)
        _constant(graph, f"{tensor.name}.bytes", grid)
        _constant(graph, f"{tensor.name}.zero", np.float32(zero))
        _constant(graph, f"{tensor.name}.step", np.float32(step))
        before += [
            helper.make_node("Cast", [f"{tensor.name}.bytes"], [f"{tensor.name}.float"], to=TensorProto.FLOAT),
            helper.make_node("Sub", [f"{tensor.name}.float", f"{tensor.name}.zero"], [f"{tensor.name}.centred"]),
            helper.make_node("Mul", [f"{tensor.name}.centred", f"{tensor.name}.step"], [tensor.name]),
        ]
    nodes = before + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def _grid(values: np.ndarray):
    distinct = np.unique(values.astype(np.float64))
    step = np.diff(distinct).min()
    for _ in range(3):  # the smallest difference is rounded; the whole range tells the step better
        places = np.round(distinct / step)
        step = (distinct * places).sum() / (places * places).sum()
    low = int(np.round(distinct[0] / step))
    grid = np.round(values / step).astype(np.int64) - low
    error = np.abs((grid + low) * step - values).max()
    if grid.max() > 255 or error > 0.02 * step:
        raise ValueError(f"weights are not on an 8-bit grid: {grid.max() + 1} values, error {error / step:.3f} steps")
    return step, -low, grid.astype(np.uint8)


def finished(graph) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="heurpipe")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _constant(graph, name, values):
    graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))


class Finished:
    """The model as shipped, run by ONNX Runtime: what the card's figures are measured with."""

    def __init__(self, data: bytes, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        rows = [self.session.run(["probabilities"], {"input": normalised(p[None])})[0][0] for p in pictures]
        return np.stack(rows)
