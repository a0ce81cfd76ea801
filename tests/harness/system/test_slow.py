"""What takes long says so once; what does not says nothing."""

import threading

from harness.system.slow import said_if_slow


def test_a_line_comes_while_the_work_goes_on_and_only_then():
    said, heard = [], threading.Event()

    def say(line):
        said.append(line)
        heard.set()

    with said_if_slow(say, "reading 3 clips", after=0.0):
        assert heard.wait(60)
    assert said == ["reading 3 clips"]
    with said_if_slow(say, "reading 4 clips", after=3600.0):
        pass
    assert said == ["reading 3 clips"] and not [
        t for t in threading.enumerate() if isinstance(t, threading.Timer) and not t.finished.is_set()
    ]
