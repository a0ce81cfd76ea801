"""The command line in a process of its own."""

import subprocess
import sys


def harness(*args, **kwargs):
    return subprocess.run([sys.executable, "-m", "harness", *map(str, args)], capture_output=True, text=True, **kwargs)
