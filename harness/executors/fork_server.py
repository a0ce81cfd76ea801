"""What the fork server does before it forks jobs, so that it is paid once and not by every job: it imports torch,
MMAction2 and what writes predictions, and hashes the definitions of the plugin. In a process group of its own.

A signal to the harness's whole group (Ctrl-C in a terminal, a scheduler's TERM) would otherwise end the fork server,
and with it the harness's knowledge of its jobs, before the harness could stop them at their checkpoints.
"""

import os
from contextlib import suppress

from harness.system.gc_pause import gc_paused

os.setpgrp()

with (
    suppress(Exception),
    gc_paused(),
):  # each job meets it again, and says so in its log; a fork server that ends says nothing
    import mmaction.visualization  # noqa: F401
    import pandas as pd  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import harness.worker.attempt  # noqa: F401
    from harness.fingerprint.code import hash_all
    from harness.fingerprint.packages import PLUGIN

    hash_all(PLUGIN)
