"""Which epoch it is, for losses that depend on it."""

from __future__ import annotations

from mmengine.logging import MessageHub


def current_epoch() -> int:
    """The epoch that is being trained, from 0, as MMEngine's RuntimeInfoHook notes it; 0 where no Runner trains.

    The Runner restores it on resume, so a model that asks here needs no state of its own.
    """
    return int(MessageHub.get_current_instance().get_info("epoch", 0))
