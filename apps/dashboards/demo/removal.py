"""Removing the demo: every event, id, text, batch and fact of the demo project, at once."""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.models import Organization, Project
from apps.conversations.digest import forget_project, lock_and_wait
from apps.events.ledger import delete_project_events


def remove_demo(request: HttpRequest) -> int:
    """Remove the active organisation's demo data, in the caller's transaction; returns the events removed.

    The demo organisation stays, empty and no longer badged, and so does its project with the keys.
    In any other organisation the demo project goes too. A load or digest that runs meanwhile is
    waited for and finds nothing afterwards.
    """
    organization = Organization.objects.get()
    lock_and_wait()
    removed = 0
    for project in Project.objects.select_for_update().filter(is_demo=True):
        before = audit.snapshot(project)
        forget_project(project.pk)
        events = delete_project_events(project.pk)
        removed += events
        if organization.is_demo:
            project.is_demo = False
            project.save(update_fields=["is_demo"])
        else:
            project.delete()
        audit.record(
            "demo.removed", f"project {before['name']}: {events} events", before=before, request=request
        )
    if organization.is_demo:
        organization.is_demo = False
        organization.save(update_fields=["is_demo"])
    return removed
