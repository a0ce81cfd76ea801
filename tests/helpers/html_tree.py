"""A page as a tree, by the standard library's parser, strict about what is opened and closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "input", "br", "hr"}


@dataclass
class Node:
    tag: str
    attrs: dict[str, str | None] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def all(self, tag: str | None = None, **attrs: str) -> list[Node]:
        """Descendants by tag and attributes; ``cls`` matches one class name."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                if child._matches(tag, attrs):
                    found.append(child)
                found += child.all(tag, **attrs)
        return found

    def one(self, tag: str | None = None, **attrs: str) -> Node:
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} of <{tag} {attrs}>"
        return found[0]

    def _matches(self, tag, attrs) -> bool:
        if tag is not None and self.tag != tag:
            return False
        return all(v in self.classes if k == "cls" else self.attrs.get(k) == v for k, v in attrs.items())

    @property
    def classes(self) -> set[str]:
        return set((self.attrs.get("class") or "").split())

    @property
    def text(self) -> str:
        """Text as read, without what only scripts and drawings hold."""
        parts = [
            c if isinstance(c, str) else c.text
            for c in self.children
            if isinstance(c, str) or c.tag not in ("svg", "script", "style")
        ]
        return " ".join(" ".join(parts).split())


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#root")
        self.stack = [self.root]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs))
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag, attrs):
        self.stack[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack[-1].tag == tag, f"</{tag}> closes <{self.stack[-1].tag}> at {self.getpos()}"
        self.stack.pop()

    def handle_data(self, data):
        self.stack[-1].children.append(data)


def parse(path: Path) -> Node:
    """Raises AssertionError where tags do not nest."""
    parser = _Parser()
    parser.feed(Path(path).read_text(encoding="utf-8").replace("<wbr>", ""))  # where a word may break is no text
    parser.close()
    assert parser.stack == [parser.root], f"{path}: not closed: {[n.tag for n in parser.stack[1:]]}"
    return parser.root


def grid(page: Node, table_id: str) -> tuple[list[dict], list[list[Node]]]:
    """The columns of a table (attributes of its head cells, with their title) and its rows of cells."""
    table = page.one("table", **{"data-table": table_id})
    heads = [th for th in table.one("thead").all("tr")[-1].children if isinstance(th, Node)]
    columns = [{**h.attrs, "title_text": h.text.replace("\u2011", "-"), "classes": h.classes} for h in heads]
    rows = [
        [c for c in tr.children if isinstance(c, Node)]
        for body in table.all("tbody")
        for tr in body.all("tr")
        if "group" not in tr.classes
    ]
    return columns, rows


def cell(page: Node, table_id: str, row: str, column: str) -> Node:
    """One cell by the start of its row's heading and the id of its column."""
    columns, rows = grid(page, table_id)
    index = [c["data-col"] for c in columns].index(column)
    found = [r[index] for r in rows if r[0].text.startswith(row)]
    assert len(found) == 1, f"{len(found)} rows start with {row!r}"
    return found[0]
