"""Background work on storage."""

from __future__ import annotations

from celery import shared_task

from apps.events.storage import ensure_partitions


@shared_task(ignore_result=True)
def maintain_storage() -> None:
    """Make the coming weeks' partitions and end those past the longest retention."""
    ensure_partitions()
