"""Partitions of the event table: weeks, from the longest retention to two weeks ahead."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

LONGEST_RETENTION_DAYS = 400


def ensure_partitions() -> int:
    """Create missing weeks and drop those past the longest retention; returns how many were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT llm_maintain_partitions(%s, %s)", [timezone.now().date(), LONGEST_RETENTION_DAYS]
        )
        (made,) = cursor.fetchone() or (0,)
    return int(made)
