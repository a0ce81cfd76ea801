"""Mean of what other networks predicted, against the formula; and what cannot be fused."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mtcd_plugin.evaluation.clip_predictions import write_predictions

CLIPS = ("c1", "c2", "c3")


def softmax(seed, clips=3, classes=4):
    x = np.exp(np.random.default_rng(seed).normal(size=(clips, classes)))
    return (x / x.sum(axis=1, keepdims=True)).astype(np.float32)


def write(path, scores, clips=CLIPS, labels=None):
    labels = range(len(clips)) if labels is None else labels
    rows = zip(clips, labels, scores.tolist(), strict=True)
    write_predictions(str(path), [{"clip_id": c, "subject": "s", "label": n, "scores": s} for c, n, s in rows])
    return {"predictions": str(path)}


@pytest.fixture
def members(tmp_path):
    """RGB's clips lie in another order than depth's."""
    order = [2, 0, 1]
    rgb = write(tmp_path / "rgb.parquet", softmax(1)[order], [CLIPS[i] for i in order], order)
    return {"rgb": rgb, "depth": write(tmp_path / "depth.parquet", softmax(2))}


def build(members, **more):
    return MODELS.build({"type": "ScoreFusion", "members": members, **more})


def samples(clips=CLIPS, labels=None):
    found = []
    for i, clip in enumerate(clips):
        sample = ActionDataSample().set_gt_label(i if labels is None else labels[i])
        sample.set_metainfo({"clip_id": clip})
        found.append(sample)
    return found


def predict(model, **kw):
    found = model(**model.data_preprocessor({"inputs": [], "data_samples": samples(**kw)}), mode="predict")
    return torch.stack([s.pred_score for s in found]).numpy(), [int(s.pred_label) for s in found]


@pytest.mark.parametrize(("rgb", "depth"), [(1.0, 1.0), (3.0, 1.0), (0.0, 0.5)])
def test_the_scores_are_the_weighted_mean_whatever_the_order_of_the_files(members, rgb, depth):
    weights = {"rgb": rgb, "depth": depth}
    scores, labels = predict(build({m: {**members[m], "weight": w} for m, w in weights.items()}))
    wanted = (rgb * softmax(1) + depth * softmax(2)) / (rgb + depth)
    np.testing.assert_allclose(scores, wanted, rtol=1e-6)
    assert scores.dtype == np.float32 and labels == wanted.argmax(axis=1).tolist()


def test_one_member_is_itself_and_equal_members_change_nothing(members):
    np.testing.assert_array_equal(predict(build({"rgb": members["rgb"]}))[0], softmax(1))
    np.testing.assert_array_equal(predict(build({"a": members["rgb"], "b": members["rgb"]}))[0], softmax(1))


def test_it_has_no_weights_and_trains_nothing(members):
    model = build(members)
    assert not list(model.parameters()) and not model.state_dict()
    for mode in ("loss", "tensor"):
        with pytest.raises(RuntimeError, match="ScoreFusion only predicts"):
            model(None, samples(), mode=mode)


def test_the_mean_of_logits_comes_from_probabilities(tmp_path):
    rng = np.random.default_rng(5)
    logits = {name: rng.normal(scale=6, size=(3, 4)) for name in ("rgb", "depth", "both")}
    logits["both"][0] = [300, 0, -300, 0]  # probabilities of 0 in float32
    probabilities = {name: torch.tensor(x).softmax(1).float().numpy() for name, x in logits.items()}
    members = {name: write(tmp_path / f"{name}.parquet", x) for name, x in probabilities.items()}
    found = predict(build(members, average="logit"))[0]
    expected = torch.tensor(sum(logits.values()) / 3).softmax(1).numpy()
    np.testing.assert_allclose(found[1:], expected[1:], atol=1e-5)
    assert found[0].argmax() == 0 and np.isfinite(found).all()


def test_scores_that_are_no_probabilities_are_averaged_only_where_that_is_said(tmp_path, members):
    logits = np.float32([[3, -1, 0, 0], [0, 2, 0, 0], [-4, 0, 0, 5]])
    members["rgb"] = write(tmp_path / "logits.parquet", logits)
    with pytest.raises(
        ValueError, match=r"model.members.rgb.predictions: .*logits.parquet holds scores that are no prob"
    ):
        predict(build(members))
    np.testing.assert_allclose(predict(build(members, average="score"))[0], (logits + softmax(2)) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"members": {}}, "members is empty; give name"),
        ({"average": "log"}, "average='log' is unknown; choose from prob, logit, score"),
        ({"members": {"rgb": {"weight": -1}}}, "members.rgb.weight=-1 must be 0 or more"),
        ({"members": {"rgb": {"weight": float("nan")}}}, "members.rgb.weight=nan must be 0 or more"),
        ({"members": {"rgb": {"weight": 0}}}, "the weights of all members are 0"),
    ],
)
def test_options_that_make_no_sense_are_one_line(members, config, words):
    with pytest.raises(ValueError, match=words) as e:
        build(**{"members": members, **config})
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda p: write(p, softmax(2)[:2], CLIPS[:2]),
            "rgb was tested on 3 clips, depth on 2: rgb has c3, depth has not",
        ),
        (lambda p: write(p, softmax(2), ("c1", "c2", "c4")), "on 3 clips, depth on 3: rgb has c3, depth has not"),
        (lambda p: write(p, softmax(2), labels=(0, 1, 3)), "clip c3 has label 2 in rgb, 3 in depth"),
        (lambda p: write(p, softmax(2, classes=5)), "rgb predicts 4 classes, depth 5"),
        (lambda p: {"predictions": ""}, "model.members.depth.predictions is empty: test that network first"),
        (lambda p: {"predictions": str(p / "gone")}, "gone does not exist; test that network first|Not a directory"),
    ],
)
def test_members_that_do_not_belong_together_are_one_line(tmp_path, members, change, words):
    members["depth"] = change(tmp_path / "depth.parquet")
    with pytest.raises((ValueError, FileNotFoundError), match=words) as e:
        predict(build(members))
    assert "\n" not in str(e.value)


def test_a_clip_that_the_members_do_not_have_or_that_has_another_label_is_one_line(members):
    with pytest.raises(ValueError, match="clip c9 is not among the 3 clips that rgb, depth were tested on"):
        predict(build(members), clips=("c1", "c9"))
    with pytest.raises(ValueError, match="clip c2 has label 3, and 1 in the predictions of rgb, depth"):
        predict(build(members), labels=(0, 3, 2))


def table(path, **columns):
    pq.write_table(pa.table(columns), path)


SCORES = [[0.5, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-20]), "is damaged or holds no predictions"),
        (lambda p: p.write_bytes(b""), "is damaged or holds no predictions"),
        (lambda p: table(p, clip_id=["a"], label=[0]), "it has no column scores"),
        (lambda p: table(p, clip_id=["a", "a"], label=[0, 1], scores=SCORES), "holds clip a twice"),
        (lambda p: table(p, clip_id=["a", "b"], label=[0, 1], scores=[[1.0], [0.5, 0.5]]), "other numbers of scores"),
        (lambda p: table(p, clip_id=["a", "b"], label=[0, None], scores=SCORES), "clips without a label"),
        (lambda p: table(p, clip_id=["a"], label=[0], scores=[[float("nan"), 1.0]]), "scores that are not finite"),
        (lambda p: table(p, clip_id=["a"], label=[0], scores=[None]), "clips without scores"),
        (lambda p: write(p, softmax(1)[:0], ()), "holds no clip"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, members, damage, words):
    path = tmp_path / "depth.parquet"
    damage(path)
    with pytest.raises(ValueError, match=words) as e:
        predict(build(members))
    assert "\n" not in str(e.value) and str(path) in str(e.value)
