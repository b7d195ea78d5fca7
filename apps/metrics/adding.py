"""Adding measures up, from rollups where they serve and else from the facts: the same numbers either way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from apps.metrics import facts
from apps.metrics.facts import Cell, Group, Slice
from apps.metrics.formulas.base import Formula, Part
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.measures.people import People
from apps.metrics.rollups import combinations, read, users
from apps.metrics.rollups.cube import CUBES
from apps.metrics.sources import SOURCES

Cells = dict[Cell, dict[Any, Any]]
# By number of the point and group.
Points = dict[int, dict[Group, dict[Any, Any]]]

FROM_SETS: Final = frozenset(
    {"active", "everyone", "adopters", "before", "lost", "new", "cohort", "retained", "matured"}
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
    cells: Cells = {}
    for source in SOURCES:
        own = [measure for measure in wanted if measure.source is source]
        rolled = [measure for measure in own if is_rolled(measure, piece)]
        rest = [measure for measure in own if measure not in rolled]
        for part in (
            read.sums(source, rolled, piece) if rolled else {},
            facts.sums_of(source, rest, piece) if rest else {},
        ):
            join(cells, part)
    return cells


def join(cells: Cells, part: Cells) -> None:
    """Add the sums of other measures; the cells of `part` are given away."""
    if not cells:
        cells.update(part)
        return
    for cell, held in part.items():
        known = cells.get(cell)
        if known is None:
            cells[cell] = held
        else:
            known.update(held)


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


def add_into(target: dict[Any, Any], held: dict[Any, Any]) -> None:
    """Add one cell's sums to another's; of a peak the larger counts."""
    for key, value in held.items():
        if isinstance(key, Measure) and key.is_peak:
            found = [one for one in (target.get(key), value) if one is not None]
            target[key] = max(found, default=None)
        elif isinstance(value, dict):
            slots = target.setdefault(key, {})
            for slot, count in value.items():
                slots[slot] = slots.get(slot, 0) + count
        else:
            target[key] = target.get(key, 0) + value


def note_combination(formulas: Iterable[Formula], piece: Slice) -> None:
    """What was asked by several dimensions at once and could come from a rollup will do so before long."""
    combination = combinations.combination_of([*piece.group_by, *piece.filters])
    if piece.days is None or len(combination) < 2:
        return
    wished = replace(piece, combined=dict.fromkeys(CUBES, combination))
    parts = [part for formula in formulas for part in formula.parts() if not isinstance(part, People)]
    sources = {part.source for part in parts if is_rolled(part, wished) and not is_rolled(part, piece)}
    combinations.ask(sources, combination, piece.days, piece.now)
    combinations.touch(piece.combined, piece.now)
