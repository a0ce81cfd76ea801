"""Checks NvGesture's time stamp logs: one line per frame, ``img00000.png <unix nanoseconds>``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.nvgesture import read_log, read_times

GAP_PERIODS = 2.5  # a step of that many frame periods: two frames or more are missing
RELATIVE = "nothing to do: streams of this clip are matched by relative time; or restore the log"


def check_log(clip_id: str, name: str, stream: Stream, frames: int) -> list[Finding]:
    """Findings about the log of one stream. ``frames`` is the number of frames of its video, 0 if unknown.

    A bad log is a warning: the readers then match the streams by relative time.
    """
    path = Path(stream.path).with_name(f"{name}_log.txt")

    def warning(message: str, remedy: str) -> Finding:
        return Finding(clip_id, "warning", "log", f"{path}: {message}", remedy)

    if stream.times is None:
        return [warning(stream.clock.removeprefix("fps: "), RELATIVE)]
    found = []
    steps = np.diff(stream.times) * stream.fps
    if len(steps) and steps.max() > GAP_PERIODS:
        at = stream.start + int(steps.argmax())
        found.append(
            warning(
                f"{int((steps > GAP_PERIODS).sum())} gaps inside the window, the longest of "
                f"{steps.max() / stream.fps * 1000:.0f} ms after frame {at}",
                "nothing to do: frames are matched by nearest time stamp; leave the clip out if the gap is too long",
            )
        )
    stamps, problems = read_log(path)
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        text = f"{problems[0]}{more}; such lines are not read"
        found.append(warning(text, "nothing to do: lines belong to the frames that they name; or restore the log"))
    if frames and len(stamps) != frames:
        text = f"{len(stamps)} time stamps, but the video has {frames} frames"
        found.append(warning(text, "restore the log or the video"))
    elif (clock := read_times(path, 0, max(stamps) + 1)[1]) != "log":
        text = f"outside the window, {clock.removeprefix('fps: ')}"
        found.append(warning(text, "nothing to do: the window's time stamps are sound"))
    return found
