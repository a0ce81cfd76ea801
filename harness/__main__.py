"""``python -m harness``, and the command ``harness``."""

import os
import signal
import sys
from pathlib import Path

from harness.system.encoding import write_every_character


def start() -> None:
    """Run the command line, which ends the process. SIGTERM, and a terminal that goes, interrupt it as Ctrl-C does."""
    leave_current_folder()
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  None where it was started with a closed one
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    write_every_character()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        from harness.cli import main
    except ModuleNotFoundError as e:
        from harness.errors import not_installed

        sys.exit(f"error: {not_installed(e)}")
    main()


def leave_current_folder() -> None:
    """Import nothing from the current folder, here and in the processes that this one starts,
    unless the harness lies there.

    ``python -m`` and ``python -c`` (with which Python starts its fork server) put it before everything installed, so
    that a folder ``reports`` of the user's would be taken for ours.
    """
    here, code = Path.cwd(), Path(__file__).resolve().parents[1]
    if here == code:
        return
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", str(here)):
        del sys.path[0]
    os.environ["PYTHONSAFEPATH"] = "1"


if __name__ == "__main__":
    start()
