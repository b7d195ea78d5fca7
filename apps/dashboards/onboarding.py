"""The first page after sign-up: the key, how to send events, and waiting for the first one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import handover
from apps.accounts.access import Member, configuring_required
from apps.accounts.keys import issue
from apps.accounts.models import Organization, Project, Scope
from apps.core.time_buckets import local_day
from apps.dashboards.charts import chart
from apps.dashboards.snippets import snippets
from apps.events import ledger
from apps.events.models import Batch
from apps.events.receive import ingest
from apps.metrics.series import Query, run

PLACEHOLDER = "YOUR_KEY"


@require_GET
@configuring_required
def start(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; a new key is shown on this one visit and is then forgotten."""
    project = Project.objects.filter(is_demo=member.organization.is_demo).order_by("id").first()
    key = handover.take(request, handover.NEW_KEY)
    context = {
        "project": project,
        "key": key,
        "tabs": snippets(settings.PUBLIC_URL, key or PLACEHOLDER),
        **waiting(member.organization, project),
    }
    return render(request, "dashboards/start.html", context)


@require_GET
@configuring_required
def waiting_fragment(request: HttpRequest, member: Member) -> HttpResponse:
    """What has arrived so far; polled until something has."""
    project = Project.objects.filter(is_demo=member.organization.is_demo).order_by("id").first()
    context = waiting(member.organization, project)
    # 286 ends htmx's polling.
    return render(
        request, "dashboards/start_waiting.html", context, status=286 if context["accepted"] else 200
    )


@require_POST
@configuring_required
def send_test_event(request: HttpRequest, member: Member) -> HttpResponse:
    """Send a question and its answer through the ordinary door."""
    project = Project.objects.filter(is_demo=member.organization.is_demo).order_by("id").first()
    if project is not None:
        now = timezone.now()
        ingest(
            organization_id=member.organization.pk,
            project_id=project.pk,
            body_events=[msgspec.json.encode(event) for event in example(now.isoformat())],
            historical=False,
            is_test=False,
            source="start",
            key_id=None,
        )
        messages.success(request, "A question and its answer were sent.")
    return redirect("start")


@require_POST
@configuring_required
def new_key(request: HttpRequest, member: Member) -> HttpResponse:
    """Another ingest key, for who has lost the first one."""
    project = Project.objects.filter(is_demo=member.organization.is_demo).order_by("id").first()
    if project is not None:
        _, key = issue(member.membership, request, project=project, name="ingest key", scopes=[Scope.INGEST])
        handover.keep(request, handover.NEW_KEY, key)
    return redirect("start")


def example(at: str) -> list[dict[str, Any]]:
    """One turn of a session, as an application would send it."""
    base = {"timestamp": at, "session_id": "first-session", "user_id": "me", "channel": "web"}
    answer = {"provider": "openai", "model": "gpt-4o-mini", "input_tokens": 420, "output_tokens": 80}
    return [
        {"event": "llm_query_sent", **base, "frustrated": False},
        {
            "event": "llm_response_generated",
            **base,
            **answer,
            "latency_ms": 930,
            "ttft_ms": 310,
            "status": "ok",
        },
    ]


def waiting(organization: Organization, project: Project | None) -> dict[str, Any]:
    """Events that arrived, the first chart of them, and why some did not."""
    if project is None:
        return {"accepted": 0, "problems": []}
    accepted = Batch.objects.filter(project_id=project.pk).aggregate(n=Sum("accepted"))["n"] or 0
    found: dict[str, Any] = {"accepted": accepted, "problems": ledger.recent_problems(project.pk)}
    if accepted:
        now = timezone.now()
        today = local_day(now, organization.zone)
        query = Query(("generations",), today, today + timedelta(days=1), interval="hour")
        found["chart"] = chart(
            run(organization, query, now)["generations"], "hour", note="Model calls today, by hour."
        )
    return found
