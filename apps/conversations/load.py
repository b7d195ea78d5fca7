"""Reading the events that a digest touches, set-wise, inside the active organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from apps.conversations import packs
from apps.conversations.rows import COLUMNS, ON_RESPONSE, EventRow, Key
from apps.core.rls import CURRENT
from apps.events.sealed import between, unpacked

DECODER = msgspec.json.Decoder()


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _events(sql: str, parameters: list[Any]) -> list[EventRow]:
    return [_event(row) for row in _rows(sql, parameters)]


def _sealed(rows: list[tuple[Any, ...]]) -> list[EventRow]:
    return [_event((row[0].hex, *row[1:])) for row in rows]


def _event(row: Sequence[Any]) -> EventRow:
    """A row as selected by `COLUMNS`; jsonb arrives as text, which msgspec reads fastest."""
    return EventRow._make((*row[:-1], DECODER.decode(row[-1]) if row[-1] else {}))


def events_of_sessions(keys: Iterable[Key]) -> dict[Key, list[EventRow]]:
    """Events of sessions by (project, session), in order: sent with the session's id or assigned to it,
    and reactions sent elsewhere to its responses."""
    wanted = set(keys)
    if not wanted:
        return {}
    first_at = first_row_at()
    names = sorted({session_id for _, session_id in wanted})
    found: dict[Key, dict[str, EventRow]] = defaultdict(dict)
    sent = _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} AND e.at >= %s "
        "AND e.session_id = ANY(%s)",
        [first_at, names],
    )
    for row in [*sent, *_sealed(packs.of_sessions(EventRow._fields, wanted))]:
        key = (row.project_id, row.session_id or "")
        if key in wanted:
            found[key][row.event_key] = row
    for session_id, *columns in _rows(
        f"SELECT a.session_id, {COLUMNS} FROM conversations_assignment a JOIN events_event e "
        "ON e.organization_id = a.organization_id AND e.event_key = a.event_key AND e.user_id = a.user_id "
        f"AND e.session_id IS NULL AND e.at >= %s WHERE a.organization_id = {CURRENT} "
        "AND a.session_id = ANY(%s)",
        [first_at, names],
    ):
        row = _event(columns)
        key = (row.project_id, session_id)
        if key in wanted:
            found[key][row.event_key] = row
    bring_reactions(found, first_at)
    return {key: sorted(rows.values(), key=lambda row: row.order) for key, rows in found.items()}


def bring_reactions(found: dict[Key, dict[str, EventRow]], first_at: datetime) -> None:
    """Add reactions that name a response to that response's session or trace, wherever they were sent.

    `first_at`: see `first_row_at`.
    """
    home: dict[tuple[int, str], Key] = {}
    for key, rows in found.items():
        for row in rows.values():
            if row.name == "llm_response_generated" and row.response_id:
                home.setdefault((row.project_id, row.response_id), key)
    if not home:
        return
    named = sorted({response_id for _, response_id in home})
    reactions = _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} AND e.at >= %s "
        "AND e.response_id = ANY(%s) AND e.name <> 'llm_response_generated' AND e.name = ANY(%s)",
        [first_at, named, sorted(ON_RESPONSE)],
    )
    for row in reactions:
        target = home.get((row.project_id, row.response_id or ""))
        if target is not None:
            found[target].setdefault(row.event_key, row)


def homes_of_responses(targets: set[tuple[int, str]]) -> set[Key]:
    """Sessions (sent or derived) of the responses with these (project, response_id)."""
    if not targets:
        return set()
    names = sorted({response_id for _, response_id in targets})
    rows = _rows(
        "SELECT e.project_id, e.response_id, coalesce(e.session_id, a.session_id) FROM events_event e "
        "LEFT JOIN conversations_assignment a ON a.organization_id = e.organization_id AND a.event_key = e.event_key "
        f"WHERE e.organization_id = {CURRENT} AND e.name = 'llm_response_generated' AND e.response_id = ANY(%s)",
        [names],
    )
    elsewhere = {response_id for _, response_id in targets - {row[:2] for row in rows}}
    rows += packs.of_responses(("project_id", "response_id", "session_id"), sorted(elsewhere))
    return {
        (project_id, session_id)
        for project_id, response_id, session_id in rows
        if session_id is not None and (project_id, response_id) in targets
    }


def loose_events(batch_ids: list[int]) -> list[EventRow]:
    """Events of these batches that have neither session nor user."""
    return _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} AND e.batch_id = ANY(%s) "
        "AND e.session_id IS NULL AND e.user_id IS NULL",
        [batch_ids],
    )


def loose_responses(targets: set[tuple[int, str]]) -> list[EventRow]:
    """Responses with these (project, response_id) that have neither session nor user."""
    if not targets:
        return []
    rows = _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} AND e.response_id = ANY(%s) "
        "AND e.name = 'llm_response_generated' AND e.session_id IS NULL AND e.user_id IS NULL",
        [sorted({response_id for _, response_id in targets})],
    )
    return [row for row in rows if (row.project_id, row.response_id or "") in targets]


def loose_events_of_traces(traces: set[tuple[int, str]]) -> list[EventRow]:
    """Events with neither session nor user that belong to these (project, trace)."""
    if not traces:
        return []
    rows = _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} AND e.trace_id = ANY(%s) "
        "AND e.session_id IS NULL AND e.user_id IS NULL",
        [sorted({trace_id for _, trace_id in traces})],
    )
    return [row for row in rows if (row.project_id, row.trace_id or "") in traces]


def events_of_people(people: set[Key], since: datetime) -> dict[Key, list[tuple[EventRow, str | None]]]:
    """Events from `since` on of these (project, user) and of the sessions they appear in, in order,
    each with the derived session that it is assigned to now."""
    if not people:
        return {}
    names = sorted({user_id for _, user_id in people})
    own = _with_assignment("e.user_id = ANY(%s)", [names], since)
    own += [(row, None) for row in _sealed(packs.of_people(EventRow._fields, names, since))]
    found: dict[Key, dict[str, tuple[EventRow, str | None]]] = defaultdict(dict)
    appears: dict[Key, set[Key]] = defaultdict(set)
    for row, assigned in own:
        person = (row.project_id, row.user_id or "")
        if person not in people:
            continue
        found[person][row.event_key] = (row, assigned)
        if row.session_id:
            appears[(row.project_id, row.session_id)].add(person)
    if appears:
        sessions = sorted({session_id for _, session_id in appears})
        theirs = _with_assignment("e.session_id = ANY(%s)", [sessions], since)
        theirs += [(row, None) for row in _sealed(packs.of_sessions(EventRow._fields, appears, since))]
        for row, assigned in theirs:
            for person in appears.get((row.project_id, row.session_id or ""), ()):
                found[person].setdefault(row.event_key, (row, assigned))
    return {key: sorted(events.values(), key=lambda pair: pair[0].order) for key, events in found.items()}


def _with_assignment(where: str, parameters: list[Any], since: datetime) -> list[tuple[EventRow, str | None]]:
    rows = _rows(
        f"SELECT a.session_id, {COLUMNS} FROM events_event e LEFT JOIN conversations_assignment a "
        "ON a.organization_id = e.organization_id AND a.event_key = e.event_key "
        f"WHERE e.organization_id = {CURRENT} AND {where} AND e.at >= %s",
        [*parameters, since],
    )
    return [(_event(row[1:]), row[0]) for row in rows]


def people_with_assignments(people: set[Key]) -> set[Key]:
    """Those of these (project, user) that have events without a session."""
    if not people:
        return set()
    rows = _rows(
        "SELECT DISTINCT project_id, user_id FROM conversations_assignment "
        f"WHERE organization_id = {CURRENT} AND user_id = ANY(%s)",
        [sorted({user_id for _, user_id in people})],
    )
    return {(project_id, user_id) for project_id, user_id in rows} & people


def _between(start: datetime | None, end: datetime | None, row: str = "e") -> tuple[str, list[Any]]:
    sql, parameters = "", list[Any]()
    if start is not None:
        sql, parameters = sql + f" AND {row}.at >= %s", [*parameters, start]
    if end is not None:
        sql, parameters = sql + f" AND {row}.at < %s", [*parameters, end]
    return sql, parameters


def keys_between(start: datetime | None, end: datetime | None) -> tuple[set[Key], set[Key]]:
    """Sessions that were sent, and people with events without a session, in a range (None: open)."""
    bounds, parameters = _between(start, end)
    rows = _rows(
        "SELECT DISTINCT e.project_id, e.session_id, CASE WHEN e.session_id IS NULL THEN e.user_id END "
        f"FROM events_event e WHERE e.organization_id = {CURRENT}{bounds}",
        parameters,
    )
    sessions = {(project_id, session_id) for project_id, session_id, _ in rows if session_id}
    bounds, parameters = _between(start, end, "u")
    sealed = unpacked(("project_id", "session_id"), f"{packs.MINE} AND {between(start, end)}{bounds}")
    sessions |= set(_rows(f"SELECT DISTINCT * FROM ({sealed}) e", parameters))
    return sessions, {(project_id, user_id) for project_id, _, user_id in rows if user_id}


def derived_keys_between(start: datetime | None, end: datetime | None) -> set[Key]:
    """Derived sessions with an event in the range."""
    bounds, parameters = _between(start, end)
    return set(
        _rows(
            "SELECT DISTINCT a.project_id, a.session_id FROM conversations_assignment a JOIN events_event e "
            "ON e.organization_id = a.organization_id AND e.event_key = a.event_key AND e.user_id = a.user_id "
            f"WHERE a.organization_id = {CURRENT}{bounds}",
            parameters,
        )
    )


def loose_events_between(start: datetime | None, end: datetime | None) -> list[EventRow]:
    """Model calls and responses in the range that have neither session nor user."""
    bounds, parameters = _between(start, end)
    return _events(
        f"SELECT {COLUMNS} FROM events_event e WHERE e.organization_id = {CURRENT} "
        f"AND e.session_id IS NULL AND e.user_id IS NULL{bounds}",
        parameters,
    )


def first_row_at() -> datetime:
    """When the active organisation's first event was that is a row: no look-up needs to go into the weeks before."""
    ((first,),) = _rows(f"SELECT min(e.at) FROM events_event e WHERE e.organization_id = {CURRENT}", [])
    return first or datetime.max.replace(tzinfo=UTC)


