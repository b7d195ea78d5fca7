"""What stands behind a number: its parts with their sums, and the rows or people that were counted."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from apps.accounts.models import Organization
from apps.core.time_buckets import edges
from apps.metrics import adding, facts, people
from apps.metrics.answers import number_json
from apps.metrics.catalogue import Metric
from apps.metrics.facts import Slice
from apps.metrics.formulas import Number, money
from apps.metrics.formulas.base import Part
from apps.metrics.grid import make_grid
from apps.metrics.measures.measure import STORED, Histogram, Measure
from apps.metrics.measures.people import People
from apps.metrics.query import BadQuery, Query
from apps.metrics.series import slice_of

MAX_ROWS = 200
SIDES = ("numerator", "denominator")
PART: Final = re.compile(r"part-(\d{1,2})")
# The time of the last row that was listed, its place in the table and its id: rows of one event, or of
# sessions of one name in two projects, share time and id.
CURSOR = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT[0-9:.]+\+00:00)\|(?P<place>[0-9a-f]{1,32})\|(?P<id>.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows of a question's days (of the last point's window, where points look back), ungrouped."""

    piece: Slice
    zone: ZoneInfo
    days: int

    @property
    def window(self) -> tuple[datetime, datetime]:
        return self.piece.edges[0], self.piece.edges[-1]

    @property
    def minutes(self) -> float:
        """Minutes of the window that have passed."""
        start, end = self.window
        return max(0.0, (min(end, self.piece.now) - start).total_seconds() / 60)


def whole_of(organization: Organization, metric: Metric, query: Query, now: datetime) -> Whole:
    zone = organization.zone
    starts = edges(query.start, query.end, "total", zone)
    grid = make_grid(starts, zone, query.rolling_days or metric.formula.window_days())
    piece = slice_of(replace(query, group_by=()), grid, now, zone)
    ends = [piece.edges[0], piece.edges[-1]]
    days = [piece.days[0], piece.days[-1]] if piece.days else None
    return Whole(replace(piece, edges=ends, days=days), zone, grid.days)


def titled(metric: Metric) -> list[Part]:
    """The parts of a formula that its words name."""
    return [part for part in dict.fromkeys(metric.formula.parts()) if part.title]


def parts(metric: Metric, whole: Whole) -> list[dict[str, Any]]:
    """Every part of the formula: its title, what it adds up to (a distribution: how many values it holds, money
    as a decimal string), its unit, whether rollups or facts told, and the `side` that lists its rows."""
    formula, piece = metric.formula, whole.piece
    sums = adding.sums(formula.measures(), piece).get((0, ()), {})
    slots = adding.slots(formula.histograms(), piece).get((0, ()), {})
    found: list[dict[str, Any]] = []
    for number, part in enumerate(titled(metric), 1):
        value: Number
        if isinstance(part, Measure):
            value = shown(part, sums.get(part, None if part.is_peak else 0))
        elif isinstance(part, Histogram):
            value = sum(slots.get(part, {}).values())
        else:
            value = _heads(part, whole)
        found.append(
            {
                "side": f"part-{number}",
                "title": part.title,
                "value": number_json(value),
                "unit": part.unit if isinstance(part, Measure) else "",
                "answered_from": "rollups" if adding.is_rolled(part, piece) else "facts",
            }
        )
    return found


def _heads(part: People, whole: Whole) -> int:
    crowd = people.Crowd([whole.window], whole.piece, whole.zone, None)
    found = people.count(part, crowd).get((0, ()), 0)
    return sum(found.values()) if isinstance(found, dict) else int(found)


def shown(part: Part, stored: Any) -> Number:
    """A stored amount in the unit of its part; money is exact."""
    unit = part.unit if isinstance(part, Measure) else ""
    if stored is None or not unit:
        return None if stored is None else int(stored)
    return money(int(stored)) if unit == "usd" else int(stored) / STORED[unit]


def part_of(metric: Metric, side: str) -> Part | None:
    """The part that a side lists; None where it counts none of its own. Raises `BadQuery`."""
    if side in SIDES:
        return metric.formula.behind()[SIDES.index(side)]
    match, named = PART.fullmatch(side), titled(metric)
    number = int(match[1]) if match else 0
    if not 1 <= number <= len(named):
        asked = ", ".join([*SIDES, *(f"part-{place}" for place in range(1, len(named) + 1))])
        raise BadQuery(400, "bad_side", f"side: must be one of {asked}.")
    return named[number - 1]


def rows_behind(
    metric: Metric, whole: Whole, side: str, limit: int = 50, cursor: str = ""
) -> dict[str, Any] | None:
    """The rows that a side of the formula counts, newest first, or the people, by id; None where it counts none.

    Rows hold ids and amounts, never text. `next` goes on after the last one. Raises `BadQuery`.
    """
    part = part_of(metric, side)
    if part is None:
        return None
    if isinstance(part, People):
        return _people_behind(part, whole, limit, cursor)
    source, piece = part.source, whole.piece
    parameters = piece.parameters()
    condition = f"{facts.where(source, piece, parameters)} AND ({part.where})"
    head = f"SELECT {source.identity}, f.{source.time}, f.session_id, f.project_id, {_amount(part)}, {source.place} "
    counted = source.rows(condition, packs=piece.packs)
    total = facts.fetch(f"SELECT count(*) FROM {counted} WHERE {condition}", parameters)[0][0]
    after = ""
    if cursor:
        after = (
            f" AND (f.{source.time}, {source.identity}, {source.place}) < "
            "(%(after_at)s, %(after_id)s, %(after_place)s)"
        )
        parameters |= _after(cursor)
    rows = facts.fetch(
        f"{head}FROM {source.rows(head, condition, packs=piece.packs)} WHERE {condition}{after} "
        f"ORDER BY 2 DESC, 1 DESC, 6 DESC LIMIT {limit + 1}",
        parameters,
    )
    listed = [_row(row[0], row[1], row[2], row[3], shown(part, row[4])) for row in rows[:limit]]
    following = _cursor(rows[limit - 1]) if len(rows) > limit else None
    return {"of": part.title, "row": source.row, "count": total, "rows": listed, "next": following}


def _people_behind(part: People, whole: Whole, limit: int, cursor: str) -> dict[str, Any]:
    members = people.members(part, whole.piece, whole.window, whole.zone)
    first = bisect_right(members, cursor) if cursor else 0
    page = members[first : first + limit]
    return {
        "of": part.title,
        "row": "user",
        "count": len(members),
        "rows": [_row(user, None, None, None, 1) for user in page],
        "next": page[-1] if first + limit < len(members) else None,
    }


def _row(
    identity: str, at: datetime | None, session: str | None, project: int | None, value: Number
) -> dict[str, Any]:
    return {
        "id": identity,
        "at": at.isoformat() if at else None,
        "session_id": session,
        "project_id": project,
        "value": number_json(value),
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
