"""What of a definition's source counts for its hash, and what does not: one table; what holds for all of the plugin.

Sources are packages that the tests write; nothing of them is imported.
"""

import ast
import itertools
import os

import pytest

from harness.fingerprint import code
from harness.fingerprint.graph import content, definitions, full_hash, reachable, root_node
from harness.fingerprint.normalise import normalise
from harness.fingerprint.references import Global
from harness.fingerprint.scopes import MARK
from harness.fingerprint.source import index_package

CLOCK = itertools.count(2 * 10**18)  # two writes within one tick of the file system's clock are told apart


@pytest.fixture
def hashed(tmp_path, monkeypatch):
    """The full hash of ``f``, wherever in package ``toy`` it is; a text is that of its module ``a``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def go(files):
        files = {"__init__": "", **({"a": files} if isinstance(files, str) else files)}
        folder = tmp_path / "toy"
        folder.mkdir(exist_ok=True)
        for path in folder.glob("*.py"):
            path.unlink()
        for name, text in files.items():
            path = folder / f"{name}.py"
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(clock := next(CLOCK), clock))
        code.forget()
        return full_hash(next(root_node(m, "f") for m, s in index_package("toy").items() if "f" in s.names))

    yield go
    code.forget()


SAME = {
    "comment": ("def f(x):\n    return x", "def f(x):  # why\n    return x"),
    "docstring": ("def f(x):\n    return x", 'def f(x):\n    """Why."""\n    return x'),
    "docstring of a method": ("class f:\n    def g(self): pass", 'class f:\n    def g(self):\n        "Why."'),
    "formatting": ("def f(x): return (x+1)", "def f(\n    x,\n):\n    return x + 1\n"),
    "quotes and digits": ("def f(): return 'a', 1000", 'def f(): return "a", 1_000'),
    "annotations": ("def f(x, *y):\n    z = x", "def f(x: int, *y: str) -> None:\n    z: int = x"),
    "a bare annotation": ("def f(x):\n    return x", "def f(x):\n    z: int\n    return x"),
    "annotation of a plain class": ("class f:\n    x = 1", "class f:\n    x: int = 1"),
    "local variable": ("def f(x):\n    y = x\n    return y", "def f(x):\n    z = x\n    return z"),
    "local variables that change places": (
        "def f(x):\n    a, b = x\n    return a - b",
        "def f(x):\n    b, a = x\n    return b - a",
    ),
    "a local that shadows a global": (
        "y = 1\ndef f(x):\n    z = x\n    return z",
        "y = 1\ndef f(x):\n    y = x\n    return y",
    ),
    "a local that shadows a builtin": ("def f(x):\n    n = x\n    return n", "def f(x):\n    len = x\n    return len"),
    "positional parameter": ("def f(x, /): return x", "def f(y, /): return y"),
    "names of *args and **kwargs": ("def f(*a, **k): return a, k", "def f(*args, **kw): return args, kw"),
    "loop and with": (
        "def f(x):\n    for i in x:\n        with i as j: print(j)",
        "def f(x):\n    for a in x:\n        with a as b: print(b)",
    ),
    "except": (
        "def f():\n    try: pass\n    except OSError as e: print(e)",
        "def f():\n    try: pass\n    except OSError as err: print(err)",
    ),
    "comprehension": ("def f(x): return [i for i in x if i]", "def f(x): return [j for j in x if j]"),
    "nested comprehension": (
        "def f(x): return {a: [b for b in a] for a in x}",
        "def f(x): return {b: [a for a in b] for b in x}",
    ),
    "walrus": ("def f(x):\n    if (n := x): return n", "def f(x):\n    if (m := x): return m"),
    "walrus in a comprehension": (
        "def f(x):\n    y = [n for i in x if (n := i)]\n    return n",
        "def f(x):\n    y = [m for i in x if (m := i)]\n    return m",
    ),
    "match": (
        "def f(x):\n    match x:\n        case [a, *b]: return a, b\n        case {'k': c, **d}: return c, d",
        "def f(x):\n    match x:\n        case [p, *q]: return p, q\n        case {'k': r, **s}: return r, s",
    ),
    "closure": (
        "def f(x):\n    y = x\n    def g(): return y\n    return g",
        "def f(x):\n    z = x\n    def g(): return z\n    return g",
    ),
    "nonlocal": (
        "def f():\n    y = 0\n    def g():\n        nonlocal y\n        y += 1\n    return g",
        "def f():\n    z = 0\n    def g():\n        nonlocal z\n        z += 1\n    return g",
    ),
    "a local of a method": (
        "class f:\n    def g(self):\n        a = 1\n        return a",
        "class f:\n    def g(self):\n        b = 1\n        return b",
    ),
    "name of an import": (
        "import torch as t\ndef f(): return t.nn.ReLU()",
        "from torch import nn\ndef f(): return nn.ReLU()",
    ),
    "name of an import inside": (
        "def f():\n    import math as m\n    return m.pi",
        "def f():\n    import math as maths\n    return maths.pi",
    ),
    "another definition beside it": ("def f(): pass", "class Other: pass\nX = 3\ndef f(): pass"),
    "order of definitions": (
        "Y = 1\ndef g(): return Y\ndef f(): return g()",
        "def f(): return g()\ndef g(): return Y\nY = 1",
    ),
    "an import that nothing uses": ("def f(): pass", "import torch\ndef f(): pass"),
    "moved": (
        {"a": "from toy.b import g\ndef f(): return g()", "b": "def g(): return 1"},
        {"a": "from toy.c import g\ndef f(): return g()", "c": "def g(): return 1", "b": ""},
    ),
    "moved with what it uses": (
        {"a": "K = 2\ndef g(x): return x * K\ndef f(x): return g(x)"},
        {"b": "from .c import g\ndef f(x): return g(x)", "c": "K = 2\ndef g(x): return x * K"},
    ),
    "moved and taken from the module": (
        {"a": "from toy.b import g as h\ndef f(): return h()", "b": "def g(): return 1"},
        {"a": "from . import c\ndef f(): return c.g()", "c": "def g(): return 1"},
    ),
    "moved, imported inside": (
        {"a": "def f():\n    from .b import g\n    return g()", "b": "def g(): return 1"},
        {"a": "def f():\n    from toy.c import g as h\n    return h()", "c": "def g(): return 1"},
    ),
    "moved behind a package that passes it on": (
        {"a": "from toy.b import g\ndef f(): return g()", "b": "def g(): return 1"},
        {"a": "from toy.all import g\ndef f(): return g()", "all": "from .b import *", "b": "def g(): return 1"},
    ),
    "moved, both in a circle": (
        {"a": "def f(x): return x and g(x)\ndef g(x): return f(x - 1)"},
        {"a": "from . import b\ndef f(x): return x and b.g(x)", "b": "from . import a\ndef g(x): return a.f(x - 1)"},
    ),
}

OTHER = {
    "a constant": ("def f(): return 1", "def f(): return 2"),
    "an operator": ("def f(x): return x + 1", "def f(x): return x - 1"),
    "the name of a parameter": ("def f(x): return x", "def f(y): return y"),
    "the name of a keyword-only parameter": ("def f(*, x): return x", "def f(*, y): return y"),
    "a default": ("def f(x=1): return x", "def f(x=2): return x"),
    "one name for two": ("def f(x):\n    a = b = x\n    return a, b", "def f(x):\n    a = b = x\n    return a, a"),
    "a local in place of a global": (
        "y = 1\ndef f(x):\n    z = x\n    return y",
        "y = 1\ndef f(x):\n    y = x\n    return y",
    ),
    "a local in place of a builtin": (
        "def f(x):\n    n = x\n    return len(x)",
        "def f(x):\n    len = x\n    return len(x)",
    ),
    "nonlocal": (
        "def f():\n    y = 0\n    def g():\n        nonlocal y\n        y = 1\n    g()\n    return y",
        "def f():\n    y = 0\n    def g():\n        y = 1\n    g()\n    return y",
    ),
    "global": ("y = 0\ndef f():\n    global y\n    y = 1", "y = 0\ndef f():\n    y = 1"),
    "the class's own name in a method": (
        "x = 1\nclass f:\n    x = 2\n    def g(self): return x",
        "x = 3\nclass f:\n    x = 2\n    def g(self): return x",
    ),
    "a class's name before it is bound": ("x = 1\nclass f:\n    x = x", "x = 2\nclass f:\n    x = x"),
    "an attribute": ("class f:\n    x = 1", "class f:\n    y = 1"),
    "a field of a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass f:\n    x: int\n    y: int = 0",
        "from dataclasses import dataclass\n@dataclass\nclass f:\n    x: int\n    y = 0",
    ),
    "an annotation that a decorator may read": (
        "from functools import singledispatch\n@singledispatch\ndef f(x: int): return x",
        "from functools import singledispatch\n@singledispatch\ndef f(x: str): return x",
    ),
    "locals()": ("def f(x):\n    y = x\n    return locals()", "def f(x):\n    z = x\n    return locals()"),
    "vars()": ("def f(x):\n    y = x\n    return vars()", "def f(x):\n    z = x\n    return vars()"),
    "eval": ("def f(x):\n    y = x\n    return eval('y')", "def f(x):\n    z = x\n    return eval('y')"),
    "eval in a nested function": (
        "def f(x):\n    y = x\n    def g(): return y, eval('y')\n    return g",
        "def f(x):\n    z = x\n    def g(): return z, eval('y')\n    return g",
    ),
    "a name in an f-string that shows it": (
        "def f(x):\n    y = x\n    return f'{y=}'",
        "def f(x):\n    z = x\n    return f'{z=}'",
    ),
    "the name of a nested function": (
        "def f():\n    def g(): pass\n    return g.__name__",
        "def f():\n    def h(): pass\n    return h.__name__",
    ),
    "what it calls": ("def g(): return 1\ndef f(): return g()", "def g(): return 2\ndef f(): return g()"),
    "a constant of the module": ("K = 1\ndef f(): return K", "K = 2\ndef f(): return K"),
    "a base class": ("class A:\n    x = 1\nclass f(A): pass", "class A:\n    x = 2\nclass f(A): pass"),
    "a decorator": (
        "from functools import cache\n@cache\ndef f(): return 1",
        "from functools import wraps\n@wraps\ndef f(): return 1",
    ),
    "an import of a dependency": (
        "from math import floor as r\ndef f(x): return r(x)",
        "from math import ceil as r\ndef f(x): return r(x)",
    ),
    "another definition of the same name": (
        {"a": "from .b import g\ndef f(): return g()", "b": "def g(): return 1", "c": "def g(): return 2"},
        {"a": "from .c import g\ndef f(): return g()", "b": "def g(): return 1", "c": "def g(): return 2"},
    ),
    "two of the same name that change places": (
        {
            "a": "from .b import g\nfrom .c import g as h\ndef f(): return g(), h(), g()",
            "b": "def g(): 1",
            "c": "def g(): return 2",
        },
        {
            "a": "from .b import g\nfrom .c import g as h\ndef f(): return g(), h(), h()",
            "b": "def g(): 1",
            "c": "def g(): return 2",
        },
    ),
    "in a circle": (
        "def f(x): return x and g(x)\ndef g(x): return f(x - 1)",
        "def f(x): return x and g(x)\ndef g(x): return f(x - 2)",
    ),
    "through a module that is passed on": (
        {"a": "from . import b\ndef f(): return str(b)", "b": "K = 1"},
        {"a": "from . import b\ndef f(): return str(b)", "b": "K = 2"},
    ),
    "a class that is built by its name": (
        "@MODELS.register_module()\nclass Part:\n    x = 1\ndef f(): return dict(type='Part')",
        "@MODELS.register_module()\nclass Part:\n    x = 2\ndef f(): return dict(type='Part')",
    ),
    "a module that runs something": (
        {"a": "from .b import g\ndef f(): return g", "b": "def g(): pass\nfor i in range(3): print(i)"},
        {"a": "from .b import g\ndef f(): return g", "b": "def g(): pass\nfor i in range(4): print(i)"},
    ),
    "a definition that is made twice": (
        {"a": "from .b import g\ndef f(): return g", "b": "def g(): return 1\ndef g(): return 2"},
        {"a": "from .b import g\ndef f(): return g", "b": "def g(): return 1\ndef g(): return 3"},
    ),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_what_does_not_count(hashed, before, after):
    assert hashed(before) == hashed(after)


@pytest.mark.parametrize(("before", "after"), OTHER.values(), ids=OTHER)
def test_what_counts(hashed, before, after):
    assert hashed(before) != hashed(after)


@pytest.mark.parametrize(
    "text",
    [
        "for i in range(3): pass",
        "Other.forward = g",
        "X[0] = 1",
        "Y = g()",
        "Y = X.pop()",
        "import os\nY = os.putenv('A', 'B')",
        "@g\ndef h(): pass",
        "def h(y=g()): pass",
        "class C:\n    g()",
        "class C(metaclass=M): pass",
        "if X: Y = 1",
        "del X",
        "from torch import *",
        "Y = (Z := 1)",
    ],
)
def test_a_module_that_does_more_than_define_counts_as_a_whole(hashed, text):
    with_more = f"X = [1]\ndef g(): return 1\ndef f(): return 1\n{text}\n"
    before = hashed(with_more)
    assert definitions("toy.a").whole
    assert hashed(with_more.replace("def g(): return 1", "def g(): return 2")) != before


@pytest.mark.parametrize(
    "text",
    [
        "import re\nY = re.compile('a')",
        "Y = frozenset(x.split() for x in ('a b', 'c'))",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass D:\n    x: int\nY = D(1)",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        "if __name__ == '__main__':\n    import torch",
        "class C:\n    @property\n    def x(self): pass\n    @x.setter\n    def x(self, y): pass",
        "Y = lambda: f()",
        "import logging\nlogging.info('a')",
    ],
)
def test_a_module_that_only_defines_does_not(hashed, text):
    hashed(f"def f(): return 1\n{text}\n")
    assert not definitions("toy.a").whole


def test_the_plugin_only_defines():
    """Else every run would go with every line of such a module; these are there to act."""
    code.forget()
    acting = {m for m in index_package("mtcd_plugin") if definitions(m).whole}
    assert acting <= {"mtcd_plugin.register", "mtcd_plugin._compat_applied"}


def test_every_normal_form_of_the_plugin_is_a_program():
    """The mark is a letter, so that a wrong tree is noticed; no local name is left but those that count."""
    for name, module in index_package("mtcd_plugin").items():
        for statement in ast.parse(module.source).body:
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                normal = normalise(statement, lambda n: None, None, lambda s, a: Global(a.name))
                again = ast.unparse(ast.fix_missing_locations(normal.tree))
                compile(again, name, "exec")
                if isinstance(statement, ast.FunctionDef) and not statement.args.args:
                    assert all(v.startswith(MARK) for v in compile(again, name, "exec").co_consts[0].co_varnames)


def test_all_that_is_referred_to_is_there():
    code.forget()
    nodes = reachable([root_node("mtcd_plugin.models.heads.projected_head", "ProjectedHead")])
    assert all(content(node)[0] for node in nodes) and len(nodes) > 5