def first_event_at() -> datetime | None:
    return _first_and_last()[0]


def last_event_at() -> datetime | None:
    return _first_and_last()[1]


def _first_and_last() -> tuple[datetime | None, datetime | None]:
    ((first, last),) = _rows(
        "SELECT least(e.first_at, s.first_at), greatest(e.last_at, s.last_at) FROM (SELECT min(at) AS first_at, "
        f"max(at) AS last_at FROM events_event WHERE organization_id = {CURRENT}) e, (SELECT min(s.first_at) AS "
        f"first_at, max(s.last_at) AS last_at FROM events_sealed s WHERE {packs.MINE}) s",
        [],
    )
    return first, last


def moment_after(start: datetime, events: int) -> datetime | None:
    """A time that has about this many events, and at least one, between itself and `start`; None where fewer are left.

    Sealed events count by the pack, at the time of its last one.
    """
    moments = _rows(
        f"(SELECT e.at, 1 FROM events_event e WHERE e.organization_id = {CURRENT} AND e.at >= %s ORDER BY e.at LIMIT %s) "
        f"UNION ALL (SELECT s.last_at, s.n FROM events_sealed s WHERE {packs.MINE} AND s.last_at >= %s "
        "ORDER BY s.last_at LIMIT %s) ORDER BY 1",
        [start, events + 1, start, events + 1],
    )
    seen = 0
    for at, count in moments:
        # So many events at one moment stay together.
        if seen >= events and at > start:
            return at  # type: ignore[no-any-return]
        seen += count
    if seen <= events:
        return None
    later = [at for at, _ in moments if at > start]
    return later[-1] if later else _next_after(start)


