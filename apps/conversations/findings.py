"""What evaluations and guardrails found, counted with the answer or message that they are about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.conversations.rows import EVALUATION, GUARDRAIL, QUERY, RESPONSE, EventRow
from apps.reading.messages import harms_of

DIMENSIONS = (
    "environment",
    "provider",
    "model",
    "model_version",
    "feature",
    "team",
    "customer",
    "intent",
    "channel",
    "segment",
    "release",
    "language",
    "prompt_name",
    "prompt_version",
    "agent",
    "experiment",
    "variant",
)
RETRIEVAL = "retrieval"
TELLING = frozenset({EVALUATION, GUARDRAIL, RETRIEVAL})


def finding_rows(events: list[EventRow], session_id: str | None) -> list[dict[str, Any]]:
    """Findings of a session (or of one trace without a session); `events` are in order.

    An evaluation that names a response counts with it and nowhere else; one that names none counts
    with the latest earlier response, without any by itself. A guardrail's hit counts once a message
    and category: with the response that it names, and without one with the latest message, else the first.
    What was read in a message (personal data, prompt injection, abuse) is a hit of that message.
    """
    if not any(event.name in TELLING or _read(event) for event in events):
        return []
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    responses = [event for event in events if event.name == RESPONSE]
    messages = [event for event in events if event.name in (QUERY, RESPONSE)]
    by_id: dict[str, EventRow] = {}
    for response in responses:
        if response.response_id:
            by_id.setdefault(response.response_id, response)
    for event in events:
        for row in _rows(event, responses, messages, by_id):
            row["session_id"] = session_id
            rows.setdefault((row["event_key"], row["kind"], row["name"]), row)
    return list(rows.values())


def _rows(
    event: EventRow, responses: list[EventRow], messages: list[EventRow], by_id: dict[str, EventRow]
) -> list[dict[str, Any]]:
    if event.name == EVALUATION:
        about = by_id.get(event.response_id) if event.response_id else _latest(responses, event) or event
        return [] if about is None or not event.item else [_evaluation(event, about)]
    if event.name == GUARDRAIL:
        message = by_id.get(event.response_id) if event.response_id else _message(messages, event)
        return [] if message is None or not event.category else [_hit(message, event.category)]
    if event.name == RETRIEVAL:
        return [
            _row(event, event.event_key, "evaluation", f"retrieval_{name}", RETRIEVAL, event.data[name])
            for name in ("precision", "recall")
            if event.data.get(name) is not None
        ]
    return [_hit(event, category) for category in sorted(_read(event))]


def _read(event: EventRow) -> set[str]:
    """The categories that were read in a message's text."""
    if event.name not in (QUERY, RESPONSE):
        return set()
    reading = event.data.get("reading")
    found = harms_of(reading) if reading else set()
    return found | {"pii"} if event.data.get("pii") else found


def _message(messages: list[EventRow], event: EventRow) -> EventRow | None:
    """The message that a guardrail looked at: it may tell of it before the message itself was sent."""
    return _latest(messages, event) or (messages[0] if messages else None)


def _latest(candidates: list[EventRow], event: EventRow) -> EventRow | None:
    """The latest that is not after the event."""
    earlier = [one for one in candidates if one.order < event.order]
    return earlier[-1] if earlier else None


def _evaluation(event: EventRow, about: EventRow) -> dict[str, Any]:
    row = _row(about, event.event_key, "evaluation", event.item or "", event.source, event.data.get("value"))
    row["label"] = event.data.get("label")
    return row


def _hit(message: EventRow, category: str) -> dict[str, Any]:
    return _row(message, message.event_key, "hit", category, None, None)


def _row(
    about: EventRow, event_key: str, kind: str, name: str, source: str | None, value: float | None
) -> dict[str, Any]:
    return {
        "project_id": about.project_id,
        "event_key": event_key,
        "about_key": about.event_key,
        "kind": kind,
        "name": name,
        "at": about.at,
        "source": source,
        "value": None if value is None else Decimal(repr(value)),
        "label": None,
        **{dimension: getattr(about, dimension) for dimension in DIMENSIONS},
    }
