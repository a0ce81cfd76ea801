"""The normal form of a definition: what is left of its syntax tree when nothing is kept that no behaviour depends on.

Comments, formatting, docstrings, annotations that nothing reads, and the names of local variables go. A parameter that
can be passed by keyword is no local name; where a definition uses ``locals``, ``eval``, ``exec``, ``vars()`` or
``dir()``, all of its names count. What a name outside of the definition stands for is written in a form that does not
depend on the module in which the definition lies, nor on the way in which it is imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

LEAST_LETTERS = 2  # of a pattern: with fewer it would fit names that are none of its own
PLACES = re.compile(r"%[^a-zA-Z%]*[a-zA-Z]|\{[^}]*\}")  # of ``%`` and ``format``
MARK = "ǃ"  # a letter that no source uses: what is renamed cannot be taken for a name that is kept
READ_NAMES = frozenset({"locals", "eval", "exec", "_getframe", "currentframe"})  # what reads the names of variables
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPING = (ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.Import, ast.ImportFrom)
BINDING = (*SCOPING, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
LEAVES = (ast.expr_context, ast.Constant, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Decorators that do not look at annotations.
PLAIN_DECORATORS = frozenset(
    ("property", "staticmethod", "classmethod", "setter", "getter", "deleter", "abstractmethod", "contextmanager")
    + ("cache", "lru_cache", "cached_property", "wraps", "no_grad", "inference_mode", "register_module")
    + ("_register_module", "override", "overload", "final")
)
Node = tuple[str, str]  # module and definition; (module, "") for the whole module


@dataclass(frozen=True)
class Global:
    """What a name that is not bound in a definition stands for.

    Attributes:
        label: how it is written in the normal form: a definition by its name, what is imported from a dependency by its
            full dotted name.
        node: the definition in the graph, None for what is not tracked.
        inside: for a module that is tracked, its name: its attributes are looked up one by one.
    """

    label: str
    node: Node | None = None
    inside: str = ""


Lookup = Callable[[str], Global | None]  # of a name in the definition's module
Attribute = Callable[[str, str], Global]  # of an attribute of a module
Imported = Callable[[ast.Import | ast.ImportFrom, ast.alias], Global]  # of an import inside of a function


@dataclass
class Normal:
    """A definition in its normal form, with the definitions that it refers to, in the order of their first use."""

    tree: ast.stmt
    refers: dict[str, Node] = field(default_factory=dict)  # how the normal form calls it -> node
    strings: dict[str, None] = field(default_factory=dict)  # string constants, some of which may name a class
    patterns: dict[str, None] = field(default_factory=dict)  # of strings that are put together, as regular expressions


@dataclass(eq=False)
class Scope:
    """Names of one function, class or comprehension."""

    kind: str  # function | class | comprehension
    bound: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  # bound, and not to be renamed
    outside: set[str] = field(default_factory=set)  # declared global
    enclosing: set[str] = field(default_factory=set)  # declared nonlocal
    annotated: bool = False  # a class whose annotations something may read


def normalise(
    statement: ast.stmt, lookup: Lookup, attribute: Attribute, imported: Imported, pinned: bool = False
) -> Normal:
    """The normal form of a statement of a module. The statement itself is changed.

    Args:
        pinned: whether the names of its variables count, see ``reads_names``.
        lookup: what a name means in the module. attribute: what an attribute of a tracked module means.
        imported: what an import inside of the definition brings.
    """
    return _Normaliser(statement, lookup, attribute, imported, pinned).normal


def scope_of(node: Function | ast.ClassDef | Comprehension) -> Scope:
    """The names that a function, class or comprehension binds itself."""
    if isinstance(node, COMPREHENSIONS):
        scope = Scope("comprehension")
        for generator in node.generators:
            _bind(generator.target, scope)
        return scope
    scope = Scope("class" if isinstance(node, ast.ClassDef) else "function")
    if isinstance(node, FUNCTIONS):
        a = node.args
        by_keyword = {x.arg for x in (*a.args, *a.kwonlyargs)}
        others = {x.arg for x in (*a.posonlyargs, a.vararg, a.kwarg) if x is not None}
        scope.bound |= by_keyword | others
        scope.kept |= by_keyword
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    for child in body:
        _bind(child, scope)
    scope.bound -= scope.outside | scope.enclosing
    return scope


def _bind(node: ast.AST, scope: Scope) -> None:
    """Add what a statement or expression binds, without what is bound in scopes of its own."""
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                scope.bound.add(node.id)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            if not isinstance(node, ast.Lambda):
                scope.bound.add(node.name)
                scope.kept.add(node.name)  # can be seen as __name__
            todo += _evaluated_outside(node)
        elif isinstance(node, COMPREHENSIONS):
            scope.bound |= set(_walrus(node))
        else:
            if isinstance(node, BINDING):
                _bind_names(node, scope)
            todo += _children(node)


def _bind_names(node: ast.AST, scope: Scope) -> None:
    """The names that a node of ``BINDING`` binds or declares."""
    if isinstance(node, ast.Global):
        scope.outside |= set(node.names)
    elif isinstance(node, ast.Nonlocal):
        scope.enclosing |= set(node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        scope.bound.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        scope.bound.add(node.rest)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            scope.bound.add(name)
            if isinstance(node, ast.Import) and not alias.asname:
                scope.kept.add(name)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below a node that may hold names. Several times as fast as ``ast.iter_child_nodes``."""
    found: list[ast.AST] = []
    for value in node.__dict__.values():
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, LEAVES):
            found.append(value)
    return found


