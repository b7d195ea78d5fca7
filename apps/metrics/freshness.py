"""How much of what was acknowledged the numbers already show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone

from apps.accounts.models import Organization
from apps.conversations.load import first_event_at, last_event_at
from apps.events.models import Batch, BatchState
from apps.metrics.rollups import keep


@dataclass(frozen=True, slots=True)
class Freshness:
    """`fresh_at`: everything acknowledged until then is in every number. Failed batches stay pending;
    a requested rebuild counts as one."""

    pending_batches: int
    oldest_pending_seconds: float
    fresh_at: datetime


def rebuilding() -> tuple[int, int] | None:
    """(days done, days in all) while history is computed anew, else None."""
    organization = Organization.objects.get()
    if organization.recompute_requested_at is None:
        return keep.progress()
    first, last = first_event_at(), last_event_at()
    if first is None or last is None:
        return None
    reached = organization.recomputed_to or first
    return (reached - first).days, (last - first).days + 1


def freshness() -> Freshness:
    """Freshness of the active organisation. Sessions close on reading, so that only batches can be pending."""
    now = timezone.now()
    pending = Batch.objects.filter(state__in=[BatchState.PENDING, BatchState.WITHDRAWING]).aggregate(
        batches=Count("id"), oldest=Min("received_at")
    )
    requested_at = Organization.objects.values_list("recompute_requested_at", flat=True).get()
    waiting = [at for at in (pending["oldest"], requested_at) if at is not None]
    if not waiting:
        return Freshness(0, 0.0, now)
    oldest = min(waiting)
    batches = pending["batches"] + (requested_at is not None)
    return Freshness(batches, max(0.0, (now - oldest).total_seconds()), min(oldest, now))
