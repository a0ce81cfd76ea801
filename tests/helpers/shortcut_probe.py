"""Can a class be told without seeing motion? Linear probes on single frames, brightness, place and length.

A gesture set is only a test of motion if these stay near chance on the test split. Each probe is a ridge classifier
fitted to the training split; its penalty is chosen on held-out training subjects.
"""

from __future__ import annotations

import numpy as np

PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)


def frame_features(frames: np.ndarray, length: int) -> dict[str, np.ndarray]:
    """Features [K,D] by probe from frames [4+K,h,w,c] in 0..1: first, centre, two around it, K random ones.

    ``centre_frame`` and ``random_frame`` see the pixels of one frame; ``brightness`` the mean and standard deviation of
    its channels; ``place`` the centre of what differs most from the frame's median, at the start and in the middle;
    ``duration`` the number of frames. ``difference`` is the control: the difference of two frames, which is motion.
    """
    first, centre, early, late, *others = frames
    return {
        "centre_frame": centre.reshape(1, -1),
        "random_frame": np.stack(others).reshape(len(others), -1),
        "brightness": np.concatenate([centre.mean((0, 1)), centre.std((0, 1))])[None],
        "place": np.concatenate([_place(first), _place(centre)])[None],
        "duration": np.array([[length, 1 / length]]),
        "difference": (late - early).reshape(1, -1),
    }


def _place(frame: np.ndarray) -> np.ndarray:
    """Centre and spread (x, y) of the pixels that differ most from the frame's median."""
    gray = frame.mean(-1)
    weight = np.abs(gray - np.median(gray))
    weight = np.maximum(weight - np.quantile(weight, 0.8), 0) + 1e-9
    y, x = np.mgrid[0 : gray.shape[0], 0 : gray.shape[1]]
    cx, cy = np.average(x, weights=weight), np.average(y, weights=weight)
    return np.array([cx, cy, np.average((x - cx) ** 2, weights=weight), np.average((y - cy) ** 2, weights=weight)])


def probe(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, test: np.ndarray) -> float:
    """Accuracy on the test clips of a ridge classifier fitted to the others.

    `features` [N,K,D] (K samples of each clip, scored one by one), `labels` [N], `groups` [N] (subjects, for choosing
    the penalty), `test` [N] bool.
    """
    names = np.unique(groups[~test])
    held = np.isin(groups, names[:: max(2, min(4, len(names)))]) & ~test
    fit = ~test & ~held
    best = (
        max(PENALTIES, key=lambda p: _accuracy(features, labels, fit, held, p)) if held.any() and fit.any() else 100.0
    )
    return _accuracy(features, labels, ~test, test, best)


def _accuracy(features: np.ndarray, labels: np.ndarray, fit: np.ndarray, score: np.ndarray, penalty: float) -> float:
    repeats, width = features.shape[1:]
    x, y = features[fit].reshape(-1, width), np.repeat(labels[fit], repeats)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / scale
    target = (y[:, None] == np.arange(labels.max() + 1)) - np.bincount(y, minlength=labels.max() + 1) / len(y)
    weights = x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), target)
    guess = (((features[score].reshape(-1, width) - mean) / scale) @ weights).argmax(1)
    return float((guess == np.repeat(labels[score], repeats)).mean())
