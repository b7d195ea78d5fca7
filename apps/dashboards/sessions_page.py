"""One session's page: what it is, its turns, and the sessions before and after it in the same filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from apps.accounts.access import Member
from apps.accounts.models import PrivacyMode, Project
from apps.conversations.calibration import model_in_force
from apps.conversations.models import Session
from apps.conversations.ratings import attach
from apps.conversations.rows import RESPONSE
from apps.conversations.settle import SESSION_DIMENSIONS
from apps.conversations.timeline import Story, story_of
from apps.conversations.turns import split_turns
from apps.dashboards.display import amount
from apps.dashboards.sessions_address import session_path, sessions_path
from apps.dashboards.sessions_filter import SessionFilter, default_filter, read_filter
from apps.dashboards.sessions_list import money_words, span_words
from apps.dashboards.sessions_marks import outcome_mark
from apps.dashboards.sessions_turns import turn_views
from apps.metrics.query import BadQuery

PART: Final = 2_000
NO_RIGHT: Final = "Your role does not include conversation text."
DROPPED: Final = "This project does not store text."
NOT_THERE: Final = "No text is stored for it."


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the summary; `path` leads to the sessions that share it."""

    name: str
    text: str
    path: str = ""


def session_context(
    member: Member, project: Project, session: Session, parameters: QueryDict, now: datetime
) -> dict[str, Any]:
    """Everything that the page shows; text is read only where the role may."""
    zone = member.organization.zone
    story = story_of(session, may_read_text=member.may_read_text)
    responses = [event for event in story.events if event.name == RESPONSE]
    turns = split_turns(story.events, attach(story.events, responses), model_in_force())
    parts = max(1, -(-len(story.events) // PART))
    number = min(parts, _part(parameters))
    shown = story.events[(number - 1) * PART : number * PART]
    chosen = _filter(member, parameters, now)
    query = chosen.parameters()
    path = session_path(project.public_id, session.session_id)
    return {
        "session": session,
        "project": project,
        "started_at": session.started_at.astimezone(zone),
        "path": path,
        "list_path": f"/sessions/?{query}" if query else "/sessions/",
        "outcome": outcome_mark(session, now),
        "facts": _facts(session, project, story),
        "notice": text_notice(member, project),
        "turns": turn_views(story, turns, session.evidence, shown, zone, why_no_text(member, project)),
        "parts": [(one, f"{path}?part={one}", one == number) for one in range(1, parts + 1)]
        if parts > 1
        else [],
        "events": len(story.events),
        **neighbours(member, session, chosen, now),
    }


def why_no_text(member: Member, project: Project) -> str:
    """The sentence in place of a message whose text is not shown."""
    if not member.may_read_text:
        return NO_RIGHT
    return DROPPED if project.privacy_mode == PrivacyMode.DROP else NOT_THERE


def text_notice(member: Member, project: Project) -> str:
    """What the reader should know about the text of the whole page; empty where it is complete."""
    if not member.may_read_text:
        return "You see structure and numbers: your role does not include conversation text, and it was not read for this page."
    if project.privacy_mode == PrivacyMode.DROP:
        return "This project's privacy mode is “drop”: text is read for metrics when it arrives and is never stored."
    return ""


def _part(parameters: QueryDict) -> int:
    text = parameters.get("part", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 6 else 1


def _filter(member: Member, parameters: QueryDict, now: datetime) -> SessionFilter:
    """The filter of the list that this page was opened from; an unreadable one is the default."""
    try:
        return read_filter(parameters, member.organization, now)
    except BadQuery:
        return default_filter(member.organization, now)


def neighbours(member: Member, session: Session, chosen: SessionFilter, now: datetime) -> dict[str, str]:
    """Addresses of the sessions before and after this one in the list; empty at its ends, and where the
    session itself does not stand in that list."""
    rows, order, query = chosen.rows(member.organization, now), chosen.order, chosen.parameters()
    mine = order.sort(rows.filter(project_id=session.project_id, session_id=session.session_id)).first()
    if mine is None:
        return {"before": "", "behind": ""}
    place = order.place_of(mine)
    found = {
        "before": order.beyond(rows, place, is_reversed=True).first(),
        "behind": order.beyond(rows, place).first(),
    }
    projects = dict(Project.objects.values_list("id", "public_id"))
    return {
        name: session_path(projects[row.project_id], row.session_id, query) if row else ""
        for name, row in found.items()
    }


def _facts(session: Session, project: Project, story: Story) -> list[Fact]:
    tokens = sum(one.tokens_total for one in story.generations.values() if one.has_usage)
    unpriced = sum(one.is_unpriced for one in story.generations.values())
    priced = f", {unpriced} calls without a price" if unpriced else ""
    facts = [
        Fact(
            "User", session.user_id or "–", sessions_path(user_id=session.user_id) if session.user_id else ""
        ),
        Fact("Turns", f"{session.turns:,}, {session.responses:,} responses"),
        Fact("Length", span_words(session.last_event_at - session.started_at)),
        Fact("Tokens", amount(tokens, "tokens") if story.generations else "–"),
        Fact("Cost", f"{money_words(session.cost_nano)}{priced}"),
        Fact("Spikes", _spikes(session)),
        Fact("Project", project.name, sessions_path(project=project.name)),
    ]
    facts += [
        Fact(name.replace("_", " ").capitalize(), value, sessions_path(**{name: value}))
        for name in ("model", *SESSION_DIMENSIONS)
        if (value := getattr(session, name))
    ]
    return facts


def _spikes(session: Session) -> str:
    if not session.scored_turns:
        return "no turn could be scored"
    if not session.spikes:
        return f"none in {session.scored_turns:,} scored turns"
    return f"{session.spikes:,}, {session.recovered:,} recovered"
