"""What the words of a session say: frustration of each user message, from the facts that were stored of it."""

from __future__ import annotations

from collections.abc import Sequence

from apps.conversations.rows import QUERY, RESPONSE, EventRow
from apps.reading.context import REPEATS_FROM, Found, ReadTurn, find_signals, resolve_languages
from apps.reading.fingerprints import hashes_of, similarity
from apps.reading.frustration import Model, TurnScore, score_turns
from apps.reading.lexicons import is_supported
from apps.reading.messages import ASSISTANT, USER, MessageFacts

REFINES_FROM = 0.3
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


def asks_to_clarify(answer: EventRow) -> bool:
    facts = facts_of(answer)
    return facts is not None and {"clarifying", "question"} <= facts.signals.keys()


def compare_turns(events: Sequence[EventRow]) -> dict[str, int]:
    """How many user messages after the first could be compared with earlier ones, rephrase or narrow the one
    before, and say again what an earlier one said. Content words are compared by their fingerprints.

    `events` are the session's in order. A message that shows no language takes that of its conversation;
    those of a language without word lists, or of none that is known, are left out.
    """
    found = {"comparable_turns": 0, "refined_turns": 0, "repeating_turns": 0}
    earlier: list[frozenset[bytes]] = []
    messages = _messages(events)
    languages = resolve_languages([_read_turn(event, facts) for event, facts in messages])
    for (event, facts), language in zip(messages, languages, strict=True):
        if event.name != QUERY or facts is None or not is_supported(language):
            continue
        words = hashes_of(facts.fingerprint)
        if earlier:
            found["comparable_turns"] += 1
            found["refined_turns"] += similarity(words, earlier[-1]) >= REFINES_FROM
            found["repeating_turns"] += len(words) >= 2 and any(
                similarity(words, one) >= REPEATS_FROM for one in earlier
            )
        if words:
            earlier.append(words)
    return found


def detect(events: Sequence[EventRow], model: Model | None = None) -> dict[str, TurnScore]:
    """Scores of the user messages that were read, by event key; `events` are in order.

    Messages without facts are no score, but they still wait for, or are, an answer.
    """
    messages = _messages(events)
    if not any(facts and event.name == QUERY for event, facts in messages):
        return {}
    scores = score_turns([_read_turn(event, facts) for event, facts in messages], model)
    return {
        event.event_key: score
        for (event, facts), score in zip(messages, scores, strict=True)
        if score is not None and facts is not None
    }


def signals_of(events: Sequence[EventRow]) -> dict[str, Found]:
    """The signals behind the scores of `detect`, by event key, for judging under several models."""
    messages = _messages(events)
    found = find_signals([_read_turn(event, facts) for event, facts in messages])
    return {
        event.event_key: signals
        for (event, _), signals in zip(messages, found, strict=True)
        if signals is not None
    }


def _messages(events: Sequence[EventRow]) -> list[tuple[EventRow, MessageFacts | None]]:
    return [(event, facts_of(event)) for event in events if event.name in (QUERY, RESPONSE)]


def _read_turn(event: EventRow, facts: MessageFacts | None) -> ReadTurn:
    return ReadTurn(USER if event.name == QUERY else ASSISTANT, facts or SILENT, event.at)
