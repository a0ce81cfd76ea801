"""Values that no training could have are found when a config is planned."""

import inspect

import pytest
import torch

from harness.fingerprint.dependencies import optimizer_arguments
from harness.plan.config_file import read_config
from harness.plan.resolve import resolve
from harness.suite import load_suite
from tests.harness.conftest import CONFIGS

BASE = "_base_ = '{}/tsn/tsn_r50_mgr-dark-rgb.py'\n"


@pytest.fixture
def config(tmp_path):
    def write(line):
        path = tmp_path / "own.py"
        path.write_text(BASE.format(CONFIGS) + line + "\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("profile", ["smoke", "demo", "paper"])
def test_every_packaged_config_is_content(profile):
    for entry in load_suite(CONFIGS)[1].values():
        resolve(entry.config, profile)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("model = None", "model = None; it must be dict"),
        ("profiles = dict(smoke=dict(train_cfg=[2]))", r"train_cfg = \[2\]"),
        ("profiles = dict(smoke=dict(train_cfg=dict(max_epochs=0)))", "train_cfg.max_epochs = 0; .* from 1 on"),
        ("profiles = dict(smoke=dict(train_cfg=dict(max_epochs=True)))", "train_cfg.max_epochs = True"),
        ("profiles = dict(smoke=dict(train_cfg=dict(max_epochs='2')))", "train_cfg.max_epochs = '2'"),
        ("profiles = dict(smoke=dict(train_dataloader=dict(batch_size=1.5)))", "train_dataloader.batch_size = 1.5"),
        ("profiles = dict(smoke=dict(test_dataloader=dict(batch_size=0)))", "test_dataloader.batch_size = 0"),
        (
            "profiles = dict(smoke=dict(optim_wrapper=dict(optimizer=dict(lr='1e-3'))))",
            "optimizer.lr = '1e-3'; .*quotes",
        ),
        ("profiles = dict(smoke=dict(optim_wrapper=dict(optimizer=dict(lr=-1))))", "optim_wrapper.optimizer.lr = -1"),
        ("profiles = dict(smoke=dict(optim_wrapper=dict(optimizer='SGD')))", "optim_wrapper.optimizer = 'SGD'"),
        (
            "profiles = dict(smoke=dict(optim_wrapper=dict(discriminator=dict(optimizer=3))))",
            "discriminator.optimizer = 3",
        ),
        (
            "profiles = dict(smoke=dict(optim_wrapper=dict(optimizer=dict(learning_rate=1e-3))))",
            r"optim_wrapper.optimizer: unknown argument of \w+ 'learning_rate' \(near: lr\); choose from lr, ",
        ),
        (
            "profiles = dict(smoke=dict(optim_wrapper=dict(optimizer=dict(_delete_=True, type='SGD', lr=1, betas=0))))",
            "unknown argument of SGD 'betas'; choose from .*momentum.* nesterov",
        ),
        ("profiles = dict(smoke=dict(param_scheduler='cosine'))", "param_scheduler = 'cosine'"),
        ("profiles = dict(smoke=dict(param_scheduler=[dict(type='MultiStepLR', milestones=20)]))", "milestones = 20"),
        (
            "profiles = dict(smoke=dict(param_scheduler=[dict(type='MultiStepLR', milestones=[2], gamma='0.1')]))",
            "param_scheduler of MultiStepLR: gamma = '0.1'",
        ),
        ("profiles = dict(smoke=dict(model=[2]))", r"model = \[2\]; it must be dict"),
        ("profiles = dict(smoke=dict(test_dataloader=[2]))", r"test_dataloader = \[2\]; it must be dict"),
        ("profiles = dict(smoke=dict(default_hooks=[1]))", r"default_hooks = \[1\]; it must be dict"),
        ("default_hooks = [1]", r"default_hooks = \[1\]; write"),
        ("profiles = dict(smoke=[1])", r"profiles.smoke = \[1\]; write"),
        ("parents = [1]", r"parents = \[1\]; write"),
        ("parents = dict(teacher=1)", "parents.teacher = 1; it must be dict"),
        ("train_dataloader = dict(dataset=[1])", r"train_dataloader.dataset = \[1\]; it must be"),
        ("profiles = []", r"profiles = \[\]; write profiles = dict\(smoke="),
        (
            "test_dataloader = dict(dataset=dict(split='train'))",
            "test_dataloader reads split train, and train_dataloader",
        ),
        ("test_dataloader = dict(dataset=dict(split='all'))", "test_dataloader reads split all"),
        ("train_dataloader = dict(dataset=dict(split='all'))", "and train_dataloader split all"),
    ],
)
def test_what_no_training_could_have_is_named_with_its_key(config, line, said):
    with pytest.raises(ValueError, match=f"own.py: .*{said}"):
        resolve(config(line), "smoke")


@pytest.mark.parametrize(
    "line",
    [
        "train_dataloader = dict(dataset=dict(split='fit')); test_dataloader = dict(dataset=dict(split='holdout'))",
        "profiles = dict(smoke=dict(param_scheduler=[dict(type='ConstantLR', factor=0.5)]))",
        "profiles = dict(smoke=dict(train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', max_iters=3)))",
    ],
)
def test_what_a_training_may_have_is_left_alone(config, line):
    resolve(config(line), "smoke")


def test_a_config_that_ends_python_is_one_that_cannot_be_read(config):
    with pytest.raises(ValueError, match="own.py: not a readable config: SystemExit: 3"):
        read_config(config("raise SystemExit(3)"))


def test_what_a_config_prints_is_not_on_standard_output(config, capsys):
    read_config(config("print('hello from a config')"))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hello from a config\n")


def test_arguments_of_optimizers_are_those_that_they_have():
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "LBFGS"):
        (_, _, *own) = inspect.signature(getattr(torch.optim, name).__init__).parameters
        assert list(optimizer_arguments(name)) == own
    assert not optimizer_arguments("") and not optimizer_arguments("MyOwn")
