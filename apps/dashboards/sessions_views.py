"""Pages of sessions: the list, and one session with its conversation and waterfall."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import Member, member_required
from apps.accounts.models import Project
from apps.conversations.models import Session
from apps.dashboards import freshness
from apps.dashboards.respond import page
from apps.dashboards.sessions_address import session_id_of
from apps.dashboards.sessions_filter import default_filter, read_filter, read_place
from apps.dashboards.sessions_list import list_context
from apps.dashboards.sessions_page import session_context
from apps.metrics.query import BadQuery


@require_safe
@member_required
def sessions(request: HttpRequest, member: Member) -> HttpResponse:
    """Sessions by any filter, a page at a time."""
    now, error, after = timezone.now(), None, None
    try:
        chosen = read_filter(request.GET, member.organization, now)
        after = read_place(request.GET, chosen.order)
    except BadQuery as refused:
        chosen, error = default_filter(member.organization, now), refused
    context = list_context(member, chosen, after, now)
    context["badge"] = freshness.badge(member.organization)
    return page(request, "dashboards/sessions.html", context, error)


@require_safe
@member_required
def session(request: HttpRequest, member: Member, public_id: str, session_id: str) -> HttpResponse:
    """One session; its neighbours are those of the filter in the address."""
    name = session_id_of(session_id)
    project = Project.objects.filter(public_id=public_id).first()
    found = project and Session.objects.filter(project_id=project.pk, session_id=name).first()
    if project is None or not found:
        raise Http404
    context = session_context(member, project, found, request.GET, timezone.now())
    return page(request, "dashboards/session.html", context)
