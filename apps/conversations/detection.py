"""What the words of a session say: frustration of each user message, from the facts that were stored of it."""

from __future__ import annotations

from collections.abc import Sequence

from apps.conversations.rows import QUERY, RESPONSE, EventRow
from apps.reading.frustration import ReadTurn, TurnScore, score_turns
from apps.reading.messages import ASSISTANT, USER, MessageFacts

# A message of which only its time is known: it answers, or waits for an answer, and says nothing.
SILENT = MessageFacts(language=None, words=0, sentiment=0.0, signals={})


def facts_of(event: EventRow) -> MessageFacts | None:
    """The stored facts of a message; None where it came without text, or under a reading that is gone."""
    packed = event.data.get("reading")
    if packed is None:
        return None
    try:
        return MessageFacts.unpack(packed)
    except ValueError:
        return None


def detect(events: Sequence[EventRow]) -> dict[str, TurnScore]:
    """Scores of the user messages that were read, by event key; `events` are in order.

    Messages without facts are no score, but they still wait for, or are, an answer.
    """
    messages = [(event, facts_of(event)) for event in events if event.name in (QUERY, RESPONSE)]
    if not any(facts and event.name == QUERY for event, facts in messages):
        return {}
    turns = [
        ReadTurn(USER if event.name == QUERY else ASSISTANT, facts or SILENT, event.at)
        for event, facts in messages
    ]
    return {
        event.event_key: score
        for (event, facts), score in zip(messages, score_turns(turns), strict=True)
        if score is not None and facts is not None
    }
