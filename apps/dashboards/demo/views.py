"""Trying the product with made-up traffic in one's own organisation, and getting rid of it again."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Member, configuring_required
from apps.dashboards.demo.load import demo_project, loaded
from apps.dashboards.demo.organization import add_demo_project
from apps.dashboards.demo.removal import remove_demo
from apps.dashboards.tasks import load_demo


@require_safe
@configuring_required
def demo(request: HttpRequest, member: Member) -> HttpResponse:
    """How far the demo data are; asks itself again every second until they are complete."""
    project = demo_project()
    state = loaded(project, timezone.now()) if project else None
    return render(request, "dashboards/demo.html", {"project": project, "state": state})


@require_POST
@configuring_required
def load(request: HttpRequest, member: Member) -> HttpResponseRedirect:
    """Make the demo project and load its traffic in the background."""
    add_demo_project(request)
    organization_id = member.organization.pk
    transaction.on_commit(lambda: load_demo.delay(organization_id), robust=True)
    return redirect("demo")


@require_POST
@configuring_required
def remove(request: HttpRequest, member: Member) -> HttpResponseRedirect:
    """Remove everything that the demo brought."""
    removed = remove_demo(request)
    messages.success(request, f"The demo data were removed: {removed:,} events and everything made of them.")
    return redirect("dashboard")
