"""The page of the review queue. Reading conversations is for roles with text rights only."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Member, member_required
from apps.accounts.models import Project
from apps.dashboards import qa
from apps.dashboards.models import QaItem
from apps.dashboards.qa_page import last_response_id, queue_context, read_scores
from apps.dashboards.respond import page
from apps.dashboards.sessions_address import session_id_of


@require_safe
@member_required
def queue(request: HttpRequest, member: Member) -> HttpResponse:
    """The next session to read with the rubric beside it, how far the queue is, and how much readers agree."""
    if not member.may_read_text:
        raise Http404
    text = request.GET.get("skip", "")
    skipped = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    return page(request, "dashboards/qa.html", queue_context(member, skipped, timezone.now()))


@require_POST
@member_required
def draw(request: HttpRequest, member: Member) -> HttpResponse:
    """Put more sessions into the queue."""
    if not member.may_read_text:
        raise Http404
    drawn = qa.draw(timezone.now())
    messages.success(
        request, f"{drawn} sessions were drawn." if drawn else "There is no further session to draw."
    )
    return redirect("qa")


@require_POST
@member_required
def review(request: HttpRequest, member: Member, public_id: str, session_id: str) -> HttpResponse:
    """Keep the answers to the rubric and go on to the next session."""
    project = Project.objects.filter(public_id=public_id).first()
    item = (
        project and QaItem.objects.filter(project_id=project.pk, session_id=session_id_of(session_id)).first()
    )
    if not member.may_read_text or project is None or not item:
        raise Http404
    scores = read_scores(request.POST)
    if not scores:
        messages.warning(request, "Answer at least one question, or skip the session.")
        return redirect("qa")
    comment, response_id = request.POST.get("comment", "").strip()[:4_000], last_response_id(item)
    if not qa.save_review(item, member.membership.user_id, scores, comment, response_id, timezone.now()):
        messages.warning(request, "You had reviewed this session already; the first review stands.")
    return redirect("qa")
