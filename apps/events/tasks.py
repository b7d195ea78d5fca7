"""Background work on storage."""

from __future__ import annotations

from celery import shared_task

from apps.events.storage import compact_partitions, ensure_partitions


@shared_task(ignore_result=True)
def maintain_storage() -> None:
    """Make the coming weeks' partitions, end those past the longest retention, and take back room in old ones."""
    ensure_partitions()
    compact_partitions()
