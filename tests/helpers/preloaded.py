"""Python in a process that has imported torch and MMAction2 already, which takes seconds."""

import multiprocessing
import os
import runpy
import sys
from pathlib import Path


def python(*command: str, cwd: Path, said: Path) -> int:
    """The exit code of ``python COMMAND``: a file or ``-m MODULE``, and arguments.

    The process comes from the fork server that jobs come from.

    Args:
        said: the file for what the process prints.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.executors.fork_server"])
    process = context.Process(target=_run, args=(command, str(cwd), str(said)))
    process.start()
    process.join()
    return process.exitcode


def _run(command: tuple[str, ...], cwd: str, said: str) -> None:
    file = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.chdir(cwd)
    if command[0] == "-m":
        sys.argv = list(command[1:])
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(command)
        runpy.run_path(command[0], run_name="__main__")
