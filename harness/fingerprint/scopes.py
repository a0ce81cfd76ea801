"""Which names a function, class or comprehension binds, and what reads the names of variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

MARK = "ǃ"  # a letter that no source uses: what is renamed cannot be taken for a name that is kept
READ_NAMES = frozenset({"locals", "eval", "exec", "_getframe", "currentframe"})  # what reads the names of variables
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPING = (ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.Import, ast.ImportFrom)
BINDING = (*SCOPING, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
LEAVES = (ast.expr_context, ast.Constant, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(eq=False)
class Scope:
    """Names of one function, class or comprehension."""

    kind: str  # function | class | comprehension
    bound: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  # bound, and not to be renamed
    outside: set[str] = field(default_factory=set)  # declared global
    enclosing: set[str] = field(default_factory=set)  # declared nonlocal
    annotated: bool = False  # a class whose annotations something may read


class ScopeStack:
    """The scopes around a place in a definition, the innermost last, and how names are written there.

    Args:
        pinned: whether the names of local variables count, see ``reads_names``.
    """

    def __init__(self, pinned: bool) -> None:
        self._scopes: list[Scope] = []
        self._numbers: dict[tuple[Scope, str], str] = {}
        self._pinned = pinned

    @property
    def innermost(self) -> Scope | None:
        return self._scopes[-1] if self._scopes else None

    def push(self, scope: Scope) -> None:
        self._scopes.append(scope)

    def pop(self) -> None:
        self._scopes.pop()

    def owner(self, name: str) -> Scope | None:
        """The scope that binds a name as seen from here, None for the module."""
        for depth, scope in enumerate(reversed(self._scopes)):
            if scope.kind == "class" and depth:
                continue  # methods do not see the names of their class
            if name in scope.outside:
                return None
            if name in scope.bound:
                return scope
        return None

    def written(self, scope: Scope, name: str) -> str:
        """A name of a scope; a local one by its number."""
        if self._pinned or scope.kind == "class" or name in scope.kept:
            return name
        return self._numbers.setdefault((scope, name), f"{MARK}{len(self._numbers)}")

    def bound(self, name: str) -> str:
        """A name where it is bound or declared."""
        scope = self.owner(name)
        return name if scope is None else self.written(scope, name)


def parameters_of(a: ast.arguments) -> list[ast.arg]:
    """All parameters, in order."""
    return [x for x in (*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg) if x is not None]


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
