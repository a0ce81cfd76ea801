"""What a network costs: parameters, multiply-adds, time, memory. Imports torch."""

from harness.measure.memory import PeakMemory
from harness.measure.timing import Timing, latency, throughput
from harness.network.cost import Cost, count_cost, predicting_network

__all__ = ["Cost", "PeakMemory", "Timing", "count_cost", "latency", "predicting_network", "throughput"]
