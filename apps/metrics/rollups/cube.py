"""What is rolled up: the measures, histograms and dimensions of each fact table, and their common version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from apps.metrics.catalogue import METRICS
from apps.metrics.formulas import LOG_GROWTH
from apps.metrics.measures import events
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.rollups.bitmap import CHUNK
from apps.metrics.sources import EVENT, GENERATION, SESSION, Source

# Every row carries these two, so that they combine freely with one further dimension.
CARRIED: Final = frozenset({"project", "environment"})
# Facts are settled as if their session were closed: so are the rollups. Readers take back what is still open.
SETTLED: Final = "'infinity'::timestamptz"


@dataclass(frozen=True)
class Cube:
    """One fact table's rollup. The place of a measure in `measures` is its place in the stored array."""

    source: Source
    number: int
    measures: tuple[Measure, ...]
    histograms: tuple[Histogram, ...]

    @cached_property
    def dimensions(self) -> dict[str, str]:
        """The further dimensions and their SQL over rows `f`."""
        return {
            name: sql.replace("%(now)s", SETTLED)
            for name, sql in sorted(self.source.dimensions.items())
            if name not in CARRIED
        }

    def place(self, measure: Measure) -> int:
        """1-based, as PostgreSQL counts."""
        return self.measures.index(measure) + 1

    def histogram_number(self, histogram: Histogram) -> int:
        return self.histograms.index(histogram) + 1


def _is_additive(measure: Measure) -> bool:
    """Peaks can not be taken back, and what depends on other rows is no property of one."""
    return not measure.is_peak and "%(agent_projects)s" not in measure.where


def _cube(source: Source, number: int) -> Cube:
    formulas = [metric.formula for metric in METRICS.values()]
    measures = dict.fromkeys(one for formula in formulas for one in formula.measures())
    if source is EVENT:
        measures |= dict.fromkeys(events.RUNS)
    histograms = dict.fromkeys(one for formula in formulas for one in formula.histograms())
    return Cube(
        source,
        number,
        tuple(
            sorted(
                (one for one in measures if one.source is source and _is_additive(one)),
                key=lambda one: (one.where, one.value),
            )
        ),
        tuple(
            sorted(
                (one for one in histograms if one.source is source), key=lambda one: (one.value, one.where)
            )
        ),
    )


CUBES: Final = {
    source.table: _cube(source, number) for number, source in enumerate((SESSION, GENERATION, EVENT), 1)
}


def _version() -> str:
    """Changes with every definition that stored rollups depend on."""
    parts = [str(LOG_GROWTH), f"active users by {CHUNK}", "first values kept, of environments too"]
    for cube in CUBES.values():
        parts += [cube.source.time, *(f"{name}={sql}" for name, sql in cube.dimensions.items())]
        parts += [f"{one.where}|{one.value}" for one in cube.measures]
        parts += [f"{one.where}|{one.value}" for one in cube.histograms]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


VERSION: Final = _version()
