"""Central difference convolutions against the two convolutions that define them."""

import pytest
import torch
import torch.nn.functional as F

from mtcd_plugin.models.backbones.central_difference import THETAS, CentralDifferenceConv3d

torch.set_num_threads(1)


def reference(x, weight, kind, theta, stride):
    """conv(x; W) - theta conv1x1x1(x'; w'), the second one without padding."""
    size = weight.shape[2:]
    out = F.conv3d(x, weight, stride=stride, padding=[k // 2 for k in size])
    slices = [t for t in range(size[0]) if kind == "st" or t != size[0] // 2]
    summed = sum(weight[:, :, t].sum((2, 3)) for t in slices)[:, :, None, None, None]
    if kind == "tr":
        mean = F.avg_pool3d(x, (size[0], 1, 1), stride, (size[0] // 2, 0, 0), count_include_pad=True)
        return out - theta * F.conv3d(mean, summed)
    return out - theta * F.conv3d(x, summed, stride=stride)


@pytest.mark.parametrize("stride", [(1, 1, 1), (2, 1, 1), (4, 1, 1), (2, 2, 2)])
@pytest.mark.parametrize("size", [(3, 3, 3), (5, 5, 5), (3, 1, 1), (5, 1, 1)])
@pytest.mark.parametrize("kind", THETAS)
def test_it_is_the_difference_of_two_convolutions_and_so_is_its_gradient(kind, size, stride):
    torch.manual_seed(0)
    conv = CentralDifferenceConv3d(2, 3, size, stride, kind).double()
    x = torch.randn(2, 2, 8, 6, 6, dtype=torch.float64, requires_grad=True)
    ours, expected = conv(x), reference(x, conv.weight, kind, THETAS[kind], stride)
    torch.testing.assert_close(ours, expected)
    direction = torch.randn_like(ours)
    wanted = torch.autograd.grad(expected, (x, conv.weight), direction)
    for mine, theirs in zip(torch.autograd.grad(ours, (x, conv.weight), direction), wanted, strict=True):
        torch.testing.assert_close(mine, theirs)
    plain = F.conv3d(x, conv.weight, stride=stride, padding=conv.padding)
    (ordinary,) = torch.autograd.grad(plain, conv.weight, direction)
    assert not torch.allclose(wanted[1], ordinary), "the kernel is reached through both terms"


def test_what_does_not_change_is_no_difference():
    x = torch.full((1, 2, 7, 7, 7), 3.0)
    inside = (..., slice(1, -1), slice(1, -1), slice(1, -1))
    with torch.no_grad():
        everywhere = CentralDifferenceConv3d(2, 3, (3, 3, 3), kind="st", theta=1)
        torch.testing.assert_close(everywhere(x)[inside], torch.zeros(1, 3, 5, 5, 5), atol=1e-5, rtol=0)
        in_time = CentralDifferenceConv3d(2, 3, (3, 3, 3), kind="t", theta=1)
        middle = F.conv3d(x, in_time.weight[:, :, 1:2], padding=(0, 1, 1))
        torch.testing.assert_close(in_time(x)[inside], middle[inside], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", THETAS)
def test_no_share_and_a_kernel_of_one_frame_are_ordinary_convolutions(kind):
    x = torch.randn(1, 2, 4, 5, 5)
    for conv in (
        CentralDifferenceConv3d(2, 3, (3, 3, 3), kind=kind, theta=0),
        CentralDifferenceConv3d(2, 3, (1, 3, 3), kind=kind),
    ):
        torch.testing.assert_close(conv(x), F.conv3d(x, conv.weight, padding=conv.padding))


def test_an_unknown_kind_is_one_line():
    with pytest.raises(ValueError, match="kind='ts' is unknown; choose from st, t, tr"):
        CentralDifferenceConv3d(2, 3, (3, 3, 3), kind="ts")
