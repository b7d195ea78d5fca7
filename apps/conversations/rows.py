"""The event rows that settling reads, and their order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

# A session, or a person, within its project: (project, id).
Key = tuple[int, str]


class EventRow(NamedTuple):
    """One stored event, as far as sessions and generations need it; `data` holds the kind's other fields."""

    event_key: str
    project_id: int
    at: datetime
    name: str
    event_id: str
    session_id: str | None
    user_id: str | None
    environment: str
    turn: int | None
    response_id: str | None
    trace_id: str | None
    channel: str | None
    intent: str | None
    feature: str | None
    team: str | None
    customer: str | None
    segment: str | None
    release: str | None
    language: str | None
    experiment: str | None
    variant: str | None
    provider: str | None
    model: str | None
    model_version: str | None
    prompt_name: str | None
    prompt_version: str | None
    agent: str | None
    error_type: str | None
    target: str | None
    item: str | None
    source: str | None
    category: str | None
    depth: int | None
    is_root: bool | None
    failed: bool | None
    duration_us: int | None
    data: dict[str, Any]

    @property
    def order(self) -> tuple[datetime, int, str]:
        """By timestamp, then the caller's conversation turn, then id."""
        return self.at, self.turn or 0, self.event_id

    @property
    def is_refusal(self) -> bool:
        """What the caller said of an answer, else what its words say."""
        said = self.data.get("refused")
        return bool(self.data.get("refusal_read") if said is None else said)

    @property
    def citations(self) -> tuple[int, int] | None:
        """(cited, all) sentences of an answer: sent, else counted; None where neither is known."""
        cited, total = self.data.get("cited_sentences"), self.data.get("total_sentences")
        if cited is None or not total:
            cited, total = self.data.get("citations_read") or (None, 0)
        return None if cited is None or not total else (min(cited, total), total)


COLUMNS = ", ".join(
    f"encode(uuid_send(e.{name}), 'hex')" if name == "event_key" else f"e.{name}" for name in EventRow._fields
)

QUERY = "llm_query_sent"
RESPONSE = "llm_response_generated"
MODEL_CALL = "model_call"
EVALUATION = "evaluation"
GUARDRAIL = "guardrail"
FEEDBACK = "response_feedback"
# Calls keep a session open; what is said about an answer afterwards does not.
CALLS = frozenset({RESPONSE, MODEL_CALL, "tool_call", "retrieval"})
AFTERWARDS = frozenset(
    {FEEDBACK, "response_copied", "response_shared", EVALUATION, "goal_completed", "revenue"}
)
ON_RESPONSE = frozenset({FEEDBACK, "response_copied", "response_shared", EVALUATION, GUARDRAIL})


def is_afterwards(event: EventRow) -> bool:
    """Whether the event says something about an answer, so that it keeps no session open."""
    return event.name in AFTERWARDS or (event.name == GUARDRAIL and event.response_id is not None)
