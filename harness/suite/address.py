"""Addresses that become links on a page: of the web, in one line, with nothing that a link could be left by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

WEB = re.compile(r"https?://[A-Za-z0-9\[][^\s<>\"'`\\^{}|\x00-\x20\x7f-\xa0]*")


def web_address(text: Any) -> str:
    """Returns the text. Raises ValueError for what is no address of the web."""
    if not isinstance(text, str) or not WEB.fullmatch(text):
        raise ValueError(f"{text!r} is no web address; give one line that begins with https:// or http://")
    return text


WebAddress = Annotated[str, AfterValidator(web_address)]


def check_addresses(value: Any, where: str = "") -> None:
    """Hold every ``URL`` in nested dicts and lists to that; empty ones are left out.

    Raises ValueError with its place.
    """
    if isinstance(value, Mapping):
        for key, below in value.items():
            place = f"{where}.{key}" if where else str(key)
            if str(key).lower() == "url" and below not in (None, ""):
                try:
                    web_address(below)
                except ValueError as e:
                    raise ValueError(f"{place}: {e}") from None
            check_addresses(below, place)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            check_addresses(below, f"{where}.{number}")
