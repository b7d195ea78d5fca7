"""Counting people over windows: who was active, new, retained, lost, and how soon they found value.

People are read from the events of the slice. A user is new where the slice first sees them, so that
a filter and a group mean the same. What a new user achieves (an activation, a goal, a verified
session) counts wherever in the project and environment it happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.rls import CURRENT
from apps.core.time_buckets import days_between, local_day, local_midnight
from apps.events.sealed import between
from apps.metrics import facts
from apps.metrics.facts import Cell, Group, Slice
from apps.metrics.formulas import LOG_GROWTH
from apps.metrics.measures.people import People
from apps.metrics.query import OTHER
from apps.metrics.rollups import bitmap, cohorts, users
from apps.metrics.rollups.values import DIGESTED
from apps.metrics.sources import EVENT, SESSION

ANYWHERE = frozenset({"project", "environment"})
# As an index of its own has them: few among all events, and never sealed.
ACHIEVED = "f.name IN ('goal_completed', 'activation') AND f.user_id IS NOT NULL"
Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Whose people are counted: the windows, the slice, and which groups are kept apart."""

    windows: list[Window]
    piece: Slice
    zone: ZoneInfo
    keep: list[Group] | None
    # Whether people are listed by their ids instead of counted.
    is_listed: bool = False

    def heads(self, user: str) -> str:
        """The aggregate over rows of one `user` each."""
        return f"array_agg({user})" if self.is_listed else "count(*)"


def count(part: People, crowd: Crowd) -> dict[Cell, Any]:
    """Numbers (or slots) by (window, group); nothing for a cell without anybody."""
    return COUNTERS[part.kind](part, crowd)


def members(part: People, piece: Slice, window: Window, zone: ZoneInfo) -> list[str]:
    """Ids of the people of a window, in order."""
    found = count(part, Crowd([window], replace(piece, group_by=()), zone, None, is_listed=True))
    held = found.get((0, ()), {} if part.is_slotted else [])
    return sorted(chain.from_iterable(held.values()) if isinstance(held, dict) else held)


def _active(part: People, crowd: Crowd) -> dict[Cell, Any]:
    return dict(_distinct(crowd))


def _distinct(crowd: Crowd, having: str | None = None) -> dict[Cell, int]:
    """Distinct users by window and group, of events with a value of the dimension `having` if one is named."""
    if not crowd.is_listed and users.serves(crowd.piece, having):
        windows = [(local_day(start, crowd.zone), local_day(end, crowd.zone)) for start, end in crowd.windows]
        return users.distinct(windows, crowd.piece, crowd.keep, having)
    only = f"{EVENT.dimensions[having]} IS NOT NULL" if having else "true"
    heads = "array_agg(DISTINCT f.user_id)" if crowd.is_listed else "count(DISTINCT f.user_id)"
    return facts.distinct_users(crowd.windows, crowd.piece, crowd.keep, only, heads)


def _everyone(part: People, crowd: Crowd) -> dict[Cell, Any]:
    """Active users whatever the feature, under every group that has the same other values."""
    piece = crowd.piece
    filters = {name: values for name, values in piece.filters.items() if name != "feature"}
    rest = tuple(name for name in piece.group_by if name != "feature")
    places = [piece.group_by.index(name) for name in rest]
    all_groups = replace(crowd, keep=None)
    whole = _distinct(replace(all_groups, piece=replace(piece, filters=filters, group_by=())))
    apart = _distinct(replace(all_groups, piece=replace(piece, filters=filters, group_by=rest)))
    found: dict[Cell, Any] = {}
    for number, group in _adopters(part, crowd):
        inner = (number, tuple(group[place] for place in places))
        is_rest = crowd.keep is not None and set(group) == {OTHER}
        found[number, group] = whole.get((number, ()), 0) if is_rest else apart.get(inner, 0)
    for (number, _), heads in whole.items():
        if not piece.group_by:
            found[number, ()] = heads
    return found


def _adopters(part: People, crowd: Crowd) -> dict[Cell, Any]:
    return dict(_distinct(crowd, having="feature"))


def _from_sets(part: People, crowd: Crowd, moment: datetime | None = None) -> dict[Cell, Any] | None:
    """What the daily sets of users tell of the windows, up to a moment if one is given; None where only the events do."""
    if crowd.is_listed or not users.serves(crowd.piece):
        return None
    windows = [(local_day(start, crowd.zone), local_day(end, crowd.zone)) for start, end in crowd.windows]
    today = local_day(crowd.piece.now, crowd.zone)
    until = _part_of_day(crowd, moment) if moment else None
    asked = cohorts.Asked(windows, crowd.piece, crowd.keep, today, until)
    return cohorts.count(part, asked)


