"""Figures of a model card."""

import numpy as np


def confusion(truth, guesses, classes: int) -> np.ndarray:
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (np.asarray(truth), np.asarray(guesses)), 1)
    return table


def accuracy(table: np.ndarray) -> float:
    return float(np.trace(table) / max(1, table.sum()))


def per_class_table(table: np.ndarray, labels) -> str:
    lines = ["| label | pictures | precision | recall |", "|---|---|---|---|"]
    for index, label in enumerate(labels):
        right, said, there = table[index, index], table[:, index].sum(), table[index].sum()
        precision = f"{right / said:.3f}" if said else "-"
        recall = f"{right / there:.3f}" if there else "-"
        lines.append(f"| {label} | {there} | {precision} | {recall} |")
    return "\n".join(lines)


def confusion_table(table: np.ndarray, labels) -> str:
    lines = ["| is \\ said | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    lines += [f"| {label} | " + " | ".join(str(n) for n in table[i]) + " |" for i, label in enumerate(labels)]
    return "\n".join(lines)


def threshold(probabilities: np.ndarray, truth: np.ndarray, precision: float) -> float:
    """The least confidence, from 0.5 in steps of 0.05, from which what the model says is right so often."""
    sure, guess = probabilities.max(axis=1), probabilities.argmax(axis=1)
    for candidate in np.arange(0.5, 1.0, 0.05):
        kept = sure >= candidate
        if kept.any() and (guess == truth)[kept].mean() >= precision:
            return round(float(candidate), 2)
    return 0.95
