"""The trained part: standardise, one hidden layer (or none), softmax. NumPy alone, seeded, the same on every run."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Settings:
    """What is chosen per model."""

    hidden: int = 0  # 0: plain multinomial logistic regression
    decay: float = 1e-3  # weight decay, decoupled
    dropout: float = 0.0  # of the features, while training
    smoothing: float = 0.0  # label smoothing
    epochs: int = 30
    batch: int = 128
    rate: float = 1e-3
    seeds: int = 1  # heads trained from different seeds and averaged (logistic only)


@dataclass
class Head:
    """layers of (weights [in, out], bias [out]); ReLU between them; the standardisation is folded into the first."""

    layers: list

    def logits(self, features: np.ndarray) -> np.ndarray:
        x = features
        for index, (weights, bias) in enumerate(self.layers):
            x = x @ weights + bias
            if index + 1 < len(self.layers):
                x = np.maximum(x, 0.0)
        return x


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def train(features, labels, classes: int, settings: Settings, weights=None, seed: int = 0) -> Head:
    """Adam with a cosine rate on the weighted cross-entropy."""
    rng = np.random.default_rng(seed)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-3
    x = ((features - mean) / deviation).astype(np.float32)
    y = np.full((len(labels), classes), settings.smoothing / classes, dtype=np.float32)
    y[np.arange(len(labels)), labels] += 1.0 - settings.smoothing
    weights = np.ones(len(labels), np.float32) if weights is None else np.asarray(weights, np.float32)
    weights = weights / weights.mean()

    sizes = [x.shape[1]] + ([settings.hidden] if settings.hidden else []) + [classes]
    params = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        spread = np.sqrt(2.0 / fan_in) if len(sizes) > 2 else 0.0
        params.append(rng.normal(0, 1, (fan_in, fan_out)).astype(np.float32) * np.float32(spread))
        params.append(np.zeros(fan_out, np.float32))
    first = [np.zeros_like(p) for p in params]
    second = [np.zeros_like(p) for p in params]

    steps = settings.epochs * -(-len(x) // settings.batch)
    step = 0
    for _ in range(settings.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), settings.batch):
            rows = order[start : start + settings.batch]
            step += 1
            rate = settings.rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            for index, gradient in enumerate(_gradients(params, x[rows], y[rows], weights[rows], settings, rng)):
                first[index] += 0.1 * (gradient - first[index])
                second[index] += 0.001 * (gradient * gradient - second[index])
                scaled = (first[index] / (1 - 0.9**step)) / (np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8)
                if params[index].ndim == 2:
                    scaled = scaled + settings.decay * params[index] / settings.rate
                params[index] -= np.float32(rate) * scaled.astype(np.float32)

    layers = [(params[i].astype(np.float64), params[i + 1].astype(np.float64)) for i in range(0, len(params), 2)]
    w, b = layers[0]
    layers[0] = (w / deviation[:, None], b - (mean / deviation) @ w)
    return Head([(w.astype(np.float32), b.astype(np.float32)) for w, b in layers])


def _gradients(params, x, y, weights, settings, rng):
    if settings.dropout:
        keep = (rng.random(x.shape) >= settings.dropout).astype(np.float32) / np.float32(1 - settings.dropout)
        x = x * keep
    hidden = None
    top = x
    if len(params) == 4:
        hidden = np.maximum(x @ params[0] + params[1], 0.0)
        if settings.dropout:
            hidden *= (rng.random(hidden.shape) >= 0.3) / np.float32(0.7)
        top = hidden
    error = (softmax(top @ params[-2] + params[-1]) - y) * (weights / len(x))[:, None]
    gradients = [top.T @ error, error.sum(axis=0)]
    if hidden is not None:
        below = (error @ params[2].T) * (hidden > 0)
        gradients = [x.T @ below, below.sum(axis=0)] + gradients
    return gradients


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that makes the probabilities of pictures not trained on most honest (least log loss)."""
    best, least = 1.0, np.inf
    for candidate in np.geomspace(0.3, 5.0, 141):
        probabilities = softmax(logits / candidate)
        loss = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean()
        if loss < least:
            best, least = float(candidate), loss
    return round(best, 3)
