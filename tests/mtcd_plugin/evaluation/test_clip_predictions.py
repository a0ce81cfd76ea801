import numpy as np
import pandas as pd
import pytest
import torch

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.evaluation.clip_predictions import ClipPredictions, accuracies


def sample(clip_id, label, scores, subject="s1"):
    return {
        "clip_id": clip_id,
        "subject": subject,
        "gt_label": torch.tensor([label]),
        "pred_score": torch.tensor(scores, dtype=torch.float32),
    }


# By hand: classes 0 a, 1 b, 2 c. Right at top 1: a1, c1 of {a1, a2, b1, c1}. Class accuracies 1/2, 0, 1.
SAMPLES = [
    sample("c1", 2, [0.1, 0.2, 0.7], "s2"),
    sample("a1", 0, [0.6, 0.3, 0.1]),
    sample("a2", 0, [0.2, 0.5, 0.3]),
    sample("b1", 1, [0.5, 0.4, 0.1]),
]


def test_accuracies_and_file_of_a_case_worked_by_hand(tmp_path):
    metric = ClipPredictions(out_file=str(tmp_path / "new" / "p.parquet"))
    for one in SAMPLES:
        metric.process(None, [one])
    assert metric.evaluate(4) == {"acc/top1": 0.5, "acc/top5": 1.0, "acc/mean1": 0.5}
    frame = pd.read_parquet(tmp_path / "new" / "p.parquet")
    assert frame.clip_id.tolist() == ["a1", "a2", "b1", "c1"] and frame.subject.tolist()[-1] == "s2"
    assert frame.label.dtype == np.int32 and frame.scores[0].dtype == np.float32
    np.testing.assert_array_equal(frame.scores[0], np.float32([0.6, 0.3, 0.1]))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("right", [slice(0, 10), slice(-10, None)])
def test_every_batch_counts(right):
    """1,000 clips in batches of 16, of which the first ten or the last ten are right: 1 % either way."""
    scores = np.tile([0.2, 0.8], (1000, 1))
    scores[right] = [0.8, 0.2]
    metric = ClipPredictions()
    for start in range(0, 1000, 16):
        metric.process(
            None, [sample(f"c{i:04d}", 0, s) for i, s in enumerate(scores[start : start + 16].tolist(), start)]
        )
    assert metric.evaluate(1000)["acc/top1"] == pytest.approx(0.01)


def test_against_a_slow_reference():
    rng = np.random.default_rng(0)
    scores = rng.random((200, 7)).astype(np.float32)
    labels = rng.integers(0, 6, 200)  # class 6 does not occur and does not count in the mean
    top1 = top5 = 0
    hits = {label: [] for label in set(labels.tolist())}
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        ranking = sorted(range(7), key=lambda c: -row[c])
        top1 += ranking[0] == label
        top5 += label in ranking[:5]
        hits[label].append(ranking[0] == label)
    found = accuracies(scores, labels)
    assert found["top1"] == pytest.approx(top1 / 200) and found["top5"] == pytest.approx(top5 / 200)
    assert found["mean1"] == pytest.approx(sum(sum(h) / len(h) for h in hits.values()) / len(hits))


def test_equal_scores_go_to_the_lower_class():
    assert accuracies(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1]))["top1"] == 0.5


def test_scores_that_are_not_finite_and_clips_predicted_twice_are_errors():
    metric = ClipPredictions()
    metric.process(None, [sample("a", 0, [float("nan"), 0.0])])
    with pytest.raises(ValueError, match="clip a: the scores are not finite"):
        metric.evaluate(1)
    metric = ClipPredictions()
    metric.process(None, [sample("a", 0, [1.0, 0.0]), sample("a", 0, [1.0, 0.0])])
    with pytest.raises(ValueError, match="clip a was predicted twice"):
        metric.evaluate(2)
