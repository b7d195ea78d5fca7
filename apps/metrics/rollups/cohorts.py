"""Who came, stayed and left, from the daily sets of users: whole local days, one dimension beside project and environment.

A user is new on the first day whose set holds them. Every user has one first day, so that the new users of days add up,
and sets of the same group and chunk are all that is needed at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_

from apps.metrics import facts
from apps.metrics.facts import Cell, Group, Slice
from apps.metrics.measures.people import People
from apps.metrics.rollups import bitmap
from apps.metrics.rollups.users import Days, rows

DAY = timedelta(days=1)
Daily = dict[date, int]  # the set of users of a day, a bit each


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """Who was active on a local day up to some moment of it, by group and chunk; later days do not count."""

    day: date
    users: dict[tuple[Group, int], int]


@dataclass(frozen=True, slots=True)
class Asked:
    """The windows (`first ≤ day < end`), the slice, its groups, and the local day that is not over.

    `until` is for who had come up to a moment: matured is new, as if nothing had happened since.
    """

    windows: list[Days]
    piece: Slice
    keep: list[Group] | None
    today: date
    until: PartOfDay | None = None


def count(part: People, asked: Asked) -> dict[Cell, int]:
    """Users by (window, group), as the events would give them; part is before, lost, new, cohort, retained or matured."""
    found: dict[Cell, int] = defaultdict(int)
    find = _before if part.kind in ("before", "lost") else _new
    for group, days in _daily(part, asked):
        for number, users in find(part, asked, days):
            found[number, group] += users
    return {cell: users for cell, users in found.items() if users}


def _daily(part: People, asked: Asked) -> Iterable[tuple[Group, Daily]]:
    """The sets that are needed, by group and chunk: who is new depends on every day before."""
    first = min(first for first, _ in asked.windows)
    last = max(end for _, end in asked.windows)
    bounds = (
        (first - part.days * DAY, last)
        if part.kind in ("before", "lost")
        else (date.min, min(last, asked.until.day) if asked.until else last + part.days * DAY)
    )
    sql, parameters = rows([bounds], asked.piece, asked.keep, None)
    found: dict[tuple[Group, int], Daily] = defaultdict(lambda: defaultdict(int))
    names = "".join(f", g{place}" for place in range(len(asked.piece.group_by)))
    for day, *group, chunk, bits in facts.fetch(f"SELECT day{names}, chunk, bits FROM ({sql}) r", parameters):
        found[tuple(group), chunk][day] |= bitmap.mask(bytes(bits))
    if asked.until:
        for key, users in asked.until.users.items():
            found[key][asked.until.day] = users
    return ((group, days) for (group, _), days in found.items())


def _before(part: People, asked: Asked, days: Daily) -> Iterator[tuple[int, int]]:
    for number, (first, end) in enumerate(asked.windows):
        earlier = _union(days, first - part.days * DAY, first)
        if part.kind == "lost":
            earlier &= ~_union(days, first, end)
        yield number, earlier.bit_count()


def _union(days: Daily, first: date, end: date) -> int:
    return reduce(or_, (users for day, users in days.items() if first <= day < end), 0)


def _new(part: People, asked: Asked, days: Daily) -> Iterator[tuple[int, int]]:
    fresh = _fresh(part, asked, days)
    for number, (first, end) in enumerate(asked.windows):
        yield number, sum(users for day, users in fresh.items() if first <= day < end)


def _fresh(part: People, asked: Asked, days: Daily) -> dict[date, int]:
    """New users by day; of a cohort once the day after it is over, of the retained who was there on it."""
    found: dict[date, int] = {}
    seen = 0
    for day in sorted(days):
        users, seen = days[day] & ~seen, seen | days[day]
        back = day + part.days * DAY
        if part.kind in ("cohort", "retained") and back >= asked.today:
            continue
        if part.kind == "retained":
            users &= days.get(back, 0)
        found[day] = users.bit_count()
    return found
