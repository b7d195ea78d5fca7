"""Counting distinct users from their daily sets: whole local days, one dimension beside project and environment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from apps.core.rls import CURRENT
from apps.metrics import facts
from apps.metrics.facts import Cell, Group, Slice
from apps.metrics.query import NONE
from apps.metrics.rollups import bitmap
from apps.metrics.rollups.bitmap import Users
from apps.metrics.rollups.cube import CARRIED
from apps.metrics.rollups.fold import TOTAL
from apps.metrics.rollups.read import GROUPS
from apps.metrics.rollups.sets import CUBE

Days = tuple[date, date]
ONE = "r.organization_id = d.organization_id AND r.day = d.day AND r.project_id = d.project_id AND r.environment = d.environment"


def serves(piece: Slice, having: str | None = None) -> bool:
    """Whether users of the slice can be counted from sets; `having`: only events with a value of that dimension."""
    further = _further(piece, having)
    return piece.days is not None and len(further) <= 1 and further <= CUBE.dimensions.keys()


def distinct(
    windows: list[Days], piece: Slice, keep: list[Group] | None, having: str | None = None
) -> dict[Cell, int]:
    """Exact distinct users by (window, group), as the events would give them; a window is `first ≤ day < end`.

    A cell of one day and one set says itself how many it holds; only sets that must be joined are fetched.
    """
    held, parameters = rows(windows, piece, keep, having)
    names = "".join(f", g{place}" for place in range(len(piece.group_by)))
    counted = facts.fetch(
        f"SELECT day{names}, sum(n), max(held) > 1 FROM (SELECT day{names}, chunk, sum(n) AS n, count(*) AS held "
        f"FROM ({held}) r GROUP BY day{names}, chunk) c GROUP BY day{names}",
        parameters,
    )
    sizes = {
        (day, tuple(group)): None if is_shared else int(users) for day, *group, users, is_shared in counted
    }
    single = {number for number, (first, end) in enumerate(windows) if (end - first).days == 1}
    found: dict[Cell, int] = {}
    joined: list[int] = []
    for number, (first, _) in enumerate(windows):
        cells = {group: users for (day, group), users in sizes.items() if day == first}
        if number not in single or None in cells.values():
            joined.append(number)
        else:
            found |= {(number, group): users for group, users in cells.items() if users}
    return found | _joined(joined, windows, (held, names, parameters))


def _joined(
    numbers: list[int], windows: list[Days], asked: tuple[str, str, dict[str, Any]]
) -> dict[Cell, int]:
    """The windows whose sets overlap: joined by group and chunk; chunks share nobody."""
    if not numbers:
        return {}
    held, names, parameters = asked
    sets: dict[tuple[Group, int], dict[date, list[Users]]] = defaultdict(lambda: defaultdict(list))
    bounds = [windows[number] for number in numbers]
    wanted = " OR ".join(f"(day >= '{first}' AND day < '{end}')" for first, end in _merged(bounds))
    for day, *group, chunk, bits in facts.fetch(
        f"SELECT day{names}, chunk, bits FROM ({held}) r WHERE {wanted}", parameters
    ):
        sets[tuple(group), chunk][day].append(bitmap.read(bytes(bits)))
    found: dict[Cell, int] = defaultdict(int)
    for (cell_group, _), days in sets.items():
        for number in numbers:
            first, end = windows[number]
            union = bitmap.Union()
            for day, parts in days.items():
                if first <= day < end:
                    for users in parts:
                        union.add(users)
            found[number, cell_group] += len(union)
    return {cell: users for cell, users in found.items() if users}


def _merged(bounds: Iterable[Days]) -> Iterator[Days]:
    """Windows that touch, as one."""
    open_first: date | None = None
    open_end: date | None = None
    for first, end in sorted(bounds):
        if open_first is None or open_end is None:
            open_first, open_end = first, end
        elif first <= open_end:
            open_end = max(open_end, end)
        else:
            yield open_first, open_end
            open_first, open_end = first, end
    if open_first is not None and open_end is not None:
        yield open_first, open_end


def _further(piece: Slice, having: str | None) -> set[str]:
    return {*piece.group_by, *piece.filters, *([having] if having else [])} - CARRIED


def rows(
    windows: list[Days], piece: Slice, keep: list[Group] | None, having: str | None
) -> tuple[str, dict[str, Any]]:
    """SQL of the sets that count: day, g0…, chunk, n, bits; and its parameters."""
    further = next(iter(_further(piece, having)), TOTAL)
    parameters: dict[str, Any] = {
        "first_day": min(first for first, _ in windows),
        "end_day": max(end for _, end in windows),
        "dimension": further,
    }
    said = _condition(piece, parameters)
    columns = [GROUPS.get(name, f"coalesce(nullif(r.value, ''), '{NONE}')") for name in piece.group_by]
    named = facts.kept(columns, keep, parameters)
    selected = "".join(f", {column} AS g{place}" for place, column in enumerate(named))
    values = piece.filters.get(further)
    parameters["values"] = ["" if value == NONE else value for value in values or ()]
    of_value = "r.dimension = %(dimension)s" + (
        " AND r.value = ANY(%(values)s)" if values is not None else ""
    )
    if having:
        of_value += " AND r.value <> ''"
    held = f"SELECT * FROM metrics_activeusers r WHERE {said} AND {of_value}"
    if further != TOTAL and not having and (values is None or "" in parameters["values"]):
        # Where the dimension never had a value on a day, everybody was active without one.
        held += (
            f" UNION ALL SELECT * FROM metrics_activeusers r WHERE {said} AND r.dimension = '{TOTAL}' "
            f"AND NOT EXISTS (SELECT FROM metrics_activeusers d WHERE d.dimension = %(dimension)s AND {ONE})"
        )
    return f"SELECT r.day{selected}, r.chunk, r.n, r.bits FROM ({held}) r", parameters


def _condition(piece: Slice, parameters: dict[str, Any]) -> str:
    parts = [f"r.organization_id = {CURRENT} AND r.day >= %(first_day)s AND r.day < %(end_day)s"]
    if "project" in piece.filters:
        parameters["projects"] = facts.project_ids(piece.filters["project"])
        parts.append("r.project_id = ANY(%(projects)s)")
    if "environment" in piece.filters:
        parameters["environments"] = list(piece.filters["environment"])
        parts.append("r.environment = ANY(%(environments)s)")
    else:
        parts.append("r.environment <> 'test'")
    return " AND ".join(parts)
