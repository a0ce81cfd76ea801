"""What the fork server does before it forks jobs, so that it is paid once and not by every job: it imports torch,
MMAction2 and what writes predictions, and hashes the definitions of the plugin. In a process group of its own.

A signal to the harness's whole group (Ctrl-C in a terminal, a scheduler's TERM) would otherwise end the fork server,
and with it the harness's knowledge of its jobs, before the harness could stop them at their checkpoints.
"""

import os

os.setpgrp()

import mmaction.visualization  # noqa: E402, F401
import pandas as pd  # noqa: E402, F401
import pyarrow.compute  # noqa: E402
import pyarrow.parquet  # noqa: E402, F401

import harness.worker.attempt  # noqa: E402, F401
from harness.fingerprint.code import hash_all  # noqa: E402
from harness.fingerprint.packages import PLUGIN  # noqa: E402

hash_all(PLUGIN)