def _part_of_day(crowd: Crowd, moment: datetime) -> cohorts.PartOfDay:
    """Who was active on the moment's local day up to it, from the events."""
    parameters, columns, condition = _slice(crowd)
    day = local_day(moment, crowd.zone)
    midnight = local_midnight(day, crowd.zone)
    parameters |= {"midnight": midnight, "moment": moment}
    said = f"{condition} AND f.at >= %(midnight)s AND f.at <= %(moment)s AND {DIGESTED}"
    events = EVENT.rows(
        _as(columns), said, "f.user_id", packs=between(midnight, moment + timedelta(microseconds=1))
    )
    sql = (
        f"SELECT u.number >> {bitmap.CHUNK_BITS}{_as(columns)}, array_agg(DISTINCT u.number & {bitmap.CHUNK - 1}) "
        f"FROM {events} JOIN metrics_usernumber u ON u.organization_id = {CURRENT} AND u.user_id = f.user_id "
        f"WHERE {said} GROUP BY 1{_names(columns)}"
    )
    held = {
        (group, chunk): bitmap.mask(bitmap.add(b"", places))
        for (chunk, group), places in _cells(sql, parameters).items()
    }
    return cohorts.PartOfDay(day, held)


def _before(part: People, crowd: Crowd) -> dict[Cell, Any]:
    """Active in the days before each window; of these, for `lost`, only who is not in it."""
    if (told := _from_sets(part, crowd)) is not None:
        return told
    parameters, columns, condition = _slice(crowd)
    parameters["earlier"] = [
        local_midnight(local_day(start, crowd.zone) - timedelta(days=part.days), crowd.zone)
        for start, _ in crowd.windows
    ]
    names = _names(columns)
    bounds = between(min(parameters["earlier"], default=None), max(parameters["ends"], default=None))
    events = EVENT.rows(_as(columns), condition, "f.user_id", packs=bounds)
    sql = (
        f"SELECT number - 1{names}, {crowd.heads('user_id')} FROM (SELECT w.number{_as(columns)}, f.user_id, "
        "bool_or(f.at < w.a) AS was_there, bool_or(f.at >= w.a) AS is_there "
        "FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(earlier)s::timestamptz[]) "
        f"WITH ORDINALITY AS w(a, b, earlier, number) JOIN {events} ON f.at >= w.earlier AND f.at < w.b "
        f"WHERE {condition} AND f.user_id IS NOT NULL GROUP BY w.number{names}, f.user_id) people "
        f"WHERE was_there{' AND NOT is_there' if part.kind == 'lost' else ''} GROUP BY number{names}"
    )
    return _cells(sql, parameters)


def _new(part: People, crowd: Crowd) -> dict[Cell, Any]:
    told = _from_sets(part, crowd)
    return _newcomers(crowd, "", "true", {}) if told is None else told


def _matured(part: People, crowd: Crowd) -> dict[Cell, Any]:
    more: dict[str, Any] = {"span": timedelta(days=part.days)}
    condition = "p.first_at + %(span)s <= %(now)s"
    among = ""
    if part.kind == "matured":
        told = _from_sets(part, crowd, crowd.piece.now - timedelta(days=part.days))
        if told is not None:
            return told
    if part.kind == "activated":
        said = facts.where(EVENT, _anywhere(crowd.piece), more, bounded=False)
        among = f"SELECT f.user_id FROM {EVENT.table} f WHERE {said} AND {ACHIEVED} AND f.name = 'activation'"
        condition += (
            f" AND EXISTS (SELECT 1 FROM {EVENT.table} f WHERE {said} AND f.name = 'activation' "
            "AND f.user_id = p.user_id AND f.at BETWEEN p.first_at AND p.first_at + %(span)s)"
        )
    return _newcomers(crowd, "", condition, more, among=among)


def _cohort(part: People, crowd: Crowd) -> dict[Cell, Any]:
    """New users by the local day they came on, once the day `days` later has ended."""
    if (told := _from_sets(part, crowd)) is not None:
        return told
    zone = crowd.zone
    first, last = local_day(crowd.windows[0][0], zone), local_day(crowd.windows[-1][1], zone)
    days = days_between(first, last + timedelta(days=1))
    more: dict[str, Any] = {
        name: [local_midnight(day + timedelta(days=later), zone) for day in days]
        for name, later in (
            ("day_start", 0),
            ("day_end", 1),
            ("back_start", part.days),
            ("back_end", part.days + 1),
        )
    }
    condition = "d.back_end <= %(now)s"
    if part.kind == "retained":
        parameters, columns, said = _slice(crowd)
        more.update({name: value for name, value in parameters.items() if name not in more})
        same = "".join(f" AND {column} = p.g{place}" for place, column in enumerate(columns))
        bounds = between(min(more["back_start"], default=None), max(more["back_end"], default=None))
        events = EVENT.rows(said, same, "f.user_id", packs=bounds)
        condition += (
            f" AND EXISTS (SELECT 1 FROM {events} WHERE {said} AND f.user_id = p.user_id{same} "
            "AND f.at >= d.back_start AND f.at < d.back_end)"
        )
    names = ", ".join(
        f"%({name})s::timestamptz[]" for name in ("day_start", "day_end", "back_start", "back_end")
    )
    join = (
        f" JOIN unnest({names}) AS d(day_start, day_end, back_start, back_end) "
        "ON p.first_at >= d.day_start AND p.first_at < d.day_end"
    )
    return _newcomers(crowd, join, condition, more)


