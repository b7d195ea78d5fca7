"""Sessions over HTTP: a filtered list, and one session with its timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Project, Scope
from apps.conversations.filters import hold
from apps.conversations.models import Session
from apps.conversations.settle import SESSION_DIMENSIONS
from apps.conversations.timeline import detail, summary
from apps.core.time_buckets import local_midnight
from apps.events.problems import Problem
from apps.events.rest import KeyView

PAGE = 100
FILTERS = (*SESSION_DIMENSIONS, "model", "user_id", "session_id")
FLAGS = {"spiked": "is_spiked", "taken_back": "is_taken_back"}
KNOWN = {"from", "to", "outcome", "project", "cursor", "limit", "with", *FLAGS}


def filtered(parameters: Any, organization: Any, now: datetime) -> QuerySet[Session]:
    """Sessions by start day, dimension, outcome, flags and conditions; raises `Problem` naming the parameter."""
    rows: QuerySet[Session] = Session.objects.all()
    for name in parameters:
        field = name.removeprefix("filter.")
        values = parameters.getlist(name)
        if field in FILTERS:
            rows = rows.filter(**{f"{field}__in": values})
        elif field not in KNOWN:
            raise Problem(400, "unknown_parameter", f"{name}: is not a parameter of this address.")
        elif field in FLAGS:
            rows = rows.filter(**{FLAGS[field]: values[-1].lower() in ("1", "true")})
        elif field == "with":
            rows = hold(rows, values, now)
        elif field == "outcome":
            rows = rows.filter(outcome__in=values, closed_at__lte=now)
        elif field == "project":
            mine = Project.objects.filter(Q(name__in=values) | Q(public_id__in=values))
            rows = rows.filter(project_id__in=list(mine.values_list("id", flat=True)))
        elif field in ("from", "to"):
            bound = _instant(values[-1], field, organization)
            rows = rows.filter(**{"started_at__gte" if field == "from" else "started_at__lt": bound})
    return rows


def _instant(text: str, name: str, organization: Any) -> datetime:
    try:
        if len(text) == 10:
            return local_midnight(datetime.strptime(text, "%Y-%m-%d").date(), organization.zone)  # noqa: DTZ007
        instant = parse_datetime(text)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Problem(
            400, "bad_date", f"{name}: must be a date such as 2026-11-20, or an instant with a zone."
        )
    return instant


def after_cursor(rows: QuerySet[Session], cursor: str) -> QuerySet[Session]:
    """Continue behind `<started_at>|<session_id>`."""
    started, _, session_id = cursor.partition("|")
    try:
        at = datetime.fromisoformat(started)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not session_id:
        raise Problem(400, "bad_cursor", "cursor: must be the `next` of an earlier answer.")
    return rows.filter(Q(started_at__lt=at) | Q(started_at=at, session_id__gt=session_id))


class Sessions(KeyView):
    """GET: sessions, newest first, 100 a page."""

    @extend_schema(
        operation_id="v1_sessions_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("from", str)],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        now = timezone.now()
        rows = filtered(request.query_params, self.organization, now)
        cursor = request.query_params.get("cursor")
        if cursor:
            rows = after_cursor(rows, cursor)
        page = list(rows.order_by("-started_at", "session_id")[: PAGE + 1])
        last = page[PAGE - 1] if len(page) > PAGE else None
        following = f"{last.started_at.isoformat()}|{last.session_id}" if last else None
        return Response({"sessions": [summary(row, now) for row in page[:PAGE]], "next": following})


class OneSession(KeyView):
    """GET one session with its timeline; conversation text only with the `text` scope."""

    @extend_schema(parameters=[OpenApiParameter("project", str)], responses={200: dict})
    def get(self, request: Request, session_id: str) -> Response:
        now = timezone.now()
        rows = filtered(request.query_params, self.organization, now).filter(session_id=session_id)
        session = rows.order_by("-started_at").first()
        if session is None:
            raise Http404
        return Response(detail(session, now, may_read_text=self.identity.may(Scope.TEXT)))
