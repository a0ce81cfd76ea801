"""Whatever file a config's classes come from is in its fingerprint;
packages are made by the tests and never imported.
"""

import ast
import itertools
import os
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from harness.fingerprint import code, source
from harness.fingerprint.code import (
    DEPENDENCIES,
    INSTALLED,
    code_fingerprint,
    forget,
    imported_modules,
    sources_of,
    undefined_types,
)
from harness.fingerprint.graph import content
from harness.fingerprint.source import sha_now
from harness.ledger.record import NOT_TRACKED, Identity
from harness.plan.resolve import resolve
from harness.suite import load_benchmark, load_entries
from harness.worker.code_check import check_code

ROOT = Path(__file__).parents[3]
INTERNAL = {
    "functorch",
    "torchgen",
    "mpl_toolkits",
    "pylab",
    "distutils-precedence",
}  # of declared ones, not for configs
NET = "class Net:\n    pass\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes files of packages (name -> text) into a folder that can be imported from."""
    root = tmp_path / "lib é"
    root.mkdir()
    clocks = itertools.count(10**18)  # two writes within one tick of the file system's clock are told apart
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setitem(sys.modules, "never", None)

    def go(**files):
        for name, text in files.items():
            path = root / (name.replace("__", "/") + ".py").replace("/init/.py", "/__init__.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\nimport never\n" if path.name != "__init__.py" else text, encoding="utf-8")
            os.utime(path, ns=(clock := next(clocks), clock))
        code.forget()
        return root

    yield go
    code.forget()


def found(types, *imports):
    """The fingerprint of a config with these types, without what every config has."""
    code.forget()
    every = code_fingerprint({})
    return {
        k: v for k, v in code_fingerprint({"model": [{"type": t} for t in types]}, imports).items() if k not in every
    }


def own(fingerprint, name):
    """The hash of a definition apart from what it refers to."""
    return fingerprint[name].partition(":")[0]


def test_it_follows_imports_and_ignores_comments_docstrings_and_what_is_not_used(write):
    write(
        toy__init__="from toy import head, other\n",
        toy__head='"""Doc."""\nfrom toy.loss import f\nclass Head:\n    x = f\n',
        toy__loss="def f():\n    return 1\n",
        toy__other="class Unused:\n    pass\n",
    )
    before = found(["Head"], "toy")
    assert set(before) == {"toy:Head", "toy:f"}
    write(toy__loss='"""Doc."""\ndef f():\n    return 1  # why\n', toy__other="class Unused:\n    y = 2\n")
    assert found(["Head"], "toy") == before
    write(toy__loss="def f():\n    return 2\n")
    after = found(["Head"], "toy")
    assert own(after, "toy:f") != own(before, "toy:f") and own(after, "toy:Head") == own(before, "toy:Head")
    assert after["toy:Head"] != before["toy:Head"], "its full hash covers what it refers to"


def test_code_in_an_init_counts(write):
    write(toy__init__="class Own:\n    x = 1\n")
    before = found(["Own"], "toy")
    write(toy__init__="class Own:\n    x = 2\n")
    assert before["toy"] != found(["Own"], "toy")["toy"]
    assert set(found(["toy.Own"])) == {"toy:Own"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@MODELS.register_module(name='Other')\nclass Net:\n    pass\n", {"toy:Net"}),
        ("@MODELS.register_module('Other')\nclass Net:\n    pass\n", {"toy:Net"}),
        ("@MODELS.register_module(name=['Third', 'Other'], force=True)\nclass Net:\n    pass\n", {"toy:Net"}),
        ("@registry.MODELS.register_module('Other', force=True)\nclass Net:\n    pass\n", {"toy:Net"}),
        (NET + "MODELS.register_module(name='Other', module=Net)\n", {"toy:Net Other (registered)", "toy:Net"}),
        (NET + "MODELS.register_module('Other', False, Net)\n", {"toy:Net Other (registered)", "toy:Net"}),
        (NET + "MODELS.register_module(name='Other')(Net)\n", {"toy:Net Other (registered)", "toy:Net"}),
        (NET + "if True:\n    MODELS.register_module('Other', module=Net)\n", {"toy.net"}),
        ("from mmengine import backbone\n@backbone('Other')\nclass Net:\n    pass\n", {"toy:Net"}),
        ("@backbone('Other')\nclass Net:\n    pass\n", {"toy.net"}),
        ("from elsewhere import Other as Net\nMODELS.register_module(module=Net)\n", {"toy:Other (registered)"}),
    ],
)
def test_a_class_that_is_registered_under_another_name(write, text, names):
    write(toy__init__="from . import net, unused\n", toy__net=text, toy__unused="class Unused:\n    pass\n")
    assert set(found(["Other"], "toy")) == names


