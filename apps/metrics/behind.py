"""What stands behind a number: its parts with their sums, and the rows that were counted."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from apps.accounts.models import Organization
from apps.core.time_buckets import edges
from apps.metrics import adding, facts
from apps.metrics.catalogue import Metric
from apps.metrics.facts import Slice
from apps.metrics.grid import make_grid
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.query import BadQuery, Query
from apps.metrics.rollups import values

MAX_ROWS = 200
SIDES = ("numerator", "denominator")
# The time of the last row that was listed, its place in the table and its id: rows of one event, or of
# sessions of one name in two projects, share time and id.
CURSOR = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT[0-9:.]+\+00:00)\|(?P<place>\(\d{1,9},\d{1,4}\))\|(?P<id>.+)", re.DOTALL
)


def slice_of(organization: Organization, metric: Metric, query: Query, now: datetime) -> Slice:
    """All rows of the query's days (of the last point's window, where points look back), ungrouped."""
    zone = organization.zone
    starts = edges(query.start, query.end, "total", zone)
    grid = make_grid(starts, zone, query.rolling_days or metric.formula.window_days())
    return Slice(
        edges=[grid.edges[0], grid.edges[-1]],
        group_by=(),
        filters=query.filters,
        now=now,
        agent_projects=facts.projects_with_agent_runs(),
        full=values.full_dimensions() & query.filters.keys(),
    )


def parts(metric: Metric, piece: Slice) -> list[dict[str, Any]]:
    """Every additive part of the formula: its title and its sum in stored units (money in 1e-9 USD,
    times in µs), and how many values each distribution holds."""
    formula = metric.formula
    sums = adding.sums(formula.measures(), piece).get((0, ()), {})
    slots = adding.slots(formula.histograms(), piece).get((0, ()), {})
    found: list[dict[str, Any]] = [
        {"title": one.title, "value": _number(sums.get(one, None if one.is_peak else 0))}
        for one in formula.measures()
        if one.title
    ]
    return found + [
        {"title": one.title, "value": sum(slots.get(one, {}).values())} for one in formula.histograms()
    ]


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def rows_behind(
    metric: Metric, piece: Slice, side: str, limit: int = 50, cursor: str = ""
) -> dict[str, Any] | None:
    """The rows that one side of the formula counts, newest first; None where it counts none of its own.

    Rows hold ids and amounts, never text. `next` goes on after the last one. Raises `BadQuery`.
    """
    part = metric.formula.behind()[SIDES.index(side)]
    if part is None:
        return None
    source = part.source
    parameters = piece.parameters()
    condition = f"{facts.where(source, piece, parameters)} AND ({part.where})"
    total = facts.fetch(f"SELECT count(*) FROM {source.table} f WHERE {condition}", parameters)[0][0]
    after = ""
    if cursor:
        after = (
            f" AND (f.{source.time}, {source.identity}, f.ctid) < "
            "(%(after_at)s, %(after_id)s, %(after_place)s::tid)"
        )
        parameters |= _after(cursor)
    rows = facts.fetch(
        f"SELECT {source.identity}, f.{source.time}, f.session_id, f.project_id, {_amount(part)}, f.ctid::text "
        f"FROM {source.table} f WHERE {condition}{after} ORDER BY 2 DESC, 1 DESC, f.ctid DESC LIMIT {limit + 1}",
        parameters,
    )
    return {
        "of": part.title,
        "row": source.row,
        "count": total,
        "rows": [
            {
                "id": row[0],
                "at": row[1].isoformat(),
                "session_id": row[2],
                "project_id": row[3],
                "value": _number(row[4]),
            }
            for row in rows[:limit]
        ],
        "next": _cursor(rows[limit - 1]) if len(rows) > limit else None,
    }


def _amount(part: Measure | Histogram) -> str:
    """What a row adds; 1 where rows are counted."""
    return f"({part.value})" if part.value else "1"


def _cursor(row: tuple[Any, ...]) -> str:
    return f"{row[1].isoformat()}|{row[5]}|{row[0]}"


def _after(cursor: str) -> dict[str, Any]:
    match = CURSOR.fullmatch(cursor)
    try:
        at = datetime.fromisoformat(match["at"]) if match else None
    except ValueError:
        at = None
    if match is None or at is None:
        raise BadQuery(400, "bad_cursor", "cursor: must be the `next` of an earlier answer.")
    return {"after_at": at, "after_id": match["id"], "after_place": match["place"]}
