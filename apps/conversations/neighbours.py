"""What a user's other sessions do to a session: returning soon makes it unresolved, reaching a human
takes its deflection back."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from apps.conversations.load import ORGANIZATION, Key
from apps.conversations.settle import Neighbours, Outline


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
SELECT project_id, session_id, user_id, started_at, last_event_at, human_reached_at, is_returned, is_taken_back
FROM conversations_session
"""


def _marks(where: str, parameters: list[Any]) -> list[Mark]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{SELECT} WHERE organization_id = {ORGANIZATION} AND user_id IS NOT NULL AND {where}", parameters
        )
        return [
            Mark(
                (project_id, session_id),
                user_id,
                started_at,
                last_event_at,
                tuple(datetime.fromisoformat(text) for text in msgspec.json.decode(reached)),
                is_returned,
                is_taken_back,
            )
            for project_id, session_id, user_id, started_at, last_event_at, reached, is_returned, is_taken_back in (
                cursor.fetchall()
            )
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
    first = min(mark.started_at for mark in marks) - window
    last = max(at for mark in marks for at in (mark.last_event_at, *mark.human_reached_at)) + window
    people = {(mark.key[0], mark.user_id) for mark in marks}
    rows = _marks(
        "user_id = ANY(%s) AND last_event_at >= %s AND started_at <= %s",
        [sorted({user_id for _, user_id in people}), first, last],
    )
    return [mark for mark in rows if (mark.key[0], mark.user_id) in people]


def judge(marks: Iterable[Mark], window: timedelta) -> Mapping[Key, Neighbours]:
    """For every session given: was there a return, was a human reached, in another session of the same
    user in the project, after this one's last event and at most `window` later."""
    by_person: dict[tuple[int, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        by_person[(mark.key[0], mark.user_id)].append(mark)
    judged: dict[Key, Neighbours] = {}
    for own in by_person.values():
        starts = sorted((mark.started_at, mark.key) for mark in own)
        reached = sorted((at, mark.key) for mark in own for at in mark.human_reached_at)
        for mark in own:
            judged[mark.key] = Neighbours(
                is_returned=_any_after(starts, mark, window), is_reached=_any_after(reached, mark, window)
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
