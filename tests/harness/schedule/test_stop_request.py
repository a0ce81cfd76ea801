"""Which signals ask the harness to stop."""

import signal

import pytest

from harness.schedule.stop_request import StopRequest


@pytest.fixture
def hangup():
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_is_a_request_and_the_second_an_interrupt(hangup, asked):
    hangup(signal.SIG_DFL)
    with StopRequest() as stop:
        assert not stop.requested
        signal.raise_signal(asked)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(asked)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_below_nohup_a_terminal_that_is_gone_is_none(hangup):
    hangup(signal.SIG_IGN)
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert not stop.requested
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
