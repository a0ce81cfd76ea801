"""The normal form of a definition: what is left of its syntax tree when nothing is kept that no behaviour depends on.

Comments, formatting, docstrings, annotations that nothing reads, and the names of local variables go. A parameter that
can be passed by keyword is no local name; where a definition uses ``locals``, ``eval``, ``exec``, ``vars()`` or
``dir()``, all of its names count. What a name outside of the definition stands for is written in a form that does not
depend on the module in which the definition lies, nor on the way in which it is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.fingerprint.references import Attribute, Global, Imported, Lookup, Node
from harness.fingerprint.scopes import MARK, Comprehension, ScopeStack, parameters_of, scope_of
from harness.fingerprint.strings import pattern_of

# Decorators that do not look at annotations.
PLAIN_DECORATORS = frozenset(
    ("property", "staticmethod", "classmethod", "setter", "getter", "deleter", "abstractmethod", "contextmanager")
    + ("cache", "lru_cache", "cached_property", "wraps", "no_grad", "inference_mode", "register_module")
    + ("_register_module", "override", "overload", "final")
)


@dataclass
class Normal:
    """A definition in its normal form, with the definitions that it refers to, in the order of their first use."""

    tree: ast.stmt
    refers: dict[str, Node] = field(default_factory=dict)  # how the normal form calls it -> node
    strings: dict[str, None] = field(default_factory=dict)  # string constants, some of which may name a class
    patterns: dict[str, None] = field(default_factory=dict)  # of strings that are put together, as regular expressions


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


class _Normaliser(ast.NodeTransformer):
    """Walks one definition with the scopes around the place."""

    def __init__(
        self, statement: ast.stmt, lookup: Lookup, attribute: Attribute, imported: Imported, pinned: bool
    ) -> None:
        self.lookup, self.attribute, self.imported = lookup, attribute, imported
        self.names = ScopeStack(pinned)
        self.normal = Normal(statement)
        self.normal.tree = self._statements([statement])[0]

    # names

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
        scope = self.names.owner(node.id)
        if scope is None:
            return self._outer(node, self.lookup(node.id), [])
        if scope.kind == "class" and isinstance(node.ctx, ast.Load) and (outer := self.lookup(node.id)) is not None:
            self._refer(outer)  # where the class has not bound it yet, it is the module's
        node.id = self.names.written(scope, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        attributes: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            attributes.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name) and self.names.owner(root.id) is None:
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
        node.names = [self.names.bound(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node.type = self.visit(node.type) if node.type else None
        node.name = self.names.bound(node.name) if node.name else None
        node.body = self._statements(node.body)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        node.name = self.names.bound(node.name) if node.name else None
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        node.name = self.names.bound(node.name) if node.name else None
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        node.rest = self.names.bound(node.rest) if node.rest else None
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            self.normal.strings[node.value] = None
        node.kind = None  # ``u"..."``
        return node

    # strings that are put together

    def _may_make_string(self, node: ast.JoinedStr | ast.BinOp | ast.Call) -> ast.AST:
        if pattern := pattern_of(node):
            self.normal.patterns[pattern] = None
        return self.generic_visit(node)

    visit_JoinedStr = visit_BinOp = visit_Call = _may_make_string

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
            alias.asname = self.names.bound(alias.asname or alias.name)
        if found.node is None:
            return False
        alias.name = self._refer(found)
        return True

    # scopes

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        read = any(map(_reads_annotations, node.decorator_list))
        self._outside(node)
        for arg in parameters_of(node.args):
            arg.annotation = self.visit(arg.annotation) if read and arg.annotation else None
            arg.type_comment = None
        node.returns = self.visit(node.returns) if read and node.returns else None
        node.type_comment = None
        self.names.push(scope_of(node))
        self._arguments(node.args)
        node.body = self._statements(node.body)
        self.names.pop()
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._outside(node)
        self.names.push(scope_of(node))
        self._arguments(node.args)
        node.body = self.visit(node.body)
        self.names.pop()
        return node

    def _outside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        if not isinstance(node, ast.Lambda):
            node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.args.defaults = [self.visit(d) for d in node.args.defaults]
        node.args.kw_defaults = [None if d is None else self.visit(d) for d in node.args.kw_defaults]

    def _arguments(self, args: ast.arguments) -> None:
        for arg in parameters_of(args):
            arg.arg = self.names.bound(arg.arg)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        plain = not (node.decorator_list or node.bases or node.keywords)
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.bases = [self.visit(b) for b in node.bases]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        scope = scope_of(node)
        scope.annotated = not plain  # a dataclass, say
        self.names.push(scope)
        node.body = self._statements(node.body)
        self.names.pop()
        return node

    def _comprehension(self, node: Comprehension) -> ast.AST:
        first, *more = node.generators
        first.iter = self.visit(first.iter)  # evaluated in the scope around it
        self.names.push(scope_of(node))
        first.target = self.visit(first.target)
        first.ifs = [self.visit(i) for i in first.ifs]
        for generator in more:
            generator.iter = self.visit(generator.iter)
            generator.target = self.visit(generator.target)
            generator.ifs = [self.visit(i) for i in generator.ifs]
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                setattr(node, part, self.visit(getattr(node, part)))
        self.names.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.value = self.visit(node.value)
        node.target = self.visit(node.target)
        return node

    # statements

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        scope = self.names.innermost
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


def _reads_annotations(decorator: ast.expr) -> bool:
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name not in PLAIN_DECORATORS
