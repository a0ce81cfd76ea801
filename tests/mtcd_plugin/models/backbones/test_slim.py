"""The narrow backbones are upstream's networks: the same at full width, the same shape of network at any other."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import pytest
import torch
from mmaction.models.backbones import C3D, ResNet

from mtcd_plugin.models.backbones.slim_c3d import SlimC3D
from mtcd_plugin.models.backbones.slim_resnet import SlimResNet

torch.set_num_threads(1)


def shapes(network):
    return [(k, tuple(v.shape)) for k, v in network.state_dict().items()]


def as_upstream(slim, upstream, x):
    """Outputs of both networks with the upstream's weights."""
    slim.load_state_dict(upstream.state_dict())
    slim.eval(), upstream.eval()
    with torch.no_grad():
        return slim(x), upstream(x)


@pytest.mark.parametrize("depth", [18, 50])
def test_resnet_at_full_width_is_upstreams(depth):
    upstream = ResNet(depth)
    slim = SlimResNet(depth=depth, base_channels=64)
    assert shapes(slim) == shapes(upstream) and slim.feat_dim == upstream.feat_dim
    a, b = as_upstream(slim, upstream, torch.randn(2, 3, 40, 40))
    assert torch.equal(a, b)


def test_c3d_at_full_width_is_upstreams():
    with torch.device("meta"):
        upstream, slim = C3D(), SlimC3D()
    assert shapes(slim) == shapes(upstream)


def test_c3d_has_the_same_graph_at_another_width():
    slim = SlimC3D(base_channels=2, fc_channels=12, out_dim=16 * 4, dropout_ratio=0.0)
    x = torch.randn(2, 3, 16, 32, 32)
    expected = x
    pool = {
        "conv1a": slim.pool1,
        "conv2a": slim.pool2,
        "conv3b": slim.pool3,
        "conv4b": slim.pool4,
        "conv5b": slim.pool5,
    }
    for name in ("conv1a", "conv2a", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b"):
        conv = getattr(slim, name).conv
        expected = torch.relu(torch.conv3d(expected, conv.weight, conv.bias, padding=1))
        expected = pool[name](expected) if name in pool else expected
    for fc in (slim.fc6, slim.fc7):
        expected = torch.relu(fc(expected.flatten(1)))
    assert torch.allclose(slim(x), expected, atol=1e-5)
    assert slim(x).shape == (2, 12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SlimResNet(depth=18, base_channels=4),
        lambda: SlimC3D(base_channels=2, fc_channels=8, out_dim=64),
    ],
)
def test_weights_are_real_and_initialised(make):
    torch.manual_seed(0)
    network = make()
    before = {k: v.clone() for k, v in network.named_parameters()}
    network.init_weights()
    assert all(p.device.type == "cpu" and torch.isfinite(p).all() for p in network.parameters())
    assert any(not torch.equal(p, before[k]) for k, p in network.named_parameters() if k.endswith("weight"))


def test_frozen_stages_and_norm_eval_still_work():
    network = SlimResNet(depth=18, base_channels=4, frozen_stages=1, norm_eval=True)
    network.train()
    assert not any(p.requires_grad for p in network.layer1.parameters())
    assert all(p.requires_grad for p in network.layer2.parameters())
    assert not network.layer2[0].conv1.bn.training


def test_c3d_with_a_stride_at_first_sees_every_second_pixel():
    torch.manual_seed(0)
    plain, strided = (SlimC3D(base_channels=2, fc_channels=4, out_dim=16, stem_stride=s).eval() for s in (1, 2))
    strided.load_state_dict(plain.state_dict())
    clip = torch.randn(1, 3, 16, 56, 56)
    with torch.no_grad():
        assert torch.equal(strided.conv1a.conv(clip), plain.conv1a.conv(clip)[..., ::2, ::2])
        assert strided(clip).shape == (1, 4)
