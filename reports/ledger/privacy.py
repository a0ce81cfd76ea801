"""What stays on the machine: absolute paths, relative ones that lead up or to a data set of the user's, home folders,
names of users and hosts are taken out of every text before a page is made of it. Paths keep what lies below the data
root, the work dir or a package; of others their last part is left.

Names of users and hosts are known where a path or an address shows them and where they are those of the machine that
writes the pages; a bare name of another machine in the middle of a sentence cannot be told from a word.
"""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.data.names import names
from harness.ledger.record import RunRecord, Strict

BELOW = (
    *names(),
    "runs",
    "clip_store",
    "site-packages",
    "mm_configs",
    "mtcd_plugin",
    "harness",
)
SENTENCES = {
    "failure",
    "notes",
    "command",
    "adopted",
    "environment",
    "hardware",
}  # of a record: where a name may stand alone
SHARED = ("data", "environment", "hardware")  # of a record: what runs have in common
SHORT, MOST = 200, 20_000  # characters of a text, and texts, that are remembered
LONGEST = 500  # characters of a path before its first folder of ``BELOW``; without a limit time grows with their square
HARMLESS = {"root", "user", "users", "home", "data", "admin", "ubuntu", "runner", "test", "localhost", "host"}

_anchors = "|".join(map(re.escape, BELOW))
_sets = "|".join(map(re.escape, names()))
_path_end = r"\s'\"`:,;()<>\[\]{}|"
_inner = r"(?<=\w)'(?=\w)"  # an apostrophe of a name
_to_mark = r"(?:\\.|(?!(?P=mark))[^\\\n])*"  # to the end of a quoted value
_part = rf"(?:[^{_path_end}]|{_inner})"
PIECES = re.compile(
    r"(?P<file>file://(?P<rest>/[^\s'\"`]*))"
    r"|(?P<url>[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^\s/@'\"`]+@)?(?P<where>[^\s'\"`]*)"
    r"|(?P<mail>[\w.+-]+@[\w-][\w.-]*)"
    r"|(?P<quote>['\"`])(?P<quoted>(?:\.\.?)?/(?:\\.|(?!(?P=quote))[^\\\n])*|[A-Za-z]:\\(?:(?!(?P=quote))[^\n])*)(?P=quote)"
    rf"|(?<==)(?P<mark>['\"])(?P<value>(?!data/synthetic-){_to_mark}/(?=(?:{_sets})(?![\w-])){_to_mark})(?P=mark)"
    rf"|(?<![\w./<])(?P<known>/(?:[^\n'\"`:]|{_inner}){{0,{LONGEST}}}?/(?=(?:{_anchors})(?![\w-])){_part}*)"
    rf"|(?<![\w./<~-])(?P<up>\.\.?/{_part}*)"  # relative to where a command ran
    rf"|(?<![\w./<~-])(?P<set>(?!data/synthetic-)(?:[^/{_path_end}]|{_inner})+/(?:{_part}*/)?(?=(?:{_sets})(?![\w-])){_part}*)"
    rf"|(?<![\w./<])(?P<bare>/[^/{_path_end}]{_part}*)"
    rf"|(?<![\w.])(?P<drive>[A-Za-z]:\\[^{_path_end}]*)"
    rf"|(?<![\w/])(?P<home>~[\w.-]*/[^{_path_end}]*)"
)
OWNERS = re.compile(r"(?:/home/|/Users/|\\Users\\)([^/\\\s'\"`:]+)")


def short(path: str) -> str:
    """A path from the first folder on that says what it is, or its last part."""
    parts = [p for p in re.split(r"[/\\]", path) if p]
    for i, part in enumerate(parts):
        if part in BELOW and (part != "site-packages" or i + 1 < len(parts)):
            return "/".join(parts[i + (part == "site-packages") :])
    last = parts[-1] if parts else ""
    return "" if len(parts) == 2 and parts[0] in ("home", "Users") else last


