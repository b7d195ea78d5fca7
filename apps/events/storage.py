"""Partitions of the event table: weeks, from the longest retention to two weeks ahead."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

LONGEST_RETENTION_DAYS = 400
# Events are sealed two days after, small organisations' when their week is over.
SEALED_AFTER = timedelta(days=3)


def ensure_partitions() -> int:
    """Create missing weeks and drop those past the longest retention; returns how many were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT llm_maintain_partitions(%s, %s)", [timezone.now().date(), LONGEST_RETENTION_DAYS]
        )
        (made,) = cursor.fetchone() or (0,)
    return int(made)


def compact_partitions() -> int:
    """Take back the room that sealed events left in weeks that are over; returns how many were written anew.

    A partition that others are reading is left for the next time (`OperationalError`).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT llm_compact_partitions(%s)", [(timezone.now() - SEALED_AFTER).date()])
        (made,) = cursor.fetchone() or (0,)
    return int(made)
