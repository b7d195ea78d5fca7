"""Answering from rollups: local days and at most one dimension beside project and environment.

Rollups hold every session as if it were closed. What is still open at `now` is read from the facts
twice, as settled and as of now, and the difference is put right: a few sessions, whatever the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from apps.core.rls import CURRENT
from apps.metrics import facts
from apps.metrics.facts import Cell, Slice
from apps.metrics.measures import events
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.query import NONE
from apps.metrics.rollups.combinations import combination_of, name_of
from apps.metrics.rollups.cube import CARRIED, CUBES, Cube
from apps.metrics.rollups.fold import TOTAL
from apps.metrics.sources import GENERATION, SESSION, Source

OPEN_SESSIONS: Final = (
    "f.session_id = ANY(ARRAY(SELECT s.session_id FROM conversations_session s "
    f"WHERE s.organization_id = {CURRENT} AND s.closed_at > %(as_of)s))"
)
OPEN: Final[Mapping[Source, str]] = {
    SESSION: "f.closed_at > %(as_of)s",
    GENERATION: f"({OPEN_SESSIONS} OR (f.session_id IS NULL AND f.at > %(as_of)s))",
}
GROUPS: Final = {
    "environment": "r.environment",
    "project": "(SELECT p.name FROM accounts_project p WHERE p.organization_id = r.organization_id AND p.id = r.project_id)",
}
NOW: Final = "%(now)s"
SETTLED_MOMENT: Final = "infinity"
COUNT_BITS: Final = 32
COUNT_MASK: Final = 2**32 - 1


def serves(source: Source, piece: Slice, measures: Iterable[Measure] = ()) -> bool:
    """Whether these measures of a source can be answered from rollups."""
    cube = CUBES.get(source.table)
    if piece.days is None or cube is None:
        return False
    further = {*piece.group_by, *piece.filters} - CARRIED
    if not further <= cube.dimensions.keys():
        return False
    if len(further) > 1 and source.table not in piece.combined:
        return False
    if len(further) == 1 and any({"", NONE} & set(piece.filters.get(name, ())) for name in further):
        return False
    return all(measure in cube.measures or measure is events.agent_runs for measure in measures)


def serves_slots(histogram: Histogram, piece: Slice) -> bool:
    """The same for a histogram; nothing puts slots right, so that none of its parts may ask for the time."""
    source = histogram.source
    asked = [histogram.where, *(source.dimensions[name] for name in {*piece.group_by, *piece.filters})]
    return not any("%(now)s" in sql for sql in asked) and serves(source, piece)


def sums(source: Source, measures: list[Measure], piece: Slice) -> dict[Cell, dict[Any, Any]]:
    """Sums by (bucket, group), as the facts would give them."""
    cube = CUBES[source.table]
    columns = ", ".join(["sum(r.n)", *(_column(cube, measure) for measure in measures)])
    added: dict[Cell, list[int]] = {}
    for cell, sign, row in _rows(cube, "metrics_rollup", columns, piece):
        target = added.get(cell)
        if target is None:
            added[cell] = [sign * int(value) for value in row]
        else:
            for place, value in enumerate(row):
                target[place] += sign * int(value)
    found = {cell: dict(zip(measures, row[1:], strict=True)) for cell, row in added.items() if row[0]}
    timed = [measure for measure in measures if _is_timed(measure, source, piece)]
    if timed:
        _put_right(found, source, timed, piece)
    return found


def _is_timed(measure: Measure, source: Source, piece: Slice) -> bool:
    """Whether it depends on the clock: by its own condition, or by a dimension that does."""
    used = [source.dimensions[name] for name in {*piece.group_by, *piece.filters}]
    return source in OPEN and any(NOW in sql for sql in (measure.where, measure.value, *used))


def _column(cube: Cube, measure: Measure) -> str:
    if measure is events.agent_runs:
        runs, answers = (cube.place(one) for one in events.RUNS)
        return (
            f"coalesce(sum(r.sums[{runs}] + CASE WHEN r.project_id = ANY(%(agent_projects)s) "
            f"THEN 0 ELSE r.sums[{answers}] END), 0)"
        )
    return f"coalesce(sum(r.sums[{cube.place(measure)}]), 0)"


def _put_right(
    found: dict[Cell, dict[Any, Any]], source: Source, measures: list[Measure], piece: Slice
) -> None:
    """Replace what open sessions would be by what they are."""
    for sign, moment in ((-1, SETTLED_MOMENT), (1, piece.now)):
        seen = facts.sums_of(source, measures, piece, OPEN[source], {"as_of": piece.now, "now": moment})
        for cell, held in seen.items():
            target = found.setdefault(cell, {})
            for measure, value in held.items():
                target[measure] = target.get(measure, 0) + sign * int(value)


def slots(histogram: Histogram, piece: Slice) -> dict[Cell, dict[int, int]]:
    """Counts by slot for each (bucket, group)."""
    cube = CUBES[histogram.source.table]
    only = f" AND r.histogram = {cube.histogram_number(histogram)}"
    parts: dict[Cell, list[tuple[int, dict[int, int]]]] = {}
    last: Any = None
    counts: dict[int, int] = {}
    for cell, sign, (packed,) in _rows(cube, "metrics_rollupslots", "r.slots", piece, only, is_added=False):
        # A row comes twice where it is taken from the total.
        if packed is not last:
            counts = {one >> COUNT_BITS: one & COUNT_MASK for one in packed}
            last = packed
        parts.setdefault(cell, []).append((sign, counts))
    return {cell: merged for cell, signed in parts.items() if (merged := _merge_slots(signed))}


def _merge_slots(signed: list[tuple[int, dict[int, int]]]) -> dict[int, int]:
    """Counts by slot of rows that are added or taken away; empty where nothing is left."""
    if len(signed) == 1 and signed[0][0] > 0:
        return signed[0][1]
    # No count is ever below zero: where they add up to nothing, each slot does.
    if not sum(sign * sum(counts.values()) for sign, counts in signed):
        return {}
    merged: dict[int, int] = {}
    for sign, counts in signed:
        for slot, count in counts.items():
            merged[slot] = merged.get(slot, 0) + sign * count
    return {slot: count for slot, count in merged.items() if count}


def _rows(
    cube: Cube, table: str, columns: str, piece: Slice, only: str = "", *, is_added: bool = True
) -> Iterator[tuple[Cell, int, tuple[Any, ...]]]:
    """(cell, sign, columns): what has no value in a dimension is the total minus all that has one."""
    further = combination_of([*piece.group_by, *piece.filters])
    if len(further) > 1:
        yield from _combined_rows(cube, table, columns, piece, only, is_added=is_added)
        return
    name = further[0] if further else TOTAL
    has_rest = name in piece.group_by and name not in piece.filters
    keys = ["r.dimension", *(GROUPS.get(one, "r.value") for one in piece.group_by)]
    if has_rest and piece.keep is not None:
        (value,) = facts.folded(["r.value"], piece)
        keys = ["r.dimension", f"CASE WHEN r.dimension = '{TOTAL}' THEN '' ELSE {value} END"]
    named = [name, TOTAL][: 1 + has_rest]
    values = dict.fromkeys(further, "r.value")
    for bucket, dimension, *rest in _fetch(cube, table, keys, columns, named, piece, values, only, is_added):
        group = tuple(rest[: len(piece.group_by)])
        row = tuple(rest[len(piece.group_by) :])
        if not has_rest:
            yield (bucket, group), 1, row
            continue
        place = piece.group_by.index(name)
        without = (*group[:place], NONE, *group[place + 1 :])
        if dimension == TOTAL:
            yield (bucket, without), 1, row
        else:
            yield (bucket, group), 1, row
            yield (bucket, without), -1, row


def _combined_rows(
    cube: Cube, table: str, columns: str, piece: Slice, only: str, *, is_added: bool
) -> Iterator[tuple[Cell, int, tuple[Any, ...]]]:
    """The same from a combination, whose rows say '' where a dimension has no value."""
    combination = piece.combined[cube.source.table]
    values = {name: f"(r.value::text[])[{place}]" for place, name in enumerate(combination, 1)}
    keys = [
        GROUPS[name] if name in GROUPS else f"coalesce(nullif({values[name]}, ''), '{NONE}')"
        for name in piece.group_by
    ]
    keys = facts.folded(keys, piece)
    named = [name_of(combination)]
    for bucket, *rest in _fetch(cube, table, keys, columns, named, piece, values, only, is_added):
        yield (bucket, tuple(rest[: len(keys)])), 1, tuple(rest[len(keys) :])


def _fetch(
    cube: Cube,
    table: str,
    keys: list[str],
    columns: str,
    dimensions: list[str],
    piece: Slice,
    values: Mapping[str, str],
    only: str,
    is_added: bool,
) -> list[tuple[Any, ...]]:
    """Rows of a rollup table: bucket, keys, columns; added up by bucket and keys where `is_added`."""
    days = piece.days or []
    parameters = {**piece.parameters(), "days": days, "dimensions": dimensions}
    keys = ["width_bucket(r.day, %(days)s::date[]) - 1", *keys]
    grouping = f" GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}" if is_added else ""
    sql = (
        f"SELECT {', '.join(keys)}, {columns} FROM {table} r WHERE r.organization_id = {CURRENT} "
        f"AND r.source = {cube.number} AND r.dimension = ANY(%(dimensions)s) "
        f"AND r.day >= (%(days)s::date[])[1] AND r.day < (%(days)s::date[])[{len(days)}]"
        f"{_filters(piece, values, parameters)}{only}{grouping}"
    )
    return facts.fetch(sql, parameters)


def _filters(piece: Slice, columns: Mapping[str, str], parameters: dict[str, Any]) -> str:
    """Conditions on rows `r`; `columns` is where the value of each further dimension stands."""
    parts = []
    for name, values in piece.filters.items():
        # A combination writes '' where there is no value.
        parameters[f"filter_{name}"] = ["" if value == NONE else value for value in values]
        if name == "project":
            parameters[f"filter_{name}"] = facts.project_ids(values)
            parts.append(" AND r.project_id = ANY(%(filter_project)s)")
        elif name == "environment":
            parts.append(" AND r.environment = ANY(%(filter_environment)s)")
        else:
            parts.append(f" AND {columns[name]} = ANY(%(filter_{name})s)")
    if "environment" not in piece.filters:
        parts.append(" AND r.environment <> 'test'")
    return "".join(parts)
