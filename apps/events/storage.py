"""Partitions of the event table: weeks, from the longest retention to two weeks ahead."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.errors import LockNotAvailable

log = structlog.get_logger(__name__)

LONGEST_RETENTION_DAYS = 400
# Events are sealed two days after, small organisations' when their week is over.
SEALED_AFTER = timedelta(days=3)


def ensure_partitions() -> int:
    """Create missing weeks, drop those past the longest retention and packs as old; returns how many were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT llm_maintain_partitions(%s, %s)", [timezone.now().date(), LONGEST_RETENTION_DAYS]
        )
        (made,) = cursor.fetchone() or (0,)
    return int(made)


def compact_partitions() -> int:
    """Take back the room that sealed events left in weeks that are over; returns how many were written anew.

    One a transaction. Where others use a partition, it is left for the next time.
    """
    before = (timezone.now() - SEALED_AFTER).date()
    made = 0
    try:
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT llm_compact_partition(%s)", [before])
                if cursor.fetchone() != (1,):
                    return made
                made += 1
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.info("partition_in_use", compacted=made)
    return made
