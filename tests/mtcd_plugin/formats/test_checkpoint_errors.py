"""Nobody is told to load a checkpoint unsafely: not by a message, not by a traceback, not by a record."""

import os
import pickle
import re
import traceback
from collections import OrderedDict
from fractions import Fraction

import pytest
import torch

from mtcd_plugin.formats.checkpoint_errors import one_line, without_advice
from mtcd_plugin.models.weights.starting_weights import read_checkpoint


class Command:
    def __reduce__(self):
        return os.getpid, ()


WORDS = ("weights_only", "trust", "allowlist", "safe_globals", "torch.load", "arbitrary", "`False`")


@pytest.mark.parametrize(
    ("content", "kept"),
    [({"a": Command()}, "posix.getpid"), ({"a": Fraction(1, 2)}, "fractions.Fraction"), (None, "")],
    ids=["blocked", "unknown", "old pickle"],
)
def test_torchs_advice_is_not_passed_on(content, kept, tmp_path):
    path = tmp_path / "c.pth"
    torch.save(content, path) if content else path.write_bytes(pickle.dumps(OrderedDict(a=Fraction(1, 2)), 2))
    with pytest.raises(pickle.UnpicklingError) as e:
        torch.load(path, weights_only=True)
    assert "weights_only" in str(e.value)  # torch still gives it
    lines = [*traceback.format_exception(e.value)]
    whole = without_advice(lines[-1])
    for said in (whole, one_line(e.value)):
        assert not [w for w in WORDS if w in said] and kept in said and "holds more than weights" in said
    with pytest.raises(ValueError, match=re.escape(str(path))) as ours:
        read_checkpoint(str(path), "model.teachers.teacher")
    assert not [w for w in WORDS if w in str(ours.value)]


def test_a_long_text_keeps_both_its_ends():
    said = one_line(ValueError(f"what: where {'x ' * 5000}; do this instead"))
    assert said.startswith("what: where x") and said.endswith("x ; do this instead") and len(said) <= 500
    assert one_line(RuntimeError("short")) == "RuntimeError: short"


def test_what_to_do_comes_before_what_torch_says(tmp_path):
    path = tmp_path / "c.pth"
    path.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match=r"c\.pth \(15 bytes\) is not a readable checkpoint: copy or .*; torch says: "):
        read_checkpoint(str(path))
    torch.save({"a": Command()}, path)
    with pytest.raises(ValueError, match="; torch says: ") as e:
        read_checkpoint(str(path))
    before, _, reason = str(e.value).partition("; torch says: ")
    assert "save its state_dict alone" in before and 0 < len(reason) <= 120


def test_other_texts_stay_as_they_are():
    text = "Traceback:\n  Please use a brush. Check the documentation of soap.\n"
    assert without_advice(text) == text
