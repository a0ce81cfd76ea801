"""What the fork server imports before it forks jobs: torch and MMAction2, paid once, in a process group of its own.

A signal to the harness's whole group (Ctrl-C in a terminal, a scheduler's TERM) would otherwise end the fork server,
and with it the harness's knowledge of its jobs, before the harness could stop them at their checkpoints.
"""

import os

os.setpgrp()

import harness.worker.attempt  # noqa: E402, F401