@pytest.mark.parametrize(
    "text",
    [
        "for c in (Net,):\n    MODELS.register_module(module=c)\n",
        "NAME = 'Oth' + 'er'\n@MODELS.register_module(name=NAME)\nclass Other2:\n    pass\n",
        "MODELS.register_module(module=make_class())\nmade = 1\nMODELS.register_module(module=made)\n",
        "MODELS.module_dict['Other'] = Net\n",
        "MODELS._register_module(Net, 'Oth' + 'er')\n",
        "Other.forward = lambda self, x: x\n",
        "patch_everything()\n",
        "import importlib\nNets = importlib.import_module(NAME)\n",
    ],
)
def test_where_the_names_cannot_be_read_every_module_of_the_package_counts(write, text):
    write(toy__init__="", toy__net=NET + text, toy__unused="class Unused:\n    pass\n")
    assert set(found(["Other"], "toy")) == {"toy.net", "toy.unused"}


def test_calls_that_change_nothing_elsewhere_are_no_reason_to_count_all(write):
    write(
        toy__init__="",
        toy__net="import warnings, logging\nlogger = "
        "logging.getLogger()\nlogger.info('x')\nwarnings.filterwarnings('x')\n" + NET,
        toy__unused=NET.replace("Net", "Unused"),
    )
    assert set(found(["Net"], "toy")) == {"toy:Net"}


@pytest.mark.parametrize(
    ("statement", "used", "names"),
    [
        ("from . import loss", "loss.f", {"toy:Net", "toy:f"}),
        ("from .loss import f", "f", {"toy:Net", "toy:f"}),
        ("from ..nets import loss", "loss.f", {"toy:Net", "toy:f"}),
        ("from .. import nets", "nets.f", {"toy:Net", "toy:f"}),
        ("from toy.nets import f", "f", {"toy:Net", "toy:f"}),
        ("from toy.nets import f as g", "g", {"toy:Net", "toy:f"}),
        ("from toy import f", "f", {"toy:Net", "toy:f"}),
        ("import toy", "toy.nets.loss.f", {"toy:Net", "toy:f"}),
        ("import toy.nets.loss", "toy.nets.loss.f", {"toy:Net", "toy:f"}),
        ("import toy.nets.loss as x", "x.f", {"toy:Net", "toy:f"}),
        ("import toy.nets.loss as x", "vars(x)", {"toy.nets.net", "toy.nets.loss"}),
        ("import toy.nets.loss as x", "str(x)", {"toy:Net", "toy.nets.loss"}),
        ("import toy.nets.loss as x", "None", {"toy:Net"}),
        ("from toy import *", "f", {"toy.nets.net", "toy:f"}),
        ("def later():\n    from .loss import f", "later", {"toy:Net", "toy:later", "toy:f"}),
        ("def later():\n    import toy.nets.loss", "later", {"toy:Net", "toy:later", "toy.nets.loss"}),
        (
            "try:\n    from toy.nets import loss\nexcept ImportError:\n    loss = None",
            "loss",
            {"toy.nets.net", "toy.nets.loss"},
        ),
    ],
)
def test_relative_imports_and_what_packages_pass_on(write, statement, used, names):
    write(
        toy__init__="from .nets import *\n",
        toy__nets__init__="from .loss import f\nfrom .net import Net\n",
        toy__nets__net=f"{statement}\nclass Net:\n    y = {used}\n",
        toy__nets__loss="def f():\n    return 1\n",
        toy__nets__unused="x = 1\n",
    )
    assert set(found(["Net"], "toy")) == names


