"""Names of files that are no text: nothing that names them could be written."""

import os
import subprocess
import sys

import pytest

from harness.errors import BadUsage
from harness.system.names import check_names


def test_text_of_any_language_is_a_name():
    check_names(["--work-dir", "/data/ä ö/手势", "-w x", ""])


def test_a_name_of_another_encoding_is_refused(tmp_path):
    place = os.fsencode(tmp_path) + b"/lat\xe4"
    os.mkdir(place)
    told = r"lat\\xe4: is no text in the encoding of this system's file names \(utf-8\).*or rename it"
    with pytest.raises(BadUsage, match=told):
        check_names(["status", "--work-dir", os.fsdecode(place)])
    for words, folder in ((["--work-dir", place], tmp_path), ([], place)):
        done = subprocess.run(
            [sys.executable, "-m", "harness", "status", *words], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1 and r"lat\xe4: is no text" in done.stderr
