"""Finding sealed events again, by session, response or person, and turning them into rows again.

All events of a pack have sessions with a stored row, and lie within an hour of its times: so these say which packs to
read. Whatever may move a session's first event later or its last one earlier unseals the session first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from apps.core.rls import CURRENT
from apps.events.models import Batch
from apps.events.sealed import unpacked, unseal_sql

Key = tuple[int, str]

# A session's sealed events may lie this far outside of its stored row's times.
MARGIN: Final = timedelta(hours=1)
# No pack holds events of two weeks.
WEEK: Final = timedelta(days=7)
MINE: Final = f"s.organization_id = {CURRENT}"


def sealed_until() -> datetime | None:
    """The time of the active organisation's last sealed event, None where nothing is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(s.last_at) FROM events_sealed s WHERE {MINE}")
        (last,) = cursor.fetchone() or (None,)
    return last


def packs_of(keys: Iterable[Key]) -> list[int]:
    """Packs that may hold events of these sessions, found by the times of their stored rows."""
    if (last := sealed_until()) is None:
        return []
    wanted = sorted(set(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.project_id, hashtextextended(s.session_id, 0), s.started_at, s.last_event_at "
            "FROM unnest(%s::bigint[], %s::text[]) AS k(project_id, session_id) JOIN conversations_session s "
            f"ON {MINE} AND s.project_id = k.project_id AND s.session_id = k.session_id WHERE s.started_at <= %s "
            "ORDER BY 1, 2",
            [[project_id for project_id, _ in wanted], [name for _, name in wanted], last + MARGIN],
        )
        sessions = list(cursor.fetchall())
        if not sessions:
            return []
        cursor.execute(
            f"SELECT s.id, s.project_id, s.low, s.high, s.first_at, s.last_at FROM events_sealed s WHERE {MINE} "
            "AND s.last_at BETWEEN %s AND %s",
            [min(row[2] for row in sessions) - MARGIN, max(row[3] for row in sessions) + MARGIN + WEEK],
        )
        packs = cursor.fetchall()
    places = [row[:2] for row in sessions]
    return [
        pack_id
        for pack_id, project_id, low, high, first_at, last_at in packs
        if any(
            started_at - MARGIN <= last_at and first_at <= last_event_at + MARGIN
            for _, _, started_at, last_event_at in sessions[
                bisect_left(places, (project_id, low)) : bisect_right(places, (project_id, high))
            ]
        )
    ]


def of_sessions(
    columns: tuple[str, ...], keys: Iterable[Key], since: datetime | None = None
) -> list[tuple[Any, ...]]:
    """Columns of the sealed events of these sessions (and of others of the same name), from `since` on."""
    wanted = list(keys)
    if not (packs := packs_of(wanted)):
        return []
    condition, parameters = (
        f"{MINE} AND s.id = ANY(%s) AND u.session_id = ANY(%s)",
        [packs, sorted({name for _, name in wanted})],
    )
    if since is not None:
        condition, parameters = condition + " AND u.at >= %s", [*parameters, since]
    return _fetch(unpacked(columns, condition), parameters)


def of_responses(columns: tuple[str, ...], response_ids: list[str]) -> list[tuple[Any, ...]]:
    """Columns of the sealed responses with these ids."""
    if sealed_until() is None:
        return []
    condition = (
        f"{MINE} AND s.responses && (SELECT array_agg(hashtext(id)) FROM unnest(%s::text[]) AS id) "
        "AND u.response_id = ANY(%s) AND u.name = 'llm_response_generated'"
    )
    return _fetch(unpacked(columns, condition), [response_ids, response_ids])


def of_people(
    columns: tuple[str, ...], user_ids: list[str], since: datetime, until: datetime
) -> list[tuple[Any, ...]]:
    """Columns of the sealed events of these users with `since ≤ at ≤ until`."""
    condition = (
        f"{MINE} AND s.last_at >= %s AND s.first_at <= %s AND u.user_id = ANY(%s) AND u.at BETWEEN %s AND %s"
    )
    return _fetch(unpacked(columns, condition), [since, until, user_ids, since, until])


def unseal_batches(batches: Iterable[Batch]) -> None:
    """Turn events of these batches into rows again, and all others of their sessions: times of these may change."""
    for batch in batches:
        if batch.first_at is None or batch.last_at is None:
            continue
        condition = f"{MINE} AND s.last_at >= %s AND s.first_at <= %s AND %s = ANY(s.batch_id)"
        parameters = [batch.first_at, batch.last_at, batch.pk]
        touched = _fetch(
            unpacked(("project_id", "session_id"), condition + " AND u.batch_id = %s"),
            [*parameters, batch.pk],
        )
        packs = packs_of(set(touched))
        _execute(unseal_sql(condition), parameters)
        _execute(unseal_sql(f"{MINE} AND s.id = ANY(%s)"), [packs])
        # No pack begins more than a week before its last event.
        _execute(
            f"UPDATE events_sealing SET sealed_to = least(sealed_to, %s) WHERE organization_id = {CURRENT}",
            [batch.first_at - WEEK],
        )


def unseal_all() -> None:
    """Turn all sealed events into rows again."""
    _execute(unseal_sql(MINE), [])
    _execute(f"DELETE FROM events_sealing WHERE organization_id = {CURRENT}", [])


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _fetch(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
