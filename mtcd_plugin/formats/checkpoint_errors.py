"""torch's errors about checkpoints, without its advice to load them unsafely."""

from __future__ import annotations

import re

REFUSED = re.compile(
    r"Weights only load failed\..*?(?=WeightsUnpickler error|Trying to load|Unsupported|Check the doc|\Z)", re.S
)
ADVICE = re.compile(r"\s*(Please use `torch\.serialization\.|Check the documentation of torch\.load).*?(?=\n|\Z)")


LONGEST = 500  # characters of a failure's line


def one_line(e: BaseException) -> str:
    """An exception as one line without torch's advice; of a long text both ends stay."""
    text = " ".join(without_advice(str(e)).split()) or "no message"
    known = isinstance(e, (ValueError, FloatingPointError, OSError))
    text = text if known else f"{type(e).__name__}: {text}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 205]} ... {text[-200:]}"


def without_advice(text: str) -> str:
    """The text of an error or a traceback, without torch's advice to set ``weights_only=False`` (unsafe).

    The parts of torch's message that name the cause stay; torch's words are those of 2.6 and later.
    """
    return ADVICE.sub("", REFUSED.sub("the file is damaged, or holds more than weights: ", text))
