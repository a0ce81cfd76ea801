"""Each shim in a process of its own, so that the order of imports is real."""

import importlib.util
import os
import subprocess
import sys

import pytest

WARNING = "MultiScaleDeformableAttention"


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment, check=False
    )


def test_register_imports_everything_and_says_nothing():
    code = (
        "import mtcd_plugin.register, mmaction.models, sys\n"
        "from mtcd_plugin import _compat\n"
        "_compat.apply()\n"
        "print(sum(isinstance(finder, _compat.DrnFinder) for finder in sys.meta_path))"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]
    assert WARNING not in done.stderr


def test_without_the_shim_the_wheel_cannot_be_imported():
    """When this fails, mmaction2 ships ``drn`` and ``stub_missing_drn`` can go."""
    done = python("import mmaction.models")
    assert "No module named 'mmaction.models.localizers.drn'" in done.stderr


def test_without_the_filter_mmcv_lite_warns():
    """When this fails, mmcv-lite is silent and ``silence_mmcv_lite`` can go."""
    done = python("from mtcd_plugin import _compat; _compat.stub_missing_drn(); import mmaction.models")
    assert done.returncode == 0 and WARNING in done.stderr


def test_a_real_drn_wins_over_the_stub():
    code = (
        "import sys, types, importlib.machinery\n"
        "from mtcd_plugin import _compat\n"
        "class Real(_compat.DrnFinder):\n"
        "    def exec_module(self, module): module.DRN = 'the real one'\n"
        "sys.meta_path.insert(0, Real())\n"
        "sys.meta_path.append(_compat.DrnFinder())\n"
        "from mmaction.models.localizers import DRN\n"
        "print(DRN)"
    )
    done = python(code)
    assert done.stdout.strip() == "the real one", done.stderr


def test_the_stub_cannot_be_used_by_mistake():
    from mtcd_plugin._compat import _MissingDRN

    with pytest.raises(ImportError, match="install mmaction2 from source"):
        _MissingDRN()


@pytest.mark.parametrize("source, flag", [("", "False"), ("apply_chunking_to_forward = None", "True")])
def test_multimodal_is_off_only_where_transformers_cannot_serve_it(tmp_path, source, flag):
    package = tmp_path / "transformers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "modeling_utils.py").write_text(source)
    info = tmp_path / "transformers-5.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: transformers\nVersion: 5.0.0\n")
    code = "from mtcd_plugin import _compat; _compat.apply()\n"
    if not source:  # without the shim this import fails
        code += "import mmaction.models\n"
    code += "from mmaction.utils import dependency; print(dependency.WITH_MULTIMODAL)"
    done = python(code, PYTHONPATH=str(tmp_path))
    assert done.stdout.split() == [flag], done.stderr


def test_the_plugin_and_its_formats_import_without_torch():
    assert importlib.util.find_spec("mtcd_plugin.formats.clip_store")
    modules = ["clips", "clip_store", "mgr_dark", "nvgesture", "sampling", "splits", "sysu", "video"]
    imports = "; ".join(f"import mtcd_plugin.formats.{name}" for name in modules)
    done = python(f"import sys; {imports}; print({{'torch', 'mmengine', 'mmcv'}} & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr
