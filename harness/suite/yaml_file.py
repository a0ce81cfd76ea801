"""YAML files, with the fast parser where PyYAML was built with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> dict[Any, Any]:
    """The mapping that a file holds.

    Raises:
        FileNotFoundError: it is not there. ValueError: one line on what is not YAML, no mapping, or a key that stands
            twice in one mapping: YAML's readers take the last and are silent.
    """
    try:
        loader = LOADER(Path(path).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as e:
        raise ValueError(f"{path}: not UTF-8 text ({e.reason} at byte {e.start}); save it as UTF-8") from None
    except yaml.YAMLError as e:
        raise _not_yaml(path, e) from None
    try:
        root = loader.get_single_node()
        _check_keys(path, root)
        found = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as e:
        raise _not_yaml(path, e) from None
    finally:
        loader.dispose()
    if not isinstance(found, dict):
        what = "is empty" if found is None else f"is a {type(found).__name__}, not keys with values"
        raise ValueError(f"{path}: {what}")
    return found


def _not_yaml(path: Path, e: yaml.YAMLError) -> ValueError:
    return ValueError(f"{path}: not YAML: {' '.join(str(e).split())}")


def _check_keys(path: Path, root: yaml.Node | None) -> None:
    """Raise ValueError for a key that stands twice in one mapping."""
    open_nodes, seen = [root], set[int]()
    while open_nodes:
        node = open_nodes.pop()
        if node is None or id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            open_nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            open_nodes += [value for _, value in node.value]
            lines: dict[tuple[str, str], int] = {}
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                line = key.start_mark.line + 1
                if (before := lines.get((key.tag, key.value))) is not None:
                    raise ValueError(
                        f"{path}: '{key.value}' stands twice in one mapping, in lines {before} and {line}; the first "
                        "would be ignored, take one out"
                    )
                lines[key.tag, key.value] = line
