"""One session for reading: its facts with rule and evidence, and everything that happened, in order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection

from apps.conversations.load import ORGANIZATION, events_of_sessions
from apps.conversations.models import Generation, Session
from apps.conversations.rows import EventRow
from apps.conversations.settle import SESSION_DIMENSIONS

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


def detail(session: Session, now: Any, *, may_read_text: bool) -> dict[str, Any]:
    """Facts, spikes with their evidence, and the timeline."""
    key = (session.project_id, session.session_id)
    events = events_of_sessions([key]).get(key, [])
    texts = _texts([event.event_key for event in events]) if may_read_text else {}
    costs = dict(
        Generation.objects.filter(session_id=session.session_id, project_id=session.project_id).values_list(
            "event_key", "cost_nano"
        )
    )
    costs_by_key = {event_key.hex: nano for event_key, nano in costs.items()}
    return {
        **summary(session, now),
        "evidence": session.evidence,
        "timeline": [entry(event, texts, costs_by_key, may_read_text=may_read_text) for event in events],
    }


def entry(
    event: EventRow, texts: dict[str, dict[str, Any]], costs: dict[str, int | None], *, may_read_text: bool
) -> dict[str, Any]:
    """One line of the timeline; text only for those who may read it."""
    data = {name: value for name, value in event.data.items() if may_read_text or name not in WORDED}
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
        "cost_usd": usd(costs.get(event.event_key)),
        **data,
        **texts.get(event.event_key, {}),
    }
    return {name: value for name, value in found.items() if value is not None}


def _texts(keys: list[str]) -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(uuid_send(event_key), 'hex'), body FROM events_text "
            f"WHERE organization_id = {ORGANIZATION} AND event_key = ANY(%s::uuid[])",
            [keys],
        )
        return {key: msgspec.json.decode(body) for key, body in cursor.fetchall()}
