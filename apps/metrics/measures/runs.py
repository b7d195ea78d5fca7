"""Measures over root agent runs, each with everything that it called."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Measure
from apps.metrics.sources import RUN

runs: Final = Measure(RUN, "root runs")
deep: Final = Measure(RUN, "root runs deeper than 3", "f.nesting_depth > 3")
depth: Final = Measure(RUN, "nesting depth of a root run", value="f.nesting_depth", is_peak=True)
fan_out: Final = Measure(RUN, "agents called by one agent", value="f.fan_out", is_peak=True)
