"""Top-1 and top-5 are counted by one rule, whoever counts: MMEngine's metric, the ledger, the pages."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mtcd_plugin.register  # noqa: F401
from harness.ledger.metrics import compute_metrics
from mtcd_plugin.accuracy import accuracies, among_top, predicted_classes
from mtcd_plugin.evaluation.clip_predictions import ClipPredictions
from reports.ledger.answers import right_and_predicted


def counted_thrice(scores: np.ndarray, labels: list[int]) -> list[tuple[float, float]]:
    """(top-1, top-5) as the plugin's metric, the ledger and (top-1 alone) a run page have it."""
    metric = ClipPredictions()
    for i, (row, label) in enumerate(zip(scores, labels, strict=True)):
        metric.process(
            None,
            [
                {
                    "clip_id": f"{i:03d}",
                    "subject": "s",
                    "gt_label": torch.tensor([label]),
                    "pred_score": torch.tensor(row, dtype=torch.float32),
                }
            ],
        )
    plugin = metric.evaluate(len(labels))
    table = pd.DataFrame({"label": labels, "scores": list(scores.astype(np.float32))})
    ledger = compute_metrics(table)
    page = right_and_predicted(table)[0].mean()
    return [(plugin["acc/top1"], plugin["acc/top5"]), (ledger.top1, ledger.top5), (page, ledger.top5)]


def test_constant_scores_are_the_lowest_class_for_all_three():
    assert counted_thrice(np.full((4, 6), 0.5), [0, 0, 1, 5]) == [(0.5, 0.75)] * 3


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=7, max_size=7), st.integers(0, 6)), min_size=1, max_size=9)
)
@settings(max_examples=60, deadline=None)
def test_many_ties_against_a_sorted_list(rows):
    scores, labels = np.array([r for r, _ in rows], dtype=float), [label for _, label in rows]
    orders = [sorted(range(7), key=lambda c: (-row[c], c)) for row, _ in rows]
    top1 = np.mean([o[0] == label for o, label in zip(orders, labels, strict=True)])
    top5 = np.mean([label in o[:5] for o, label in zip(orders, labels, strict=True)])
    assert counted_thrice(scores, labels) == [pytest.approx((top1, top5))] * 3
    assert predicted_classes(scores).tolist() == [o[0] for o in orders] == torch.tensor(scores).argmax(1).tolist()
    assert (among_top(scores, np.array(labels), 1) == (predicted_classes(scores) == labels)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error_for_all_three(bad):
    scores = np.array([[0.1, 0.9], [bad, 0.5]])
    table = pd.DataFrame({"label": [1, 0], "scores": list(scores)})
    for count, given_ in (
        (accuracies, (scores, np.array([1, 0]))),
        (compute_metrics, (table,)),
        (right_and_predicted, (table,)),
    ):
        with pytest.raises(ValueError, match="not finite"):
            count(*given_)


def test_labels_outside_of_the_classes_and_no_clips_are_errors():
    for label in (-1, 2):
        with pytest.raises(ValueError, match="outside the 2 classes"):
            accuracies(np.eye(2), np.array([0, label]))
    with pytest.raises(ValueError, match="empty"):
        accuracies(np.empty((0, 2)), np.array([], dtype=int))
