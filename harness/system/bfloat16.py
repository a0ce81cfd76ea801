"""Whether this processor's bfloat16 convolutions compute what they should."""

from __future__ import annotations

from functools import lru_cache

_TRIES = 5
_TOLERANCE = 0.1  # of the largest gradient; bfloat16 itself is off by less than a hundredth


@lru_cache(maxsize=1)
def bfloat16_gradients_are_right() -> bool:
    """True if weight gradients of a bfloat16 ``Conv3d`` are those of float32, but for rounding.

    oneDNN of torch 2.13 on processors with AVX512-BF16 and without AMX returns random ones, often NaN, where a clip has
    fewer frames than the kernel: the last layers of I3D at the small profiles.
    """
    import torch

    for seed in range(_TRIES):
        draw = torch.Generator().manual_seed(seed)
        weight = torch.randn(16, 32, 3, 1, 1, generator=draw) / 10
        clips = torch.randn(8, 32, 2, 1, 1, generator=draw)
        onto = torch.randn(8, 16, 2, 1, 1, generator=draw)
        exact, rough = (_weight_gradient(weight, clips, onto, bfloat16=b) for b in (False, True))
        if not (exact - rough).abs().max() <= _TOLERANCE * exact.abs().max():  # NaN is wrong as well
            return False
    return True


def _weight_gradient(weight, clips, onto, bfloat16: bool):
    import torch

    weight = weight.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = torch.nn.functional.conv3d(clips, weight, padding=(1, 0, 0))
    out.backward(onto.to(out.dtype))
    return weight.grad
