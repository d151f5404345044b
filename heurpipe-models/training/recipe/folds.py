"""Cross-validation in which pictures of one group stay together."""

import numpy as np


def grouped(labels: np.ndarray, groups, folds: int, seed: int = 5) -> np.ndarray:
    """The fold of each picture: groups of each label are dealt out in turn, so that every fold has every label."""
    rng = np.random.default_rng(seed)
    label_of = dict(zip(groups, labels))
    fold_of = {}
    for label in sorted(set(labels.tolist())):
        members = sorted(group for group in label_of if label_of[group] == label)
        rng.shuffle(members)
        fold_of.update({group: index % folds for index, group in enumerate(members)})
    return np.array([fold_of[group] for group in groups])