def test_the_plugin_classes_that_a_class_is_made_from(write):
    place = "mtcd_plugin.models.heads.projected_head"
    write(toy=f"from {place} import ProjectedHead\nclass Mine(ProjectedHead):\n    pass\n")
    got, base = found(["Mine"], "toy"), found(["ProjectedHead"])
    assert got["toy"] and "mtcd_plugin:ProjectedHead" in base and base.items() < got.items()


def test_helper_packages_of_whatever_form(write):
    root = write(
        toy__init__="",
        toy__net="import torch\nimport one\nfrom spaced.inner import g\nfrom many.sub import h\n"
        "class Net:\n    x = one.f, g, h, torch.nn\n",
        one="def f():\n    return 1\n",
        spaced__inner="def g():\n    return 1\n",
        many__init__="x = 1\n",
        many__sub="from .deep import h\n",
        many__deep="def h():\n    return 1\n",
        many__unused="y = 1\n",
    )
    assert not (root / "spaced" / "__init__.py").exists()
    assert set(found(["Net"], "toy.net")) == {"toy.net", "one", "spaced:g", "many:h"}


def test_the_module_that_custom_imports_names_counts_whatever_it_is_for(write):
    write(toy__init__="from . import net\n", toy__net=NET, toy__setup="SCALE = 3\n")
    assert set(found(["Net"], "toy.setup")) == {"toy:Net", "toy.setup"}
    with pytest.raises(ValueError, match="custom_imports: no module 'toy.gone.away' in package 'toy'"):
        found(["Net"], "toy.gone.away")
    with pytest.raises(ValueError, match="package 'no_such_package' is not installed"):
        found(["Net"], "no_such_package")


def test_types_that_name_their_module(write):
    """MMEngine imports ``toy.net.Net`` by itself."""
    write(toy__init__="", toy__net=NET, toy__unused="x = 1\n")
    assert set(found(["toy.net.Net"])) == set(found(["toy.Net"])) == {"toy:Net"}
    assert set(found(["mmaction.Recognizer3D", "mmengine.no.such.Thing"])) == set()


def test_what_is_not_found_is_said(write):
    write(toy=NET)
    got = found(["Net", "Conjured", "ResNet3d", "AdamW"], "toy")
    assert set(got) == {"toy", "Conjured"} and got["Conjured"] == NOT_TRACKED != got["toy"]


def test_what_nothing_defines_is_named_unless_a_package_registers_what_cannot_be_read(write):
    config = {"model": [{"type": t} for t in ("Net", "Nett", "I3DHead", "other.place.Class")]}
    write(helpers____init__=NET)
    assert set(undefined_types(config)) == {"Net", "Nett"}
    assert undefined_types({"type": "Nope"}) == {"Nope": []}, "like open and scope, which are functions"
    assert undefined_types({"a": {"type": "Adm"}, "b": {"type": "ResNet3D"}})["Adm"][0] == "Adam"
    words = {"consensus": {"type": "avg"}, "sampler": {"type": "RandomSampler"}}  # as in MMAction2's own configs
    assert undefined_types(words) == {}
    assert undefined_types(config, ["helpers"])["Nett"][0] == "Net" and "Net" not in undefined_types(
        config, ["helpers"]
    )
    write(
        helpers____init__=NET + "for name in names():\n    globals()[name] = REGISTRY.register_module(name=name)(Net)\n"
    )
    assert undefined_types(config, ["helpers"]) == {}


