"""Times in words."""

from __future__ import annotations

SOONEST_S, FEWEST = 5.0, 5  # before that much is done, no estimate of the rest


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``45 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"


def left(passed_s: float, done: int, total: int) -> str:
    """``, about 12 min left`` behind what is done of a total in so many seconds; "" as long as that is too little to
    tell, and where nothing is left."""
    if passed_s < SOONEST_S or done < FEWEST or done >= total:
        return ""
    return f", about {duration(passed_s / done * (total - done))} left"