def without_paths(text: str) -> str:
    """A text with every absolute path shortened and every login taken out of addresses."""

    def shortened(m: re.Match) -> str:
        if m["url"]:
            return f"{m['url']}{m['where']}"
        if m["mail"]:
            return "user@host"
        if m["quote"]:
            return f"{m['quote']}{short(m['quoted']) or 'home'}{m['quote']}"
        if m["mark"]:
            return f"{m['mark']}{short(m['value'])}{m['mark']}"
        return short(next(v for n in ("rest", "known", "up", "set", "bare", "drive", "home") if (v := m[n]))) or "home"

    return PIECES.sub(shortened, text) if "/" in text or "\\" in text or "@" in text else text


@dataclass(frozen=True)
class Privacy:
    """``roots``: folders whose names go out of texts whole, spaces included; ``names``: words that do."""

    roots: tuple[str, ...]
    names: re.Pattern | None
    _done: dict[int, tuple[Any, Any]] = field(
        default_factory=dict, repr=False, compare=False
    )  # id -> it, its public form
    _texts: dict[tuple[str, bool], str] = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[type[Privacy], tuple[tuple[str, ...], re.Pattern | None]]:
        """To another process it goes without what it remembers, which may be a whole ledger."""
        return Privacy, (self.roots, self.names)

    @property
    def said(self) -> str:
        """Equal where the same is taken out."""
        return f"{self.roots!r} {self.names.pattern if self.names else ''}"

    def text(self, text: str, words: bool = True) -> str:
        """A text that may be shown to everybody. ``words``: names are taken out as words too, not in paths alone."""
        for root in self.roots:
            text = text.replace(root + "/", "")
        text = without_paths(text)
        return self.names.sub("…", text) if words and self.names else text

    def all(self, value: Any, words: bool = True) -> Any:
        """The same for every text in nested dicts and lists, keys included."""
        if isinstance(value, str):
            return self._short(value, words)
        if value is None or isinstance(value, (int, float)):
            return value
        if isinstance(value, dict):
            return {self.all(k, words): self.all(v, words) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.all(v, words) for v in value]
        return value

    def _short(self, text: str, words: bool) -> str:
        """``text``, of those that records have in common made once."""
        if len(text) > SHORT:
            return self.text(text, words)
        if len(self._texts) > MOST:
            self._texts.clear()
        asked = text, words
        if asked not in self._texts:
            self._texts[asked] = self.text(text, words)
        return self._texts[asked]

    def record(self, record: RunRecord) -> RunRecord:
        """A record to make pages of. Its key is no longer the hash of what it says, where a config held paths."""
        own, large = record.identity, {"config", "code"}
        content = record.model_dump(exclude={"identity": large, **dict.fromkeys(SHARED, True)})
        content["identity"] |= dict.fromkeys(large, {})
        public = RunRecord.model_validate({k: self.all(v, k in SENTENCES) for k, v in content.items()})
        public.identity.config, public.identity.code = self._once(own.config), self._once(own.code)
        for name in SHARED:
            setattr(public, name, self._once(getattr(record, name), name in SENTENCES))
        return public

    def _once(self, part: Any, words: bool = False) -> Any:
        """``all`` of a part that records share, made once."""
        if id(part) not in self._done:
            model = type(part) if isinstance(part, Strict) else None
            public = self.all(part.model_dump() if model else part, words)
            self._done[id(part)] = part, model.model_validate(public) if model else public
        return self._done[id(part)][1]


def privacy(folders: Iterable[Path], texts: Iterable[str]) -> Privacy:
    """What must not be shown of these work dirs and of this machine.

    Args:
        folders: whose absolute path is cut off texts. texts: where home folders of other machines may be named.
    """
    roots = {str(Path(f).resolve()) for f in folders} | {str(Path(f).absolute()) for f in folders}
    roots |= {str(Path.cwd())}
    with suppress(RuntimeError):  # a container whose user has no home
        roots.add(str(Path.home()))
    owners = {m for t in texts for m in OWNERS.findall(t)}
    host = socket.gethostname()
    names = {n for n in (*owners, _user(), host, host.split(".")[0]) if len(n) > 2 and n.lower() not in HARMLESS}
    return Privacy(
        tuple(sorted((r for r in roots if r.count("/") > 1 or len(r) > 5), key=lambda r: (-len(r), r))),
        re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(names))) + r")(?![\w-])") if names else None,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return ""
