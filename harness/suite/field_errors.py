"""What is wrong with a YAML file, from a failed validation, as one line that names things as the file does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.errors import first_of, unknown_name

ORDER = ("extra_forbidden", "missing")  # a misspelt key is said before the one that is missing for it


def first_error(e: ValidationError, model: type[BaseModel], content: Any) -> str:
    """What is wrong as one line, the first of several errors: where, what, and for an unknown key what is like it and
    the choices.

    ``model 'mine_mgr-dark-rgb': unknown key 'Protcol' (near: Protocol); choose from ...``

    Args:
        model: what was validated against. content: what was validated.
    """
    errors = sorted(e.errors(), key=lambda err: ORDER.index(err["type"]) if err["type"] in ORDER else len(ORDER))
    return first_of([_said(err["type"], err["loc"], err["msg"], model, content) for err in errors], what="errors")


def _said(kind: str, loc: tuple[int | str, ...], said: str, model: type[BaseModel], content: Any) -> str:
    """One error: where, and what."""
    if kind == "extra_forbidden":
        at, what = loc[:-1], unknown_name("key", loc[-1], _keys(_model_at(model, loc[:-1])))
    elif kind == "missing":
        at, what = loc[:-1], f"{loc[-1]} is missing"
    else:
        at, what = loc, said.removeprefix("Value error, ")
    where = _where(at, content)
    return f"{where}: {what}" if where else what


def _where(loc: tuple[int | str, ...], content: Any) -> str:
    """A place, in which an item of a list is called by its name where it has one, else by its position."""
    found: list[str] = []
    dotted: list[str] = []
    for part in loc:
        try:
            content = content[part]
        except (LookupError, TypeError):
            content = None
        name = (
            next((content[k] for k in ("Name", "id") if k in content), None) if isinstance(content, Mapping) else None
        )
        if isinstance(part, int) and isinstance(name, str) and dotted:
            section = dotted.pop()
            found += [".".join(dotted)] if dotted else []
            found.append(f"{section.lower().removesuffix('s')} '{name}'")
            dotted = []
        else:
            dotted.append(str(part))
    return ": ".join([*found, ".".join(dotted)] if dotted else found)


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that a place of the content was held against."""
    at: type[BaseModel] | None = model
    of_mapping = False  # whether the next part is a key that the file is free to choose
    for part in loc:
        if isinstance(part, int) or at is None or of_mapping:
            of_mapping = False
            continue
        field = next((f for n, f in at.model_fields.items() if part in (n, f.alias)), None)
        at = next(_models(field.annotation), None) if field is not None else None
        of_mapping = field is not None and get_origin(field.annotation) is dict
    return at


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for arg in get_args(annotation):
        yield from _models(arg)


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [f.alias or n for n, f in model.model_fields.items()] if model is not None else []