def _time_to_value(part: People, crowd: Crowd) -> dict[Cell, Any]:
    more: dict[str, Any] = {"log_growth": LOG_GROWTH}
    piece = _anywhere(crowd.piece)
    said = facts.where(EVENT, piece, more, bounded=False)
    settled = facts.where(SESSION, piece, more, bounded=False)
    join = (
        f" JOIN LATERAL (SELECT min(at) AS at FROM (SELECT f.at FROM {EVENT.table} f WHERE {said} "
        f"AND f.user_id = p.user_id AND {ACHIEVED} AND f.at >= p.first_at "
        f"UNION ALL SELECT f.last_event_at FROM {SESSION.table} f WHERE {settled} AND f.user_id = p.user_id "
        "AND f.level = 'verified' AND f.closed_at <= %(now)s AND f.last_event_at >= p.first_at) achieved) v "
        "ON v.at IS NOT NULL"
    )
    among = (
        f"SELECT f.user_id FROM {EVENT.table} f WHERE {said} AND {ACHIEVED} UNION SELECT f.user_id "
        f"FROM {SESSION.table} f WHERE {settled} AND f.user_id IS NOT NULL AND f.level = 'verified'"
    )
    took = "(extract(epoch FROM v.at - p.first_at) * 1000000)"
    slot = f", CASE WHEN {took} > 0 THEN ceil(ln({took}::float8) / %(log_growth)s)::int ELSE -1 END"
    found: dict[Cell, Any] = defaultdict(dict)
    for (number, group), heads in _newcomers(crowd, join, "true", more, slot, among).items():
        found[number, group[:-1]][group[-1]] = heads
    return found


def _newcomers(
    crowd: Crowd, join: str, condition: str, more: dict[str, Any], also: str = "", among: str = ""
) -> dict[Cell, Any]:
    """People `p` whose first event lies in a window, by window, group and what `also` selects; only those that the
    query `among` names, where it is given."""
    parameters, columns, said = _slice(crowd)
    groups = "".join(f", p.g{place}" for place in range(len(columns)))
    by = ", ".join(str(number + 1) for number in range(1 + len(columns) + bool(also)))
    grouping = f"GROUP BY f.user_id{_names(columns)}"
    named = f" AND f.user_id IN ({among})" if among else ""
    # Whoever comes after the last window is in none.
    packs = between(None, max(parameters["ends"], default=None))
    sql = (
        f"WITH people AS (SELECT f.user_id{_as(columns)}, min(f.at) AS first_at "
        f"FROM {EVENT.rows(_as(columns), said, 'f.user_id', packs=packs)} "
        f"WHERE {said} AND f.user_id IS NOT NULL{named} {grouping}) "
        f"SELECT w.number - 1{groups}{also}, {crowd.heads('p.user_id')} "
        "FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS w(a, b, number) "
        f"JOIN people p ON p.first_at >= w.a AND p.first_at < w.b{join} WHERE {condition} GROUP BY {by}"
    )
    return _cells(sql, {**more, **parameters})


def _slice(crowd: Crowd) -> tuple[dict[str, Any], list[str], str]:
    """Parameters, grouping columns and condition of the slice over events, whatever their time."""
    parameters: dict[str, Any] = {
        **crowd.piece.parameters(),
        "starts": [start for start, _ in crowd.windows],
        "ends": [end for _, end in crowd.windows],
    }
    condition = facts.where(EVENT, crowd.piece, parameters, bounded=False)
    return parameters, facts.kept_columns(crowd.piece, crowd.keep, parameters), condition


def _anywhere(piece: Slice) -> Slice:
    return replace(piece, filters={key: value for key, value in piece.filters.items() if key in ANYWHERE})


def _as(columns: list[str]) -> str:
    return "".join(f", {column} AS g{place}" for place, column in enumerate(columns))


def _names(columns: list[str]) -> str:
    return "".join(f", g{place}" for place in range(len(columns)))


def _cells(sql: str, parameters: dict[str, Any]) -> dict[Cell, Any]:
    return {(row[0], tuple(row[1:-1])): row[-1] for row in facts.fetch(sql, parameters)}


COUNTERS: dict[str, Callable[[People, Crowd], dict[Cell, Any]]] = {
    "active": _active,
    "everyone": _everyone,
    "adopters": _adopters,
    "before": _before,
    "lost": _before,
    "new": _new,
    "cohort": _cohort,
    "retained": _cohort,
    "matured": _matured,
    "activated": _matured,
    "time_to_value": _time_to_value,
}