def test_a_file_that_cannot_be_parsed_and_one_without_source(write):
    root = write(toy__init__="", toy__net=NET + "from . import fast\n", toy__template="class {name}:\n")
    (root / "toy" / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"1")
    (root / "toy" / "fast.so").write_bytes(b"1")
    before = found(["Net"], "toy")
    assert set(before) == {"toy:Net", "toy.fast"}
    for path in root.glob("toy/fast*"):
        path.write_bytes(b"2")
    assert found(["Net"], "toy")["toy.fast"] != before["toy.fast"]


def test_installed_helpers_count_by_what_their_installer_noted(write, tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    (site / "helper").mkdir(parents=True)
    (site / "helper" / "__init__.py").write_text("def f(): ...\n")
    (site / "helper-1.dist-info").mkdir()
    (site / "helper-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: helper\nVersion: 1\n")
    record = site / "helper-1.dist-info" / "RECORD"
    record.write_text("helper/__init__.py,sha256=aaa,14\nhelper-1.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(str(site))
    write(toy="from helper import f\n" + NET)
    before = found(["Net"], "toy")
    assert set(before) == {"toy", "helper" + INSTALLED}
    record.write_text("helper/__init__.py,sha256=bbb,14\nhelper-1.dist-info/INSTALLER,sha256=c,4\n")
    assert found(["Net"], "toy")["helper" + INSTALLED] != before["helper" + INSTALLED]
    assert set(found(["Anything"], "helper")) == {"helper" + INSTALLED}, "named in a config it counts in the same way"
    record.unlink()
    assert found(["Net"], "toy")["helper" + INSTALLED] == NOT_TRACKED
    assert found(["f"], "helper")["helper"] != NOT_TRACKED, "where nothing was noted, its source is read"


def test_strings_that_name_a_registered_class_count_as_well():
    config = {"optim_wrapper": {"constructor": "GANOptimWrapperConstructor"}, "mode": ["apply", "forward"]}
    assert set(code_fingerprint(config)) - set(code_fingerprint({})) == {
        "mtcd_plugin:GANOptimWrapperConstructor",
        "mtcd_plugin:PARTS",
        "mtcd_plugin:unwrapped",
    }


def test_what_the_plugin_patches_counts_for_every_config():
    every = code_fingerprint({"model": {"type": "TSN"}})
    assert {"mtcd_plugin:install", "mtcd_plugin:build", "mtcd_plugin:stub_missing_drn"} <= set(every)


def test_every_type_of_the_benchmark_is_known(write):
    """What is not the plugin's is found in MMAction2 and what it builds on,
    so that nothing is said untracked in vain.
    """
    write(toy=NET)
    configs = ROOT / "mm_configs"
    entries = load_entries(configs, load_benchmark(configs / "benchmark.yml")).values()
    everything = [resolve(e.config, profile).config for e in entries for profile in ("smoke", "demo", "paper")]
    found = code_fingerprint(everything, ["mtcd_plugin.register", "toy"])
    assert len(found) > 30 and not [name for name, sha in found.items() if sha == NOT_TRACKED]


@pytest.mark.parametrize(
    ("declared", "modules"),
    [
        (None, []),
        ({"imports": "toy"}, ["toy"]),
        ({"imports": ["toy", "other.part"]}, ["toy", "other.part"]),
        (
            {"imports": ["mtcd_plugin.register", "no_such_package"], "allow_failed_imports": True},
            ["mtcd_plugin.register"],
        ),
    ],
)
def test_custom_imports_as_mmengine_takes_them(declared, modules):
    assert imported_modules({"custom_imports": declared}) == modules


@pytest.mark.parametrize("declared", [3, ["toy"], {"imports": 3}, {"imports": [3]}])
def test_custom_imports_of_another_form_are_refused(declared):
    with pytest.raises(ValueError, match=r"custom_imports = .*; write custom_imports = dict\(imports="):
        imported_modules({"custom_imports": declared})


def test_what_is_left_out_is_what_is_declared():
    declared = [d for d in metadata.requires("mgr-dark-benchmark") if "extra ==" not in d]
    distributions = {re.match(r"[\w.-]+", d)[0].lower().replace("_", "-") for d in declared}
    for package, owners in metadata.packages_distributions().items():
        if {o.lower().replace("_", "-") for o in owners} & distributions and package.isidentifier():
            assert package in DEPENDENCIES or package.startswith("_") or package in INTERNAL, package


def test_code_that_changed_between_planning_and_running_is_refused_wherever_it_is(write):
    write(toy="import one\nclass Net:\n    x = one.x\n", one="x = 1\n")
    planned = {**found(["Net"], "toy"), "Conjured": NOT_TRACKED}
    identity = Identity(version=1, config={}, data={}, parents={}, code=planned, seed=0)
    check_code([identity])
    write(one="x = 2\n")
    with pytest.raises(ValueError, match="one changed between planning and running"):
        check_code([identity])


def test_where_all_source_files_are_those_of_the_plan_nothing_is_parsed_and_otherwise_what_counts_decides(
    write, monkeypatch
):
    write(toy="import one\nclass Net:\n    x = one.x\n", one="x = 1\n")
    planned = found(["Net"], "toy", "one")
    identity = Identity(version=1, config={}, data={}, parents={}, code=planned, seed=0)
    sources = sources_of(planned)
    assert set(sources) == {"mtcd_plugin", "one", "toy"}
    forget()
    parsed = []
    parse = ast.parse
    monkeypatch.setattr(source.ast, "parse", lambda *asked, **kind: parsed.append(asked) or parse(*asked, **kind))
    check_code([identity], sources)
    assert not parsed
    write(one="x = 1  # as ever\n")
    check_code([identity], sources)
    write(one="x = 2\n")
    with pytest.raises(ValueError, match="one changed between planning and running"):
        check_code([identity], sources)
    assert sources_of(planned)["one"] != sources["one"]


def test_the_source_files_of_the_plan_are_those_that_it_read(write):
    root = write(toy="class Net: pass\n")
    planned = found(["Net"], "toy")
    (root / "toy.py").write_text("class Net:\n    x = 2\n")  # before the job is started
    assert sources_of(planned)["toy"] != sha_now("toy")
    identity = Identity(version=1, config={}, data={}, parents={}, code=planned, seed=0)
    sources = sources_of(planned)
    forget()
    with pytest.raises(ValueError, match="toy changed between planning and running"):
        check_code([identity], sources)


def test_an_installed_package_is_looked_at_although_all_source_files_are_those_of_the_plan():
    code = {"mtcd_plugin": NOT_TRACKED, "numpy (installed)": "0" * 64}
    identity = Identity(version=1, config={}, data={}, parents={}, code=code, seed=0)
    with pytest.raises(ValueError, match=r"numpy \(installed\) changed"):
        check_code([identity], sources_of(code))


def test_a_module_that_acts_and_is_newly_imported_is_refused_too(write):
    write(toy__init__="", toy__net=NET + "from . import patch\n", toy__patch="X = 1\n")
    planned = found(["toy.net.Net"])
    identity = Identity(version=1, config={}, data={}, parents={}, code=planned, seed=0)
    check_code([identity])
    write(toy__patch="import torch\ntorch.relu = None\n")
    with pytest.raises(ValueError, match="toy.patch changed between planning and running"):
        check_code([identity])


def test_a_definition_that_was_moved_between_planning_and_running_is_the_same(write):
    write(toy__init__="", toy__net="from .a import f\nclass Net:\n    x = f\n", toy__a="def f(): pass\n")
    planned = found(["toy.net.Net"])
    write(toy__net="from .b import f\nclass Net:\n    x = f\n", toy__a="", toy__b="def f(): pass\n")
    check_code([Identity(version=1, config={}, data={}, parents={}, code=planned, seed=0)])
    assert found(["toy.net.Net"]) == planned


R = "from mmaction.registry import MODELS\n"
BUILDS = R + "@MODELS.register_module()\nclass Net:\n    def make(self, kind): return MODELS.get({})\n"
HEAD = R + "@MODELS.register_module()\nclass MyHead:\n    x = {}\n"
PLAIN = R + "@MODELS.register_module()\nclass Net:\n    pass\n"
BUILT = ["f'My{kind}'", "f'{kind}Head'", "'My' + kind", "kind + '' + 'Head'", "'My%s' % kind", "'My{}'.format(kind)"]
BUILT += ["'mmaction.MyHead'", "'toy.head.MyHead'"]


@pytest.mark.parametrize("name", BUILT)
def test_what_code_builds_by_a_name_that_is_put_together_or_dotted_counts(write, name):
    write(toy__init__="from toy import net, head\n", toy__net=BUILDS.format(name), toy__head=HEAD.format(1))
    before = found(["Net"], "toy")
    write(toy__head=HEAD.format(2))
    assert "toy:MyHead" in before and found(["Net"], "toy") != before


@pytest.mark.parametrize(
    "name", ["kind", "f'{kind}'", "f'x{kind}'", "f'{kind}Neck'", "'{}'.format(kind)", "f'{kind:>9}'"]
)
def test_a_name_that_says_nothing_or_another_one_brings_nothing_along(write, name):
    write(toy__init__="from toy import net, head\n", toy__net=BUILDS.format(name), toy__head=HEAD.format(1))
    assert set(found(["Net"], "toy")) == {"toy:Net"}


def test_what_is_built_by_its_module_counts_without_being_registered(write):
    write(toy__init__="", toy__net=BUILDS.format("'toy.head.MyHead'"), toy__head="class MyHead:\n    x = 1\n")
    assert set(found(["Net"], "toy.net")) >= {"toy:MyHead"}


@pytest.mark.parametrize(
    "text",
    [
        "from toy.base import keep\n@keep\ndef a(): return {}\n",
        "from toy.base import keep\nA = keep({})\n",
        "from toy.base import keep\n@keep.register\ndef _(x: int): return {}\n",
        R + "@MODELS.register_module(force=True)\nclass CrossEntropyLoss:\n    x = {}\n",
        R + "class A:\n    x = {}\nMODELS.register_module('CrossEntropyLoss', True)(A)\n",
        "import torch\n_ = torch.manual_seed({})\n",
    ],
)
@pytest.mark.parametrize("lists", ["toy__init__", "toy__parts__init__"])
def test_a_module_that_acts_counts_where_a_module_of_imports_brings_it_along(write, text, lists):
    """Whether Python imports it by way of the package, or ``custom_imports`` names what lists it."""
    write(toy__init__="", toy__net=PLAIN, toy__base="def keep(f): return f\n")
    write(**{lists: "from toy import act\n"}, toy__act=text.format(1))
    before = found(["Net"], "toy", *(["toy.parts"] if "parts" in lists else []), "toy.net")
    write(toy__act=text.format(2))
    assert found(["Net"], "toy", *(["toy.parts"] if "parts" in lists else []), "toy.net") != before


def test_a_class_that_finds_its_subclasses_makes_every_module_count(write):
    write(toy__init__="from toy import net, sub\n", toy__sub="from toy.net import Net\nclass Sub(Net):\n    x = 1\n")
    write(toy__net=PLAIN + "def kinds(): return Net.__subclasses__()\n")
    before = found(["Net"], "toy")
    write(toy__sub="from toy.net import Net\nclass Sub(Net):\n    x = 2\n")
    assert found(["Net"], "toy") != before


def test_after_all_is_hashed_a_job_hashes_nothing_itself():
    found = code_fingerprint({"model": {"type": "MTUT"}}, frozenset())
    code.hash_all("mtcd_plugin")
    before = content.cache_info().misses
    check_code([Identity(version=1, config={}, data={}, parents={}, code=found, seed=0)])
    assert found and content.cache_info().misses == before
