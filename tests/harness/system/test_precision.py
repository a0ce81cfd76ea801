"""What may be asked of a device is known before anything is run."""

import pytest

from harness.errors import BadUsage
from harness.system import bfloat16, precision


def devices(monkeypatch, gpus=(), capability=None, flags=()):
    monkeypatch.setattr(precision, "detect_gpus", lambda: tuple(gpus))
    monkeypatch.setattr(precision, "compute_capability", lambda gpu: capability)
    monkeypatch.setattr(precision, "cpu_flags", lambda: set(flags))


@pytest.mark.parametrize("asked", ["auto", "fp32"])
def test_these_are_there_on_every_device(monkeypatch, asked):
    devices(monkeypatch)
    precision.check_precision(asked)


def test_bf16_of_a_processor_without_it_is_refused(monkeypatch):
    devices(monkeypatch, flags=("avx2",))
    with pytest.raises(
        BadUsage, match="bf16: this processor has none of avx512_bf16 and amx_bf16.*choose fp32 or auto"
    ):
        precision.check_precision("bf16")
    devices(monkeypatch, flags=("avx2", "amx_bf16"))
    monkeypatch.setattr(precision, "bfloat16_gradients_are_right", lambda: True)
    precision.check_precision("bf16")


def test_bf16_of_a_processor_that_computes_it_wrongly_is_refused(monkeypatch):
    devices(monkeypatch, flags=("avx512_bf16",))
    monkeypatch.setattr(precision, "bfloat16_gradients_are_right", lambda: False)
    with pytest.raises(BadUsage, match="wrong gradients on this processor; choose fp32 or auto"):
        precision.check_precision("bf16")


@pytest.mark.parametrize("wrong", [0.0, 0.5, float("nan")])
def test_gradients_are_held_against_float32(monkeypatch, wrong):
    right = bfloat16._weight_gradient
    monkeypatch.setattr(
        bfloat16, "_weight_gradient", lambda *a, bfloat16: right(*a, bfloat16=False) * (1 + wrong * bfloat16)
    )
    bfloat16.bfloat16_gradients_are_right.cache_clear()
    assert bfloat16.bfloat16_gradients_are_right() is (wrong == 0)
    bfloat16.bfloat16_gradients_are_right.cache_clear()


def test_tf32_wants_a_gpu(monkeypatch):
    devices(monkeypatch, flags=("amx_bf16",))
    with pytest.raises(BadUsage, match="there is no GPU"):
        precision.check_precision("tf32")


@pytest.mark.parametrize("asked", ["bf16", "tf32"])
def test_an_old_gpu_is_refused_and_an_unknown_one_is_not(monkeypatch, asked):
    devices(monkeypatch, gpus=("1",), capability=7.5)
    with pytest.raises(BadUsage, match="GPU 1 has compute capability 7.5, 8.0 is needed"):
        precision.check_precision(asked)
    devices(monkeypatch, gpus=("1",), capability=None)
    precision.check_precision(asked)
