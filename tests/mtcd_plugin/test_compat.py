"""Each shim in a process of its own, so that the order of imports is real."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import mtcd_plugin

WARNING = "MultiScaleDeformableAttention"


def test_register_imports_everything_and_says_nothing(fresh_python):
    code = (
        "import mtcd_plugin.register, mmaction.models, sys\n"
        "from mtcd_plugin import _compat\n"
        "_compat.apply()\n"
        "print(sum(isinstance(finder, _compat.DrnFinder) for finder in sys.meta_path))"
    )
    done = fresh_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]
    assert WARNING not in done.stderr


FIRST_IMPORTS = """
import os, sys, traceback

def imported(name, inside=()):
    # in a process of its own, and what lies inside in others: a package comes before its modules in any interpreter
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    failed = 0
    try:
        __import__(name)
        failed = max([0, *(imported(module) for module in inside)])
        print(name, flush=True)
    except BaseException:
        traceback.print_exc()
        failed = 1
    os._exit(failed)

tops = [name for name in names if name.count(".") == 1]
sys.exit(max([imported(top, [name for name in names if name.startswith(top + ".")]) for top in tops]))
"""


def test_every_module_can_be_imported_first(fresh_python):
    """No other module of the plugin has to be imported before it."""
    package = Path(mtcd_plugin.__file__).parent
    files = [path.relative_to(package.parent).with_suffix("") for path in package.rglob("*.py")]
    names = sorted({".".join(file.parts).removesuffix(".__init__") for file in files} - {"mtcd_plugin"})
    assert "mtcd_plugin.models.heads.projected_head" in names
    done = fresh_python(f"names = {names}\n{FIRST_IMPORTS}")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == names


def test_without_the_shim_the_wheel_cannot_be_imported(fresh_python):
    """When this fails, mmaction2 ships ``drn`` and ``stub_missing_drn`` can go."""
    done = fresh_python("import mmaction.models")
    assert "No module named 'mmaction.models.localizers.drn'" in done.stderr


def test_without_the_filter_mmcv_lite_warns(fresh_python):
    """When this fails, mmcv-lite is silent and ``silence_mmcv_lite`` can go."""
    done = fresh_python("from mtcd_plugin import _compat; _compat.stub_missing_drn(); import mmaction.models")
    assert done.returncode == 0 and WARNING in done.stderr


def test_a_real_drn_wins_over_the_stub(fresh_python):
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
    done = fresh_python(code)
    assert done.stdout.strip() == "the real one", done.stderr


def test_the_stub_cannot_be_used_by_mistake():
    from mtcd_plugin._compat import _MissingDRN

    with pytest.raises(ImportError, match="install mmaction2 from source"):
        _MissingDRN()


@pytest.mark.parametrize(("source", "flag"), [("", "False"), ("apply_chunking_to_forward = None", "True")])
def test_multimodal_is_off_only_where_transformers_cannot_serve_it(fresh_python, tmp_path, source, flag):
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
    done = fresh_python(code, tmp_path)
    assert done.stdout.split() == [flag], done.stderr


def test_the_plugin_and_its_formats_import_without_torch():
    assert importlib.util.find_spec("mtcd_plugin.formats.clip_store")
    modules = ["clips", "clip_store", "mgr_dark", "nvgesture", "sampling", "splits", "sysu", "video"]
    imports = "; ".join(f"import mtcd_plugin.formats.{name}" for name in modules)
    code = f"import sys; {imports}; print({{'torch', 'mmengine', 'mmcv'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "set()", done.stderr
