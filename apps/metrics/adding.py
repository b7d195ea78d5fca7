"""Adding measures up, from rollups where they serve and else from the facts: the same numbers either way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from apps.metrics import facts
from apps.metrics.facts import Cell, Slice
from apps.metrics.formulas.base import Part
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.measures.people import People
from apps.metrics.rollups import read, users
from apps.metrics.sources import SOURCES

FROM_SETS: Final = frozenset(
    {"active", "everyone", "adopters", "before", "lost", "new", "cohort", "retained"}
)


def is_rolled(part: Part, piece: Slice) -> bool:
    """Whether a part is answered from rollups."""
    if isinstance(part, People):
        return part.kind in FROM_SETS and users.serves(piece, "feature" if part.kind == "adopters" else None)
    if isinstance(part, Histogram):
        return read.serves_slots(part, piece)
    return read.serves(part.source, piece, [part])


def sums(measures: Iterable[Measure], piece: Slice) -> dict[Cell, dict[Any, Any]]:
    """Sums by (bucket, group) of all measures; only cells with rows, and 0 for what a cell lacks."""
    wanted = list(dict.fromkeys(measures))
    cells: dict[Cell, dict[Any, Any]] = defaultdict(dict)
    for source in SOURCES:
        own = [measure for measure in wanted if measure.source is source]
        rolled = [measure for measure in own if is_rolled(measure, piece)]
        rest = [measure for measure in own if measure not in rolled]
        for part in (
            read.sums(source, rolled, piece) if rolled else {},
            facts.sums_of(source, rest, piece) if rest else {},
        ):
            for cell, held in part.items():
                cells[cell].update(held)
    return cells


def slots(histograms: Iterable[Histogram], piece: Slice) -> dict[Cell, dict[Any, Any]]:
    """Counts by slot for each (bucket, group) and histogram."""
    cells: dict[Cell, dict[Any, Any]] = defaultdict(dict)
    for histogram in dict.fromkeys(histograms):
        part = (
            read.slots(histogram, piece) if is_rolled(histogram, piece) else facts.slots_of(histogram, piece)
        )
        for cell, held in part.items():
            cells[cell][histogram] = held
    return cells
