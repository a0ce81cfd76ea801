"""Losses between a student and a frozen teacher, against closed forms in numpy and plain Python."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.models.losses.distillation import Outputs, attention_map
from mtcd_plugin.models.losses.relational import pair_distances, triple_cosines

N, K, C, SIZE = 4, 3, 5, (2, 3, 2)
LABELS = torch.tensor([0, 1, 2, 0])
CLIPS = ["a", "b", "c", "d"]


def outputs(seed: int, n: int = N, layers=()) -> Outputs:
    g = torch.Generator().manual_seed(seed)
    maps = [torch.randn(n, C, *SIZE, generator=g, dtype=torch.float64).relu() for _ in range(1 + len(layers))]
    logits = torch.randn(n, K, generator=g, dtype=torch.float64)
    return Outputs(logits, maps[0], dict(zip(layers, maps[1:], strict=True)))


def loss_of(config: dict, seed: int = 0):
    torch.manual_seed(seed)
    loss = MODELS.build(config)
    loss.init_weights()
    return loss.double()


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def close(got, expected):
    assert got.item() == pytest.approx(expected, rel=1e-5)  # the losses compute in single precision


def test_logits_are_compared_at_a_temperature_whose_square_is_kept():
    student, teacher = outputs(0), outputs(1)
    got = loss_of(dict(type="LogitDistillation", weight=0.7, temperature=5.0))(student, teacher, LABELS, CLIPS)
    p, q = softmax(teacher.logits.numpy() / 5), softmax(student.logits.numpy() / 5)
    close(got["loss_kd"], 0.7 * 25 * (p * np.log(p / q)).sum(axis=1).mean())


def test_a_hint_is_half_the_squared_distance_to_the_regressed_feature():
    student, teacher = outputs(0, layers=("x",)), outputs(1, layers=("x",))
    loss = loss_of(dict(type="HintDistillation", student_channels=C, teacher_channels=C, layer="x", weight=3.0)).train()
    got = loss(student, teacher, LABELS, CLIPS)
    weight = loss.regressor[0].weight.detach().numpy()[:, :, 0, 0, 0]
    made = np.einsum("oc,ncthw->nothw", weight, student.layers["x"].numpy())
    axes = (0, 2, 3, 4)
    made = (made - made.mean(axes, keepdims=True)) / np.sqrt(made.var(axes, keepdims=True) + 1e-5)
    close(got["loss_kd"], 3.0 * 0.5 * ((np.maximum(made, 0) - teacher.layers["x"].numpy()) ** 2).mean())
    got["loss_kd"].backward()
    assert loss.regressor[0].weight.grad.abs().sum() > 0


def test_attention_is_where_squares_are_whatever_their_scale():
    layers = ("x", "y")
    student, teacher = outputs(0, layers=layers), outputs(1, layers=layers)
    got = loss_of(dict(type="AttentionTransfer", layers=layers, weight=2.0))(student, teacher, LABELS, CLIPS)
    expected = 0.0
    for name in layers:
        maps = []
        for given in (student, teacher):
            a = (given.layers[name].numpy() ** 2).mean(axis=1).reshape(N, -1)
            maps.append(a / np.linalg.norm(a, axis=1, keepdims=True))
        expected += ((maps[0] - maps[1]) ** 2).mean()
    close(got["loss_kd"], 2.0 * expected)
    x = student.layers["x"]
    torch.testing.assert_close(attention_map(7 * x), attention_map(x))
    assert attention_map(x).norm(dim=1).tolist() == pytest.approx([1.0] * N)


def test_relations_by_hand():
    """A right triangle with sides 3, 4, 5: its distances over their mean of 4, and its cosines 0, 3/5 and 4/5."""
    corners = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert sorted(pair_distances(corners).tolist()) == pytest.approx([0.75, 0.75, 1.0, 1.0, 1.25, 1.25])
    assert sorted(triple_cosines(corners).tolist()) == pytest.approx([0.0, 0.0, 0.6, 0.6, 0.8, 0.8], abs=1e-6)
    moved = 2 * corners @ torch.tensor([[0.6, -0.8], [0.8, 0.6]]) + 1  # turned, scaled and moved
    torch.testing.assert_close(pair_distances(moved), pair_distances(corners))
    torch.testing.assert_close(triple_cosines(moved), triple_cosines(corners), atol=1e-6, rtol=0)


def huber(x):
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def relations(x):
    pairs = list(permutations(range(len(x)), 2))
    mean = np.mean([np.linalg.norm(x[i] - x[j]) for i, j in pairs])
    distances = [np.linalg.norm(x[i] - x[j]) / mean for i, j in pairs]
    cosines = []
    for i, j, k in permutations(range(len(x)), 3):
        a, b = x[i] - x[j], x[k] - x[j]
        cosines.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return distances, cosines


def test_relational_distillation():
    student, teacher = outputs(0), outputs(1)
    got = loss_of(dict(type="RelationalDistillation"))(student, teacher, LABELS, CLIPS)
    own, other = (relations(x.feature.numpy().mean(axis=(2, 3, 4))) for x in (student, teacher))
    for name, weight, a, b in zip(("distance", "angle"), (25, 50), own, other, strict=True):
        close(got[f"loss_kd_{name}"], weight * np.mean([huber(x - y) for x, y in zip(a, b, strict=True)]))


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_clips_have_no_relation(n):
    student = outputs(0, n)
    student.feature.requires_grad_()
    got = loss_of(dict(type="RelationalDistillation"))(student, outputs(1, n), LABELS[:n], CLIPS[:n])
    assert got["loss_kd_angle"] == 0 and (got["loss_kd_distance"] == 0 or n == 2)
    sum(got.values()).backward()
    assert torch.isfinite(student.feature.grad).all()


def contrast(anchors, others, memory, labels, remembered, scale, tau):
    """-log h of the pair - sum of log(1 - h) over clips of other classes, a plain loop; and z where it is not given."""
    if scale is None:
        values = [math.exp(a @ o / tau) for a, o in zip(anchors, others, strict=True)]
        for a, y in zip(anchors, labels, strict=True):
            values += [math.exp(a @ m / tau) for m, z in zip(memory, remembered, strict=True) if z != y]
        scale = sum(values) / len(values)
    total = 0.0
    for a, o, y in zip(anchors, others, labels, strict=True):
        far = [math.exp(a @ m / tau) for m, z in zip(memory, remembered, strict=True) if z != y]
        noise, near = len(far) * scale, math.exp(a @ o / tau)
        total -= math.log(near / (near + noise)) + sum(math.log(1 - e / (e + noise)) for e in far)
    return total / len(anchors), scale


def embedded(loss, side, given):
    x = given.feature.numpy().mean(axis=(2, 3, 4))
    linear = getattr(loss, f"embed_{side}")
    x = x.astype(np.float32) @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def crd(**options):
    torch.manual_seed(0)
    config = dict(type="ContrastiveDistillation", student_channels=C, teacher_channels=C, channels=4, temperature=0.5)
    return MODELS.build({**config, **options})


def test_contrastive_distillation_over_two_batches():
    loss = crd(weight=0.8, momentum=0.5)
    memory = {"student": {}, "teacher": {}}
    label_of, scales = {}, {"student": None, "teacher": None}
    batches = [(CLIPS, LABELS), (["b", "e", "f", "a"], torch.tensor([1, 2, 2, 0]))]
    for step, (clips, labels) in enumerate(batches):
        given = {"student": outputs(2 * step), "teacher": outputs(2 * step + 1)}
        got = loss(given["student"], given["teacher"], labels, clips)
        label_of |= dict(zip(clips, labels.tolist(), strict=True))
        x = {side: embedded(loss, side, given[side]) for side in memory}
        for side, kept in memory.items():
            for clip, row in zip(clips, x[side], strict=True):
                mixed = 0.5 * kept[clip] + 0.5 * row if clip in kept else row
                kept[clip] = mixed / np.linalg.norm(mixed)
        expected = 0.0
        for side, other in (("student", "teacher"), ("teacher", "student")):
            rows, known = list(memory[other].values()), [label_of[clip] for clip in memory[other]]
            value, scales[side] = contrast(x[side], x[other], rows, labels.tolist(), known, scales[side], 0.5)
            expected += value
        close(got["loss_kd"], 0.8 * expected)
        assert got["memory"] == len(label_of)


def test_contrastive_memory_goes_on_from_its_state_and_gets_no_gradient():
    loss, other = crd(), crd()
    first = loss(outputs(0), outputs(1), LABELS, CLIPS)["loss_kd"]
    first.backward()
    assert loss.embed_student.weight.grad.abs().sum() > 0 and loss.embed_teacher.weight.grad.abs().sum() > 0
    assert not any(m.requires_grad for m in loss.memory.values())
    other.load_training_state(loss.training_state(), torch.device("cpu"))
    a, b = (x(outputs(2), outputs(3), LABELS, ["a", "x", "y", "z"])["loss_kd"] for x in (loss, other))
    assert torch.equal(a, b) and a != crd()(outputs(2), outputs(3), LABELS, ["a", "x", "y", "z"])["loss_kd"]
    alone = crd()(outputs(0), outputs(1), torch.zeros(N, dtype=torch.int64), CLIPS)["loss_kd"]
    assert alone == 0  # one class has no negatives


def test_hallucination_is_soft_labels_and_sigmoids():
    student, teacher = outputs(0), outputs(1)
    got = loss_of(dict(type="HallucinationDistillation"))(student, teacher, LABELS, CLIPS)
    p, q = softmax(teacher.logits.numpy() / 10), softmax(student.logits.numpy() / 10)
    close(got["loss_kd_soft"], 0.25 * -(p * np.log(q)).sum(axis=1).mean())
    a, b = (1 / (1 + np.exp(-x.feature.numpy())) for x in (student, teacher))
    close(got["loss_kd_feature"], 0.005 * ((a - b) ** 2).sum() / N)


def admd(**options):
    config = dict(type="AdversarialDistillation", channels=C, num_classes=K, steps=SIZE[0], **options)
    torch.manual_seed(0)
    loss = MODELS.build(config)
    loss.init_weights()
    return loss


def test_a_discriminator_learns_to_tell_and_the_student_to_be_taken_for_the_teacher():
    student, teacher, loss = outputs(0), outputs(1), admd(weight=2.0)
    student.feature.requires_grad_()
    got = loss(student, teacher, LABELS, CLIPS)

    def told(given):
        pooled = given.feature.detach().float().mean(dim=(3, 4))  # [N, C, T]
        rows = [
            torch.cat([pooled[n, :, t], torch.eye(SIZE[0])[t]]) for n in range(N) for t in range(SIZE[0])
        ]  # a clip's steps one after the other
        return loss.discriminator(torch.stack(rows)).detach().log_softmax(dim=1).numpy()

    real, fake = told(teacher), told(student)
    classes = np.repeat(LABELS.numpy(), SIZE[0])
    rows = np.arange(len(classes))
    close(got["loss_discriminator"], 0.5 * (-real[rows, classes].mean() - fake[:, K].mean()))
    close(got["loss_kd"], 2.0 * -fake[rows, classes].mean())
    got["loss_kd"].backward(retain_graph=True)
    assert student.feature.grad.abs().sum() > 0
    assert all(p.grad is None for p in loss.discriminator.parameters())
    student.feature.grad = None
    got["loss_discriminator"].backward()
    assert student.feature.grad is None
    assert all(p.grad.abs().sum() > 0 for p in loss.discriminator.parameters())


def test_what_does_not_fit_is_one_line():
    small = Outputs(torch.zeros(N, K), torch.zeros(N, C, 1, 3, 2), {"x": torch.zeros(N, C, 1, 3, 2)})
    whole = outputs(0, layers=("x",))
    with pytest.raises(ValueError, match=r"distillation at x: the teacher's map is \[2, 3, 2\] .* \[1, 3, 2\]"):
        loss_of(dict(type="AttentionTransfer", layers=["x"]))(small, whole, LABELS, CLIPS)
    with pytest.raises(ValueError, match="have 1 steps in time, not 2; set model.distillation.steps"):
        admd()(small, small, LABELS, CLIPS)
    with pytest.raises(ValueError, match="weight must be a finite number > 0, got 0; set model.distillation.weight"):
        loss_of(dict(type="LogitDistillation", weight=0))
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got -1"):
        loss_of(dict(type="LogitDistillation", temperature=-1))
