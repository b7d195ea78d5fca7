"""Sealing events that have come to rest: those of two days ago and before, slab by slab in order of time.

What is looked for by an id of its own stays a row: reactions, what people achieved, failures, events without a session
and those of people who also send such. So everything sealed is found through its session (`packs`).
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from apps.conversations.digest import has_due, try_lock
from apps.conversations.packs import MARGIN
from apps.conversations.rows import ON_RESPONSE
from apps.core.rls import CURRENT
from apps.core.tenancy import tenant
from apps.events.sealed import KEY, PACK, WEEK

RESTS_AFTER: Final = timedelta(days=2)
EVENTS_A_SLAB: Final = 16_000
# Fewer would take more room packed than as rows.
FEWEST: Final = 100
# Events with more bytes of free fields are few, and a thousand of them might not fit into one array.
LARGEST_DATA: Final = 4_000
# Then digests have their turn.
TURN_S: Final = 3.0
STAYS_A_ROW: Final = tuple(sorted({*ON_RESPONSE, "goal_completed", "activation"}))
# Of events `e` and stored sessions `s`.
RESTING: Final = f"""
e.organization_id = {CURRENT} AND e.at >= %(start)s AND e.at < %(end)s AND e.name <> ALL(%(stays)s)
AND e.failed IS NOT TRUE AND (e.data IS NULL OR octet_length(e.data::text) <= {LARGEST_DATA})
AND s.organization_id = {CURRENT} AND s.project_id = e.project_id AND s.session_id = e.session_id
AND e.at BETWEEN s.started_at - %(margin)s AND s.last_event_at + %(margin)s
AND e.batch_id NOT IN (SELECT id FROM events_batch WHERE organization_id = {CURRENT} AND digested_at IS NULL)
AND (e.user_id IS NULL OR NOT EXISTS (SELECT FROM conversations_assignment a WHERE a.organization_id = {CURRENT}
    AND a.project_id = e.project_id AND a.user_id = e.user_id))
AND e.event_key = {KEY.format(project_id="e.project_id", event_id="e.event_id")}
"""


def seal_organization(organization_id: int, now: datetime | None = None) -> bool:
    """Seal what has come to rest by `now`, a slab a transaction, for one turn at most; returns whether more is left.

    Digests go first: one that is under way or due ends the turn.
    """
    turn_ends = time.monotonic() + TURN_S
    while time.monotonic() < turn_ends:
        with tenant(organization_id, durable=True):
            if has_due() or not try_lock():
                return True
            if not _seal_slab((now or timezone.now()) - RESTS_AFTER):
                return False
    return True


def _seal_slab(rested: datetime) -> bool:
    """Seal the next slab of rows that ends before `rested`; False where there is none."""
    start, digested_at = _progress()
    slab = _slab_from(start) if digested_at else None
    if slab is None or slab[1] > rested:
        return False
    parameters: dict[str, Any] = {
        "start": slab[0],
        "end": slab[1],
        "margin": MARGIN,
        "stays": list(STAYS_A_ROW),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.project_id FROM events_event e, conversations_session s WHERE {RESTING} "
            f"GROUP BY 1 HAVING count(*) >= {FEWEST}",
            parameters,
        )
        parameters["projects"] = [project_id for (project_id,) in cursor.fetchall()]
        if parameters["projects"]:
            gone = (
                f"DELETE FROM events_event e USING conversations_session s WHERE {RESTING} "
                "AND e.project_id = ANY(%(projects)s) RETURNING e.*"
            )
            cursor.execute(f"WITH gone AS ({gone}) {PACK}", parameters)
        cursor.execute(
            f"INSERT INTO events_sealing (organization_id, sealed_to, digested_at) VALUES ({CURRENT}, %s, %s) "
            "ON CONFLICT (organization_id) DO UPDATE SET sealed_to = excluded.sealed_to, "
            "digested_at = excluded.digested_at",
            [slab[1], digested_at],
        )
    return True


def _progress() -> tuple[datetime | None, datetime | None]:
    """Where to go on, and up to which digest all batches have been seen.

    Where batches were digested since that hold events from before, it goes back to these.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(s.sealed_to, b.first_at), coalesce(b.digested_at, s.digested_at) FROM (SELECT min(first_at) "
            f"AS first_at, max(digested_at) AS digested_at FROM events_batch WHERE organization_id = {CURRENT} "
            "AND accepted > 0 AND digested_at > coalesce((SELECT digested_at FROM events_sealing "
            f"WHERE organization_id = {CURRENT}), '-infinity')) b "
            f"LEFT JOIN events_sealing s ON s.organization_id = {CURRENT}"
        )
        start, digested_at = cursor.fetchone() or (None, None)
    return start, digested_at


def _slab_from(start: datetime | None) -> tuple[datetime, datetime] | None:
    """The next rows from `start` on, so many or those of one week in UTC; None where there is no row."""
    first, full = _rows_from(start)
    if first is None:
        return None
    # Weeks begin on Monday, as the partitions do.
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    week_end = midnight - timedelta(days=midnight.weekday()) + WEEK
    return first, min(full, week_end) if full is not None and full > first else week_end


def _rows_from(start: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Times of the first row from `start` on, and of the one that a full slab ends before."""
    condition = f"organization_id = {CURRENT}" + (" AND at >= %(start)s" if start else "")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT min(at) FROM events_event WHERE {condition}), "
            f"(SELECT at FROM events_event WHERE {condition} ORDER BY at OFFSET {EVENTS_A_SLAB} LIMIT 1)",
            {"start": start},
        )
        first, full = cursor.fetchone() or (None, None)
    return first, full
