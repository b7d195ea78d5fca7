"""What a user's other sessions do to a session: returning soon makes it unresolved, reaching a human
takes its deflection back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from apps.conversations.rows import Key
from apps.conversations.settle import Neighbours, Outline
from apps.core.rls import CURRENT

RESTART = timedelta(minutes=5)
RECURRENCE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Mark:
    """A session as its neighbours see it."""

    key: Key
    user_id: str
    started_at: datetime
    last_event_at: datetime
    human_reached_at: tuple[datetime, ...]
    is_returned: bool = False
    is_taken_back: bool = False
    is_restarted: bool = False
    is_recurring: bool = False


def mark_of(one: Outline) -> Mark | None:
    if one.user_id is None:
        return None
    return Mark(
        (one.project_id, one.session_id),
        one.user_id,
        one.started_at,
        one.last_event_at,
        tuple(one.human_reached_at),
    )


SELECT = """
SELECT project_id, session_id, user_id, started_at, last_event_at, human_reached_at,
    is_returned, is_taken_back, is_restarted, is_recurring
FROM conversations_session
"""


def _marks(where: str, parameters: list[Any]) -> list[Mark]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{SELECT} WHERE organization_id = {CURRENT} AND user_id IS NOT NULL AND {where}", parameters
        )
        return [
            Mark(
                (project_id, session_id),
                user_id,
                started_at,
                last_event_at,
                tuple(datetime.fromisoformat(text) for text in msgspec.json.decode(reached)),
                *flags,
            )
            for project_id, session_id, user_id, started_at, last_event_at, reached, *flags in cursor.fetchall()
        ]


def stored_marks(keys: Iterable[Key]) -> list[Mark]:
    """The sessions as they stand in the tables before a digest replaces them."""
    wanted = set(keys)
    rows = _marks("session_id = ANY(%s)", [sorted({session_id for _, session_id in wanted})])
    return [mark for mark in rows if mark.key in wanted]


def marks_around(marks: list[Mark], window: timedelta) -> list[Mark]:
    """Stored sessions of the same users whose fate these may change, or who may change theirs."""
    if not marks:
        return []
    reach = max(window, RESTART, RECURRENCE)
    first = min(mark.started_at for mark in marks) - reach
    last = max(at for mark in marks for at in (mark.last_event_at, *mark.human_reached_at)) + reach
    people = {(mark.key[0], mark.user_id) for mark in marks}
    rows = _marks(
        "user_id = ANY(%s) AND last_event_at >= %s AND started_at <= %s",
        [sorted({user_id for _, user_id in people}), first, last],
    )
    return [mark for mark in rows if (mark.key[0], mark.user_id) in people]


def judge(marks: Iterable[Mark], window: timedelta) -> Mapping[Key, Neighbours]:
    """For every session given: was there a return, was a human reached, in another session of the same
    user in the project, after this one's last event and at most `window` later; did such a session
    start within minutes; and did one start in the 30 days before."""
    by_person: dict[tuple[int, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        by_person[(mark.key[0], mark.user_id)].append(mark)
    judged: dict[Key, Neighbours] = {}
    for own in by_person.values():
        starts = sorted((mark.started_at, mark.key) for mark in own)
        reached = sorted((at, mark.key) for mark in own for at in mark.human_reached_at)
        for mark in own:
            judged[mark.key] = Neighbours(
                is_returned=_any_after(starts, mark, window),
                is_reached=_any_after(reached, mark, window),
                is_restarted=_any_after(starts, mark, RESTART),
                is_recurring=_any_within(starts, mark.started_at - RECURRENCE, mark.started_at),
            )
    return judged


def _any_after(times: list[tuple[datetime, Key]], mark: Mark, window: timedelta) -> bool:
    position = bisect_right(times, mark.last_event_at, key=lambda pair: pair[0])
    for at, key in times[position:]:
        if at > mark.last_event_at + window:
            return False
        if key != mark.key:
            return True
    return False


def _any_within(times: list[tuple[datetime, Key]], start: datetime, end: datetime) -> bool:
    """Whether one of the sorted times lies in `start ≤ t < end`."""
    position = bisect_left(times, start, key=lambda pair: pair[0])
    return position < len(times) and times[position][0] < end


def changed(
    touched: list[Mark], around: list[Mark], judged: Mapping[Key, Neighbours], window: timedelta
) -> list[Key]:
    """Stored sessions whose own row must change because of the touched ones.

    Only where a touched one lies in a session's reach: of a session further off not all neighbours
    were loaded, so that it can not be judged, and need not be.
    """
    starts: dict[tuple[int, str], list[tuple[datetime, Key]]] = defaultdict(list)
    times: dict[tuple[int, str], list[tuple[datetime, Key]]] = defaultdict(list)
    for mark in touched:
        person = (mark.key[0], mark.user_id)
        starts[person].append((mark.started_at, mark.key))
        times[person] += [(at, mark.key) for at in (mark.started_at, *mark.human_reached_at)]
    for pairs in (*starts.values(), *times.values()):
        pairs.sort()
    found: list[Key] = []
    for mark in around:
        person, now = (mark.key[0], mark.user_id), judged[mark.key]
        returned = (now.is_returned, now.is_reached, now.is_restarted)
        is_followed = _any_after(times[person], mark, max(window, RESTART))
        is_preceded = _any_within(starts[person], mark.started_at - RECURRENCE, mark.started_at)
        if (is_followed and returned != (mark.is_returned, mark.is_taken_back, mark.is_restarted)) or (
            is_preceded and now.is_recurring != mark.is_recurring
        ):
            found.append(mark.key)
    return sorted(found)