def _next_after(start: datetime) -> datetime | None:
    ((later,),) = _rows(
        f"SELECT min(e.at) FROM events_event e WHERE e.organization_id = {CURRENT} AND e.at > %s", [start]
    )
    return later  # type: ignore[no-any-return]


class Touched(msgspec.Struct):
    """What the events of some batches point at."""

    sessions: set[Key] = msgspec.field(default_factory=set)
    people: set[Key] = msgspec.field(default_factory=set)
    loners: set[Key] = msgspec.field(default_factory=set)
    targets: set[tuple[int, str]] = msgspec.field(default_factory=set)
    has_loose: bool = False
    first_at: datetime | None = None


def touched_by(batch_ids: list[int]) -> Touched:
    """Sessions, people (all, and those with events without a session) and reactions' targets."""
    touched = Touched()
    for project_id, session_id, user_id, target, first_at in _rows(
        "SELECT project_id, session_id, user_id, CASE WHEN name = ANY(%s) THEN response_id END, min(at) "
        f"FROM events_event WHERE organization_id = {CURRENT} AND batch_id = ANY(%s) GROUP BY 1, 2, 3, 4",
        [sorted(ON_RESPONSE), batch_ids],
    ):
        touched.first_at = min(touched.first_at or first_at, first_at)
        if session_id:
            touched.sessions.add((project_id, session_id))
        if user_id:
            touched.people.add((project_id, user_id))
            if not session_id:
                touched.loners.add((project_id, user_id))
        elif not session_id:
            touched.has_loose = True
        if target:
            touched.targets.add((project_id, target))
    return touched
