"""Events that were sealed: packed a thousand to a row, a column of each as one compressed array.

A row of `events_event` with its indexes takes some 530 bytes, a sealed event some 60, because PostgreSQL compresses
arrays of like values well. Only what nobody looks for by an id of its own is sealed (see
`conversations.sealing`); for adding up, sealed events and rows are one table: `stored`.
See docs/decisions/0008-sealed-events.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from apps.events.columns import COLUMNS, NAMES

EVENTS_A_PACK: Final = 1_000
# All events of a pack lie in one week in UTC.
WEEK: Final = timedelta(days=7)
# What all events of a pack have in common.
SHARED: Final = ("organization_id", "project_id")
# An id that was derived is a hash: as text forty bytes that nothing compresses, as a UUID and a number twenty.
DERIVED: Final = r"^sha256:[0-9a-f]{40}$"
DERIVED_ID: Final = (
    "'sha256:' || encode(uuid_send(u.derived_id), 'hex') || lpad(to_hex(u.derived_end), 8, '0')"
)
EVENT_ID: Final = f"coalesce(u.event_id, {DERIVED_ID})"
# As `normalize.event_key_of`; a row with another key is not sealed.
KEY: Final = "left(encode(sha256(convert_to({project_id} || ':' || {event_id}, 'UTF8')), 'hex'), 32)::uuid"

# Array columns of a pack by name: their type, and what stands in them of a row `e`.
ARRAYS: Final[dict[str, tuple[str, str]]] = {
    "derived_id": ("uuid", f"CASE WHEN e.event_id ~ '{DERIVED}' THEN substr(e.event_id, 8, 32)::uuid END"),
    "derived_end": (
        "integer",
        f"CASE WHEN e.event_id ~ '{DERIVED}' THEN ('x' || substr(e.event_id, 40))::bit(32)::integer END",
    ),
    "event_id": ("text", f"CASE WHEN e.event_id !~ '{DERIVED}' THEN e.event_id END"),
    "data": ("text", "e.data::text"),
    **{
        name: (kind.removesuffix(" NOT NULL"), f"e.{name}")
        for name, kind in COLUMNS.items()
        if name not in (*SHARED, "event_key", "event_id", "data")
    },
}

# Packs the events that a CTE `gone` holds, of all columns.
PACK: Final = f"""
INSERT INTO events_sealed (organization_id, project_id, n, first_at, last_at, low, high, has_agent_runs, responses,
    people, {", ".join(ARRAYS)})
SELECT organization_id, project_id, count(*), min(at), max(at), min(place), max(place),
    bool_or(name = 'agent_run'),
    array_agg(DISTINCT hashtext(response_id)) FILTER (WHERE name = 'llm_response_generated' AND response_id IS NOT NULL),
    array_agg(DISTINCT hashtext(user_id)) FILTER (WHERE user_id IS NOT NULL),
    {", ".join(f"CASE WHEN count({sql}) > 0 THEN array_agg({sql} ORDER BY line) END" for _, sql in ARRAYS.values())}
FROM (
    SELECT *, row_number() OVER (PARTITION BY project_id ORDER BY place, session_id, at) - 1 AS line
    FROM (SELECT *, hashtextextended(session_id, 0) AS place FROM gone) placed
) e
GROUP BY organization_id, project_id, line / {EVENTS_A_PACK}
"""


def unpacked(columns: tuple[str, ...], where: str) -> str:
    """A query of these columns of sealed events `u` in packs `s` that fulfil `where`."""
    selected = ", ".join(f"{_column(name)} AS {name}" for name in columns)
    arrays = _arrays(columns, where)
    said = ", ".join(f"s.{name}" for name in arrays)
    return (
        f"SELECT {selected} FROM events_sealed s CROSS JOIN LATERAL unnest({said}) AS u({', '.join(arrays)}) "
        f"WHERE {where}"
    )


def _column(name: str) -> str:
    if name in SHARED:
        return f"s.{name}"
    if name == "event_id":
        return EVENT_ID
    if name == "event_key":
        return KEY.format(project_id="s.project_id", event_id=EVENT_ID)
    return "u.data::jsonb" if name == "data" else f"u.{name}"


def _arrays(columns: Iterable[str], where: str) -> list[str]:
    """The arrays that are read, and no other; times are never null, so that no event is left out."""
    wanted = {"at", *columns, *re.findall(r"\bu\.(\w+)", where)}
    if wanted & {"event_id", "event_key"}:
        wanted |= {"event_id", "derived_id", "derived_end"}
    return [name for name in ARRAYS if name in wanted]


def stored(columns: Iterable[str], where: str = "true") -> str:
    """SQL of a FROM item with these columns of all events, rows and sealed ones in packs `s` that fulfil `where`.

    The caller's conditions decide which events count; `where` only keeps packs from being read in vain.
    """
    names = tuple(sorted(set(columns) | {"organization_id", "at"}))
    return f"(SELECT {', '.join(names)} FROM events_event UNION ALL {unpacked(names, where)})"


def between(start: datetime | None, end: datetime | None) -> str:
    """The condition on packs `s` that may hold events of `start ≤ at < end`."""
    parts = ["true"]
    if start is not None:
        parts.append(f"s.last_at >= '{start.isoformat()}'::timestamptz")
    if end is not None:
        parts.append(f"s.first_at < '{end.isoformat()}'::timestamptz")
        parts.append(f"s.last_at < '{(end + WEEK).isoformat()}'::timestamptz")
    return " AND ".join(parts)


def unseal_sql(where: str) -> str:
    """SQL that turns the packs `s` that fulfil `where` into rows again."""
    selected = ", ".join(_column(name) for name in NAMES)
    said = ", ".join(f"s.{name}" for name in ARRAYS)
    return (
        f"WITH s AS (DELETE FROM events_sealed s WHERE {where} RETURNING s.*) INSERT INTO events_event ({', '.join(NAMES)}) "
        f"SELECT {selected} FROM s CROSS JOIN LATERAL unnest({said}) AS u({', '.join(ARRAYS)})"
    )
