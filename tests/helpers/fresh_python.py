"""Python in processes that have imported torch, which takes seconds, but not MMAction2 nor anything of the project."""

import json
import subprocess
import sys

# Reads folders and programs, a JSON list a line, and runs each in a process of its own that has imported what is slow,
# none of which imports MMAction2. It answers with what the program printed and said.
SERVER = """
import json, os, sys, tempfile, traceback
import cv2, mmcv, mmengine.runner, pyarrow.parquet, torch

for line in sys.stdin:
    folders, code = json.loads(line)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            sys.path[:0], failed = folders, 0
            try:
                exec(code, {"__name__": "__main__"})
            except SystemExit as stop:
                failed = stop.code or 0
            except BaseException:
                traceback.print_exc()
                failed = 1
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(failed)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = [file.read() for file in (out, err) if not file.seek(0)]
    print(json.dumps([code, *said]), flush=True)
"""


class FreshPython:
    """Call it with code: its exit code, what it printed and what it said. Modules of ``folders`` come before others."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, code, *folders):
        self.server.stdin.write(json.dumps([list(map(str, folders)), code]) + "\n")
        self.server.stdin.flush()
        return subprocess.CompletedProcess(code, *json.loads(self.server.stdout.readline()))

    def close(self) -> None:
        self.server.stdin.close()
        assert self.server.wait() == 0
        self.server.stdout.close()
