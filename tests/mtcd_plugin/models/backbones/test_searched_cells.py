"""Cells of an architecture search."""

import pytest
import torch
from torch import nn

from mtcd_plugin.models.backbones.searched_cells import Cell, read_genotype

torch.set_num_threads(1)


def test_a_genotype_is_two_operations_a_node():
    assert read_genotype("t3(1) T3(0) | id(2) s(1)") == ((("t3", 1), ("T3", 0)), (("id", 2), ("s", 1)))


@pytest.mark.parametrize("text", ["id(0)", "id(0) id(2)", "id(0) id(1) | id(2) id(3)", "id(0) id(1) id(1)", ""])
def test_a_node_without_two_earlier_inputs_is_one_line(text):
    with pytest.raises(ValueError, match=r"node \d must be two operations on earlier nodes"):
        read_genotype(text)


def test_identities_alone_add_up_the_inputs():
    cell = Cell(
        read_genotype("id(0) id(1) | id(0) id(2) | id(2) id(3) | id(1) id(1)"), (3, 5), 2, lambda *_: nn.Identity()
    )
    s0, s1 = torch.randn(2, 3, 4, 6, 6), torch.randn(2, 5, 4, 6, 6)
    a, b = cell.preprocess0(s0), cell.preprocess1(s1)
    out = cell(s0, s1)
    assert out.shape[1] == cell.out_channels == 8
    torch.testing.assert_close(out, torch.cat([a + b, 2 * a + b, 3 * a + 2 * b, 2 * b], dim=1))


def test_inputs_pass_relu_convolution_and_a_norm_without_weights_where_asked():
    cell = Cell(read_genotype("id(0) id(1)"), (3, 5), 2, lambda *_: nn.Identity(), stride=2, affine=False)
    s0, s1 = torch.randn(2, 3, 4, 6, 6), torch.randn(2, 5, 4, 3, 3)
    assert [n for n, _ in cell.named_parameters()] == ["preprocess0.conv.weight", "preprocess1.conv.weight"]
    with torch.no_grad():
        kernel = cell.preprocess0.conv.weight[:, :, 0, 0, 0]
        mixed = torch.einsum("kc,ncthw->nkthw", kernel, s0.clamp(min=0)[..., ::2, ::2])
        spread, mean = torch.std_mean(mixed, dim=(0, 2, 3, 4), correction=0, keepdim=True)
        expected = (mixed - mean) / (spread**2 + 1e-5).sqrt()
        torch.testing.assert_close(cell(s0, s1) - cell.preprocess1(s1), expected)