def _walrus(node: ast.AST) -> Iterator[str]:
    """Names that ``:=`` in a comprehension binds in the function around it."""
    if isinstance(node, ast.NamedExpr):
        yield node.target.id
    if not isinstance(node, ast.Lambda):
        for child in _children(node):
            yield from _walrus(child)


def _evaluated_outside(node: Function | ast.ClassDef) -> Iterator[ast.expr]:
    """Expressions of a definition that are evaluated where it stands, not in its own scope."""
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from (k.value for k in node.keywords)
    else:
        yield from node.args.defaults
        yield from (d for d in node.args.kw_defaults if d is not None)


def reads_names(node: ast.AST) -> bool:
    """Whether a definition uses something that sees the names of its variables."""
    todo = [node]
    while todo:
        n = todo.pop()
        if isinstance(n, ast.Name) and n.id in READ_NAMES:
            return True
        if isinstance(n, ast.Attribute) and n.attr in READ_NAMES - {"eval"}:  # ``net.eval()`` reads nothing
            return True
        if isinstance(n, ast.Call) and not n.args and isinstance(n.func, ast.Name) and n.func.id in ("vars", "dir"):
            return True
        todo += _children(n)
    return False


class _Normaliser(ast.NodeTransformer):
    """Walks one definition with the scopes around the place."""

    def __init__(
        self, statement: ast.stmt, lookup: Lookup, attribute: Attribute, imported: Imported, pinned: bool
    ) -> None:
        self.lookup, self.attribute, self.imported = lookup, attribute, imported
        self.scopes: list[Scope] = []
        self.numbers: dict[tuple[Scope, str], str] = {}
        self.pinned = pinned
        self.normal = Normal(statement)
        self.normal.tree = self._statements([statement])[0]

    @property
    def _scope(self) -> Scope | None:
        return self.scopes[-1] if self.scopes else None

    # names

    def _owner(self, name: str) -> Scope | None:
        """The scope that binds a name as seen from here, None for the module."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.kind == "class" and depth:
                continue  # methods do not see the names of their class
            if name in scope.outside:
                return None
            if name in scope.bound:
                return scope
        return None

    def _local(self, scope: Scope, name: str) -> str:
        if self.pinned or scope.kind == "class" or name in scope.kept:
            return name
        return self.numbers.setdefault((scope, name), f"{MARK}{len(self.numbers)}")

    def _bound(self, name: str) -> str:
        """A name where it is bound or declared."""
        scope = self._owner(name)
        return name if scope is None else self._local(scope, name)

    def _refer(self, found: Global) -> str:
        """Note a reference; how it is called here. Definitions of one name in two modules are told apart."""
        if found.node is None:
            return found.label
        number, token = 1, found.label + MARK
        while self.normal.refers.get(token, found.node) != found.node:
            number += 1
            token = f"{found.label}{MARK}{number}"
        self.normal.refers[token] = found.node
        return token

    def visit_Name(self, node: ast.Name) -> ast.expr:
        scope = self._owner(node.id)
        if scope is None:
            return self._outer(node, self.lookup(node.id), [])
        if scope.kind == "class" and isinstance(node.ctx, ast.Load) and (outer := self.lookup(node.id)) is not None:
            self._refer(outer)  # where the class has not bound it yet, it is the module's
        node.id = self._local(scope, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        attributes: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            attributes.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name) and self._owner(root.id) is None:
            found = self.lookup(root.id)
            if found is not None:
                return self._outer(root, found, attributes[::-1], node.ctx)
        node.value = self.visit(node.value)
        return node

    def _outer(
        self, name: ast.Name, found: Global | None, attributes: list[str], ctx: ast.expr_context | None = None
    ) -> ast.expr:
        """A reference to something outside of the definition, with the attributes that are taken from it."""
        if found is None:
            return name
        while found.inside and attributes:
            found = self.attribute(found.inside, attributes.pop(0))
        if found.node is None:
            top, *rest = found.label.split(".")
            first, rest = top + MARK, rest + attributes
        else:
            first, rest = self._refer(found), attributes
        out: ast.expr = ast.Name(first, ast.Load() if rest else (ctx or name.ctx))
        for i, attr in enumerate(rest):
            out = ast.Attribute(out, attr, ast.Load() if i < len(rest) - 1 else (ctx or name.ctx))
        return out

    def visit_Global(self, node: ast.Global) -> ast.Global:
        for name in node.names:
            if (found := self.lookup(name)) is not None:
                self._refer(found)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.Nonlocal:
        node.names = [self._bound(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node.type = self.visit(node.type) if node.type else None
        node.name = self._bound(node.name) if node.name else None
        node.body = self._statements(node.body)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        node.name = self._bound(node.name) if node.name else None
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        node.name = self._bound(node.name) if node.name else None
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        node.rest = self._bound(node.rest) if node.rest else None
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            self.normal.strings[node.value] = None
        node.kind = None  # ``u"..."``
        return node

    # strings that are put together

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self._note_pattern(node)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self._note_pattern(node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self._note_pattern(node)
        return self.generic_visit(node)

    def _note_pattern(self, node: ast.expr) -> None:
        parts = list(_parts(node))
        if None in parts and len(re.findall(r"\w", "".join(p for p in parts if p))) >= LEAST_LETTERS:
            self.normal.patterns["".join(".*" if p is None else re.escape(p) for p in parts)] = None

    # imports inside of functions

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            self._import(node, alias)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        own = [self._import(node, alias) for alias in node.names]
        if any(own):
            node.module, node.level = MARK, 0
        return node

    def _import(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
        """Write an import without the place of what is tracked; whether it is tracked."""
        found = self.imported(node, alias)
        if alias.asname or isinstance(node, ast.ImportFrom):
            alias.asname = self._bound(alias.asname or alias.name)
        if found.node is None:
            return False
        alias.name = self._refer(found)
        return True

    # scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        read = any(_last(d) not in PLAIN_DECORATORS for d in node.decorator_list)
        self._outside(node)
        for arg in _parameters(node.args):
            arg.annotation = self.visit(arg.annotation) if read and arg.annotation else None
            arg.type_comment = None
        node.returns = self.visit(node.returns) if read and node.returns else None
        node.type_comment = None
        self.scopes.append(scope_of(node))
        self._arguments(node.args)
        node.body = self._statements(node.body)
        self.scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._outside(node)
        self.scopes.append(scope_of(node))
        self._arguments(node.args)
        node.body = self.visit(node.body)
        self.scopes.pop()
        return node

    def _outside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        if not isinstance(node, ast.Lambda):
            node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.args.defaults = [self.visit(d) for d in node.args.defaults]
        node.args.kw_defaults = [None if d is None else self.visit(d) for d in node.args.kw_defaults]

    def _arguments(self, args: ast.arguments) -> None:
        for arg in _parameters(args):
            arg.arg = self._bound(arg.arg)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        plain = not (node.decorator_list or node.bases or node.keywords)
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.bases = [self.visit(b) for b in node.bases]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        scope = scope_of(node)
        scope.annotated = not plain  # a dataclass, say
        self.scopes.append(scope)
        node.body = self._statements(node.body)
        self.scopes.pop()
        return node

    def _comprehension(self, node: Comprehension) -> ast.AST:
        first, *more = node.generators
        first.iter = self.visit(first.iter)  # evaluated in the scope around it
        self.scopes.append(scope_of(node))
        first.target = self.visit(first.target)
        first.ifs = [self.visit(i) for i in first.ifs]
        for generator in more:
            generator.iter = self.visit(generator.iter)
            generator.target = self.visit(generator.target)
            generator.ifs = [self.visit(i) for i in generator.ifs]
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                setattr(node, part, self.visit(getattr(node, part)))
        self.scopes.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.value = self.visit(node.value)
        node.target = self.visit(node.target)
        return node

    # statements

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        scope = self._scope
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value else None
        if scope is not None and scope.annotated:
            node.annotation = self.visit(node.annotation)
            return node
        return ast.Assign([node.target], node.value, lineno=0) if node.value else None

    def visit(self, node: ast.AST) -> Any:
        kind = type(node)
        method = _METHODS.get(kind)
        if method is None:
            method = _METHODS[kind] = getattr(_Normaliser, f"visit_{kind.__name__}", _Normaliser.generic_visit)
        return method(self, node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                if value and isinstance(value[0], ast.stmt):
                    setattr(node, name, self._statements(value))
                else:
                    value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
            elif isinstance(value, ast.AST) and not isinstance(value, (ast.expr_context, ast.operator, ast.cmpop)):
                setattr(node, name, self.visit(value))
        if hasattr(node, "type_comment"):
            node.type_comment = None
        return node

    def _statements(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """A body without what has no effect: docstrings, other constants, ``pass``, bare annotations."""
        left = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        out = [new for s in left if not isinstance(s, ast.Pass) and (new := self.visit(s)) is not None]
        return out or [ast.Pass()]


_METHODS: dict[type[ast.AST], Callable[[_Normaliser, Any], Any]] = {}  # class of a node -> what visits it


def written(tree: ast.AST) -> str:
    """A syntax tree as text, without places. Other than ``ast.unparse`` it is the same in every version of Python."""
    out: list[str] = []
    _write(tree, out)
    return "".join(out)


def _write(node: Any, out: list[str]) -> None:
    if isinstance(node, ast.AST):
        out.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or name == "ctx" or (type(value) is list and not value):
                continue
            if type(value) is str:
                out.append(f"{name}={value!r},")
            else:
                out.append(f"{name}=")
                _write(value, out)
        out.append(")")
    elif type(node) is list:
        out.append("[")
        for item in node:
            _write(item, out)
        out.append("]")
    else:
        out.append(f"{node!r},")


def _parts(node: ast.expr) -> Iterator[str | None]:
    """What a string is put together of: texts, and None for what is known only when it is made."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif (text := _template(node)) is not None:
        for i, part in enumerate(PLACES.split(text)):
            yield from (None, part) if i else (part,)
    else:
        yield None


def _template(node: ast.expr) -> str | None:
    """The text of ``"..." % x`` and ``"...".format(x)``."""
    made: ast.expr | None = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        made = node.left
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        made = node.func.value
    return made.value if isinstance(made, ast.Constant) and isinstance(made.value, str) else None


def _parameters(a: ast.arguments) -> list[ast.arg]:
    return [x for x in (*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg) if x is not None]


def _last(decorator: ast.expr) -> str:
    """The last part of a decorator's name."""
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
