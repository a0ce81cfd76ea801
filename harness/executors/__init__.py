"""Where jobs run: a small protocol (``base``), found by the entry-point group ``harness.executors`` (``registry``)."""
