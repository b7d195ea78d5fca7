"""One session for reading: its facts with rule and evidence, and everything that happened, in order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection

from apps.conversations import packs
from apps.conversations.load import events_of_sessions
from apps.conversations.models import Generation, Session
from apps.conversations.rows import EventRow, Key
from apps.conversations.settle import SESSION_DIMENSIONS
from apps.core.rls import CURRENT

NANO = Decimal(10) ** 9
# Free text that callers may put into these; shown only with text rights.
WORDED = frozenset({"properties", "sources", "documents"})


def usd(nano: int | None) -> str | None:
    """Nano-dollars as a decimal string with nine decimals."""
    return None if nano is None else format(Decimal(nano) / NANO, ".9f")


def summary(session: Session, now: Any) -> dict[str, Any]:
    """A session's facts; an open session has no outcome yet."""
    is_closed = session.closed_at <= now
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "project_id": session.project_id,
        "started_at": session.started_at.isoformat(),
        "last_event_at": session.last_event_at.isoformat(),
        "closed_at": session.closed_at.isoformat() if is_closed else None,
        "outcome": session.outcome if is_closed else None,
        "level": session.level if is_closed else None,
        "outcome_rule": session.outcome_rule if is_closed else None,
        "turns": session.turns,
        "responses": session.responses,
        "scored_turns": session.scored_turns,
        "frustrated_turns": session.frustrated_turns,
        "spiked": session.is_spiked,
        "spikes": session.spikes,
        "recovered": session.recovered,
        "handoffs": session.handoffs,
        "human_handoffs": session.human_handoffs,
        "cost_usd": usd(session.cost_nano),
        "deflected": is_closed and session.is_deflected and not session.is_taken_back,
        "taken_back": session.is_taken_back,
        "dimensions": {
            name: getattr(session, name) for name in (*SESSION_DIMENSIONS, "model") if getattr(session, name)
        },
    }


@dataclass(slots=True)
class Story:
    """All that is stored of one session, in order; each mapping is by event key.

    `texts` is empty for those who may not read it: the query is not made. `particulars` holds the
    columns that settling does not read, such as the tool's name.
    """

    events: list[EventRow]
    texts: dict[str, dict[str, Any]]
    generations: dict[str, Generation]
    particulars: dict[str, dict[str, Any]]


def story_of(session: Session, *, may_read_text: bool) -> Story:
    """Read a session's events with what belongs to them: a fixed number of queries however long it is."""
    key = (session.project_id, session.session_id)
    events = events_of_sessions([key]).get(key, [])
    generations = Generation.objects.filter(session_id=session.session_id, project_id=session.project_id)
    return Story(
        events=events,
        texts=texts_of([event.event_key for event in events]) if may_read_text else {},
        generations={row.event_key.hex: row for row in generations},
        particulars=_particulars(key, events),
    )


def detail(session: Session, now: Any, *, may_read_text: bool) -> dict[str, Any]:
    """Facts, spikes with their evidence, and the timeline."""
    story = story_of(session, may_read_text=may_read_text)
    return {
        **summary(session, now),
        "evidence": session.evidence,
        "timeline": [entry(event, story, may_read_text=may_read_text) for event in story.events],
    }


def entry(event: EventRow, story: Story, *, may_read_text: bool) -> dict[str, Any]:
    """One line of the timeline; text only for those who may read it."""
    data = {name: value for name, value in event.data.items() if may_read_text or name not in WORDED}
    generation = story.generations.get(event.event_key)
    found: dict[str, Any] = {
        "id": event.event_id,
        "event": event.name,
        "timestamp": event.at.isoformat(),
        "conversation_turn": event.turn,
        "response_id": event.response_id,
        "trace_id": event.trace_id,
        "provider": event.provider,
        "model": event.model,
        "prompt_version": event.prompt_version,
        "target": event.target,
        "status": None if event.failed is None else "error" if event.failed else "ok",
        "error_type": event.error_type,
        "duration_ms": None if event.duration_us is None else event.duration_us / 1000,
        "cost_usd": usd(generation.cost_nano if generation else None),
        "agent_name": event.agent,
        **story.particulars.get(event.event_key, {}),
        **data,
        **story.texts.get(event.event_key, {}),
    }
    return {name: value for name, value in found.items() if value is not None}


def texts_of(keys: list[str]) -> dict[str, dict[str, Any]]:
    """Stored texts by event key, for those who may read them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(uuid_send(event_key), 'hex'), body FROM events_text "
            f"WHERE organization_id = {CURRENT} AND event_key = ANY(%s::uuid[])",
            [keys],
        )
        return {key: msgspec.json.decode(body) for key, body in cursor.fetchall()}


# Column of the table → the field of the contract that it came from.
PARTICULARS = {
    "tool": "tool_name",
    "stage": "stage",
    "item": "name",
    "category": "category",
    "source": "source",
    "depth": "depth",
    "timed_out": "timed_out",
}


def _particulars(session: Key, events: list[EventRow]) -> dict[str, dict[str, Any]]:
    """Columns that only readers need, for the events of a session wherever they were sent."""
    session_id = session[1]
    columns = ", ".join(f"e.{name}" for name in PARTICULARS)
    named = f"num_nonnulls({columns}) > 0"
    select = f"SELECT encode(uuid_send(e.event_key), 'hex'), {columns} FROM events_event e"
    wanted = {event.event_key for event in events}
    responses = sorted({event.response_id for event in events if event.response_id})
    with connection.cursor() as cursor:
        cursor.execute(
            f"{select} WHERE e.organization_id = {CURRENT} AND e.session_id = %s AND {named} "
            f"UNION ALL {select} JOIN conversations_assignment a ON a.organization_id = e.organization_id "
            f"AND a.event_key = e.event_key AND a.user_id = e.user_id WHERE a.organization_id = {CURRENT} "
            f"AND a.session_id = %s AND {named} "
            f"UNION ALL {select} WHERE e.organization_id = {CURRENT} AND e.response_id = ANY(%s) "
            f"AND e.session_id IS DISTINCT FROM %s AND {named}",
            [session_id, session_id, responses, session_id],
        )
        rows = list(cursor.fetchall())
    rows += [(key.hex, *values) for key, *values in packs.of_sessions(("event_key", *PARTICULARS), [session])]
    return {
        key: {
            field: value
            for field, value in zip(PARTICULARS.values(), values, strict=True)
            if value is not None
        }
        for key, *values in rows
        if key in wanted
    }
