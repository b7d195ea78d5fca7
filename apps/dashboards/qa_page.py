"""What the page of the review queue shows, and how its form is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import QueryDict

from apps.accounts.access import Member
from apps.accounts.models import PrivacyMode, Project
from apps.conversations.load import events_of_sessions
from apps.conversations.models import Session
from apps.conversations.rows import RESPONSE
from apps.dashboards import qa
from apps.dashboards.models import QaItem
from apps.dashboards.sessions_address import token_of
from apps.dashboards.sessions_page import session_context


def queue_context(member: Member, skipped: int, now: datetime) -> dict[str, Any]:
    """Progress, agreement and the next session with its turns; no session once everything is read."""
    item = qa.next_item(member.membership.user_id, skipped)
    context: dict[str, Any] = {
        "progress": qa.progress(),
        "agreement": qa.agreement(),
        "rubric": qa.RUBRIC,
        "answers": qa.ANSWERS,
        "item": item,
        "skip": skipped + 1,
        "was_skipped": skipped > 0,
        "without_text": list(
            Project.objects.filter(privacy_mode=PrivacyMode.DROP).values_list("name", flat=True)
        ),
    }
    if item is None:
        return context
    project = Project.objects.get(pk=item.project_id)
    session = Session.objects.get(project_id=item.project_id, session_id=item.session_id)
    return (
        context
        | session_context(member, project, session, QueryDict(), now)
        | {"token": token_of(item.session_id)}
    )


def read_scores(form: QueryDict) -> dict[str, float]:
    """The answers by criterion; what was left open or cannot be said is not in it."""
    given = {one.name: form.get(one.name, "") for one in qa.RUBRIC}
    return {name: qa.VALUES[answer] for name, answer in given.items() if answer in qa.VALUES}


def last_response_id(item: QaItem) -> str:
    """The caller's id of the session's last answer, empty where it has none."""
    key = (item.project_id, item.session_id)
    answers = [event for event in events_of_sessions([key]).get(key, []) if event.name == RESPONSE]
    return answers[-1].response_id or "" if answers else ""
