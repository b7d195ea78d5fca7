"""Finding sealed events again, by session, response or person, and turning them into rows again.

All events of a pack have sessions with a stored row, and lie within an hour of its times: so these say which packs to
read. Where settling is about to narrow or remove a stored row, its packs are unsealed first (`unseal_narrowed`).

Digests hold the lock that sealing waits for. A page that reads without it may miss an event for one request if a
withdrawal unseals it between two of its queries.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from apps.conversations.rows import Key
from apps.core.rls import CURRENT
from apps.events.models import Batch
from apps.events.sealed import WEEK, unpacked, unseal_sql

# A session's sealed events may lie this far outside of its stored row's times.
MARGIN: Final = timedelta(hours=1)
MINE: Final = f"s.organization_id = {CURRENT}"


def sealed_until() -> datetime | None:
    """The time of the active organisation's last sealed event, None where nothing is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(s.last_at) FROM events_sealed s WHERE {MINE}")
        (last,) = cursor.fetchone() or (None,)
    return last


def packs_of(keys: Iterable[Key]) -> list[int]:
    """Packs that may hold events of these sessions, found by the times of their stored rows."""
    sessions = _stored(keys)
    if not sessions:
        return []
    held = _fetch(
        f"SELECT s.id, s.project_id, s.low, s.high, s.first_at, s.last_at FROM events_sealed s WHERE {MINE} "
        "AND s.last_at BETWEEN %s AND %s",
        [min(row[2] for row in sessions) - MARGIN, max(row[3] for row in sessions) + MARGIN + WEEK],
    )
    places = [row[:2] for row in sessions]
    return [
        pack_id
        for pack_id, project_id, low, high, first_at, last_at in held
        if any(
            started_at - MARGIN <= last_at and first_at <= last_event_at + MARGIN
            for _, _, started_at, last_event_at, _ in sessions[
                bisect_left(places, (project_id, low)) : bisect_right(places, (project_id, high))
            ]
        )
    ]


def _stored(keys: Iterable[Key]) -> list[tuple[int, int, datetime, datetime, str]]:
    """Project, place in packs, times and id of the stored rows of these sessions that begin before the last sealed
    event, in order."""
    if (last := sealed_until()) is None:
        return []
    wanted = sorted(set(keys))
    return _fetch(
        "SELECT s.project_id, hashtextextended(s.session_id, 0), s.started_at, s.last_event_at, s.session_id "
        "FROM unnest(%s::bigint[], %s::text[]) AS k(project_id, session_id) JOIN conversations_session s "
        f"ON {MINE} AND s.project_id = k.project_id AND s.session_id = k.session_id WHERE s.started_at <= %s "
        "ORDER BY 1, 2",
        [[project_id for project_id, _ in wanted], [name for _, name in wanted], last + MARGIN],
    )


def _packs_with(column: str, values: list[str], since: datetime | None = None) -> list[int]:
    """Packs, of those that reach to `since`, in whose hashes one of these values may be."""
    # Joined, because the operator that compares arrays looks at every pair.
    rows = _fetch(
        f"SELECT DISTINCT s.id FROM events_sealed s CROSS JOIN LATERAL unnest(s.{column}) AS held(hash) "
        "JOIN (SELECT hashtext(value) AS hash FROM unnest(%s::text[]) AS value) wanted USING (hash) "
        f"WHERE {MINE} AND s.last_at >= coalesce(%s, '-infinity'::timestamptz)",
        [values, since],
    )
    return [pack_id for (pack_id,) in rows]


def of_sessions(
    columns: tuple[str, ...], keys: Iterable[Key], since: datetime | None = None
) -> list[tuple[Any, ...]]:
    """Columns of the sealed events of these sessions (and of others of the same name), from `since` on."""
    wanted = list(keys)
    if not (found := packs_of(wanted)):
        return []
    condition = f"{MINE} AND s.id = ANY(%s) AND u.session_id = ANY(%s)"
    parameters: list[Any] = [found, sorted({name for _, name in wanted})]
    if since is not None:
        condition += " AND u.at >= %s"
        parameters.append(since)
    return _fetch(unpacked(columns, condition), parameters)


def of_responses(columns: tuple[str, ...], response_ids: list[str]) -> list[tuple[Any, ...]]:
    """Columns of the sealed responses with these ids."""
    if not response_ids or not (found := _packs_with("responses", response_ids)):
        return []
    condition = f"{MINE} AND s.id = ANY(%s) AND u.response_id = ANY(%s) AND u.name = 'llm_response_generated'"
    return _fetch(unpacked(columns, condition), [found, response_ids])


def of_people(columns: tuple[str, ...], user_ids: list[str], since: datetime) -> list[tuple[Any, ...]]:
    """Columns of the sealed events of these users from `since` on."""
    if not (found := _packs_with("people", user_ids, since)):
        return []
    condition = f"{MINE} AND s.id = ANY(%s) AND u.user_id = ANY(%s) AND u.at >= %s"
    return _fetch(unpacked(columns, condition), [found, user_ids, since])


def unseal_batches(batches: Iterable[Batch]) -> None:
    """Turn the packs that hold events of these batches into rows again."""
    for batch in batches:
        if batch.first_at is not None and batch.last_at is not None:
            _unseal(
                f"{MINE} AND s.last_at BETWEEN %s AND %s AND s.first_at <= %s AND %s = ANY(s.batch_id)",
                [batch.first_at, batch.last_at + WEEK, batch.last_at, batch.pk],
            )


def unseal_narrowed(times: Mapping[Key, tuple[datetime, datetime] | None]) -> None:
    """Turn events of sessions into rows again whose stored row is about to begin later, end earlier or vanish (None):
    they might not be found any more."""
    narrowed = []
    for project_id, _, started_at, last_event_at, session_id in _stored(times):
        new = times[project_id, session_id]
        if new is None or new[0] > started_at or new[1] < last_event_at:
            narrowed.append((project_id, session_id))
    if narrowed and (found := packs_of(narrowed)):
        _unseal(f"{MINE} AND s.id = ANY(%s)", [found])


def unseal_all() -> None:
    """Turn all sealed events into rows again."""
    _unseal(MINE, [])


def _unseal(where: str, parameters: list[Any]) -> None:
    """Turn the packs `s` that fulfil `where` into rows again; sealing will go back to them."""
    ((first_at,),) = _fetch(f"SELECT min(s.first_at) FROM events_sealed s WHERE {where}", parameters)
    if first_at is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(unseal_sql(where), parameters)
        cursor.execute(
            f"UPDATE events_sealing SET sealed_to = least(sealed_to, %s) WHERE organization_id = {CURRENT}",
            [first_at],
        )


def _fetch(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
