"""What is to be measured: the benchmark's tables and figures, the discovered model entries,
and the cells they ask for.
"""

from harness.suite.benchmark import Benchmark, load_benchmark
from harness.suite.cells import Cell, expand
from harness.suite.configs import load_suite
from harness.suite.entries import Entry, load_entries

__all__ = ["Benchmark", "Cell", "Entry", "expand", "load_benchmark", "load_entries", "load_suite"]
