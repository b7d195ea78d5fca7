"""Saving what an owner or admin changed, with its audit entry, and asking for history to follow."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Organization

# Fields that facts were computed with: a change makes them be computed anew.
DERIVES_FACTS = frozenset({"idle_gap_minutes", "grounding_expected", "return_window_hours"})


def save_with_audit(form: Any, request: HttpRequest) -> None:
    """Save a model form, record before and after, and request a recompute where facts depend on it."""
    row = form.instance
    before = audit.snapshot(type(row).objects.get(pk=row.pk)) if row.pk else None
    form.save()
    verb = "created" if before is None else "changed"
    audit.record(
        f"{audit.thing_of(row)}.{verb}",
        audit.target_of(row),
        request=request,
        before=before,
        after=audit.snapshot(row),
    )
    if before is not None and DERIVES_FACTS & set(form.changed_data):
        request_recompute()


def request_recompute() -> None:
    """Have the facts of the active organisation rebuilt in the background, from the first event on."""
    Organization.objects.update(recompute_requested_at=timezone.now(), recomputed_to=None)
