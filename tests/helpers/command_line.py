"""The command line: in a process of its own, or in this one."""

import contextlib
import io
import subprocess
import sys

from harness.cli import main


def harness(*args, **kwargs):
    return subprocess.run([sys.executable, "-m", "harness", *map(str, args)], capture_output=True, text=True, **kwargs)


def harness_here(*args):
    """As ``harness``, for what is said and written. Jobs have the fork server of all tests of this process, which has
    imported torch and MMAction2 already.
    """
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(a) for a in args])
        except SystemExit as stop:
            code = stop.code or 0
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())
