"""One session from its events: closing, outcome, spikes, token labels. Pure; no clock, no database.

The session is settled as if nothing followed and it were closed; `closed_at` says from when on
that holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.conversations.detection import compare_turns, facts_of
from apps.conversations.ratings import Reactions, attach
from apps.conversations.rows import CALLS, QUERY, RESPONSE, EventRow, is_afterwards
from apps.conversations.turns import Turn, find_spikes, is_spiked, split_turns
from apps.reading.frustration import Model

SESSION_DIMENSIONS = (
    "environment",
    "channel",
    "intent",
    "feature",
    "team",
    "customer",
    "segment",
    "release",
    "prompt_version",
    "language",
    "experiment",
    "variant",
)
NANO = 10**9


@dataclass(slots=True)
class Outline:
    """A session before its neighbours are known: what other sessions of the same user need of it."""

    project_id: int
    session_id: str
    events: list[EventRow]
    queries: list[EventRow]
    responses: list[EventRow]
    user_id: str | None
    started_at: datetime
    last_event_at: datetime
    closed_at: datetime
    human_reached_at: list[datetime]


@dataclass(slots=True)
class Neighbours:
    """What the user's other sessions did to this one."""

    is_returned: bool = False
    is_reached: bool = False
    is_restarted: bool = False
    is_recurring: bool = False


@dataclass(slots=True)
class Settled:
    """A settled session: its row, and the token label of each of its responses by event key."""

    row: dict[str, Any]
    labels: dict[str, str]
    reactions: dict[str, Reactions]
    turns: list[Turn] = field(default_factory=list)


def outline(project_id: int, session_id: str, events: list[EventRow], idle_gap: timedelta) -> Outline | None:
    """Times and people of a session from its events in order; None where it has no message or response."""
    queries = [event for event in events if event.name == QUERY]
    responses = [event for event in events if event.name == RESPONSE]
    if not queries and not responses:
        return None
    users = [event.user_id for event in events if event.user_id]
    lasting = [event for event in events if not is_afterwards(event)]
    last_event_at = max(event.at for event in lasting)
    return Outline(
        project_id=project_id,
        session_id=session_id,
        events=events,
        queries=queries,
        responses=responses,
        user_id=users[-1] if users else None,
        started_at=min(event.at for event in (*queries[:1], *responses[:1])),
        last_event_at=last_event_at,
        closed_at=_closed_at(lasting, last_event_at + idle_gap),
        human_reached_at=[event.at for event in events if _reaches_human(event)],
    )


def _closed_at(lasting: list[EventRow], when_idle: datetime) -> datetime:
    """The last `session_ended` closes at once unless a message, response or call is later."""
    ended = [event.at for event in lasting if event.name == "session_ended"]
    if not ended:
        return when_idle
    talked = max(event.at for event in lasting if event.name == QUERY or event.name in CALLS)
    return ended[-1] if ended[-1] >= talked else when_idle


def _reaches_human(event: EventRow) -> bool:
    if event.name == "handoff":
        return event.target == "human"
    return event.name == "session_ended" and event.data.get("outcome") == "escalated"


def settle(one: Outline, neighbours: Neighbours, model: Model | None = None) -> Settled:
    """The whole session row (without cost) and the labels of its responses, by the detector `model`."""
    reactions = attach(one.events, one.responses)
    turns = split_turns(one.events, reactions, model)
    outcome, level, rule = decide_outcome(one, turns, reactions, is_returned=neighbours.is_returned)
    ratings = [rating for held in reactions.values() for rating in held.ratings.values()]
    spikes = find_spikes(turns, [rating.at for rating in ratings if rating.sign > 0], outcome)
    spiked = is_spiked(turns, ends_unresolved=outcome != "resolved")
    humans = sum(event.name == "handoff" and event.target == "human" for event in one.events)
    sentiments = [round(value * NANO) for turn in turns if (value := sentiment_of(turn)) is not None]
    row: dict[str, Any] = {
        "project_id": one.project_id,
        "session_id": one.session_id,
        "user_id": one.user_id,
        **_dimensions(one.events),
        "model": _main_model(one.responses),
        "started_at": one.started_at,
        "last_event_at": one.last_event_at,
        "closed_at": one.closed_at,
        "outcome": outcome,
        "level": level,
        "outcome_rule": rule,
        "turns": len(turns),
        "user_messages": len(one.queries),
        "responses": len(one.responses),
        **compare_turns(one.events),
        "scored_turns": sum(turn.is_scored for turn in turns),
        "frustrated_turns": sum(turn.is_frustrated for turn in turns),
        "detected_turns": sum(turn.is_frustrated and turn.is_by_words for turn in turns),
        "is_spiked": spiked,
        "is_frustration_exit": spiked
        and bool(turns and turns[-1].is_frustrated)
        and outcome in ("abandoned", "escalated"),
        "spikes": len(spikes),
        "recovered": sum(spike.is_recovered for spike in spikes),
        "recovered_confirmed": sum(spike.is_confirmed for spike in spikes),
        "sentiment_nano": sum(sentiments),
        "sentiment_square_nano": sum(value * value // NANO for value in sentiments),
        "sentiments": len(sentiments),
        "handoffs": sum(event.name == "handoff" for event in one.events),
        "human_handoffs": humans,
        "human_reached_at": [at.isoformat() for at in one.human_reached_at],
        "is_deflected": outcome == "resolved" and humans == 0 and bool(one.responses),
        "is_taken_back": neighbours.is_reached,
        "is_returned": neighbours.is_returned,
        "is_restarted": neighbours.is_restarted,
        "is_recurring": neighbours.is_recurring,
        "goals": sum(event.name == "goal_completed" for event in one.events),
        "ends_with_response": _ends_with_response(one),
        "evidence": {"spikes": [spike.as_evidence() for spike in spikes]},
    }
    labels = label_responses(one.responses, turns, outcome)
    return Settled(row, labels, reactions, turns)


def sentiment_of(turn: Turn) -> float | None:
    """The caller's sentiment of a message, else that of its words where its language is covered."""
    sent: float | None = turn.message.data.get("sentiment")
    if sent is not None or turn.score is None or turn.score.frustration is None:
        return sent
    facts = facts_of(turn.message)
    return None if facts is None else facts.sentiment


def _ends_with_response(one: Outline) -> bool:
    """Whether the last message, user's or assistant's, is the assistant's."""
    if not one.responses:
        return False
    return not one.queries or one.responses[-1].order > one.queries[-1].order


def decide_outcome(
    one: Outline, turns: list[Turn], reactions: dict[str, Reactions], *, is_returned: bool
) -> tuple[str, str | None, str]:
    """Outcome, level and the rule that decided, first rule first."""
    stated = stated_outcome(one)
    if stated:
        return stated, "verified" if stated == "resolved" else None, "stated by session_ended"
    if any(event.name == "handoff" and event.target == "human" for event in one.events):
        return "escalated", None, "handed off to a human"
    if any(event.name == "goal_completed" for event in one.events):
        return "resolved", "verified", "goal completed"
    if _is_praised_at_the_end(one, reactions):
        return "resolved", "verified", "positive rating at the end"
    reason = _abandonment(one, turns, reactions)
    if reason:
        return "abandoned", None, reason
    if is_returned:
        return "unresolved", None, "the user came back within the return window"
    return "resolved", "contained", "contained: nothing says otherwise"


def stated_outcome(one: Outline) -> str | None:
    """What the last `session_ended` states, unless a later user message made it lapse."""
    ended = [event for event in one.events if event.name == "session_ended"]
    if not ended:
        return None
    if one.queries and one.queries[-1].at > ended[-1].at:
        return None
    stated: str | None = ended[-1].data.get("outcome")
    return stated


def _is_praised_at_the_end(one: Outline, reactions: dict[str, Reactions]) -> bool:
    if not one.responses:
        return False
    last = one.responses[-1]
    return any(
        rating.sign > 0 and (rating.response.event_key == last.event_key or rating.at >= last.at)
        for held in reactions.values()
        for rating in held.ratings.values()
    )


def _abandonment(one: Outline, turns: list[Turn], reactions: dict[str, Reactions]) -> str:
    """Why the session counts as abandoned; empty where it does not."""
    last = one.responses[-1] if one.responses else None
    if one.queries and (last is None or last.order < one.queries[-1].order):
        return "no response after the last message"
    if last is not None and last.failed:
        return "the last response failed"
    if last is not None and last.is_refusal:
        return "the last response was a refusal"
    if last is not None and reactions[last.event_key].is_negative:
        return "the last response was rated negative"
    if turns and turns[-1].is_frustrated:
        return "the last turn was frustrated"
    return ""


def label_responses(responses: list[EventRow], turns: list[Turn], outcome: str) -> dict[str, str]:
    """Token label of each response once the session is closed; the caller's `resolution` wins."""
    turn_of = {response.event_key: turn for turn in turns for response in turn.responses}
    labels: dict[str, str] = {}
    for response in responses:
        sent = response.data.get("resolution")
        if sent:
            labels[response.event_key] = sent
        elif response is responses[-1]:
            labels[response.event_key] = "resolved" if outcome == "resolved" else "unresolved"
        else:
            turn = turn_of.get(response.event_key)
            following = turns[turn.number] if turn and turn.number < len(turns) else None
            if turn is None and turns:
                following = turns[0]
            is_rejected = following is not None and following.is_frustrated
            labels[response.event_key] = "unresolved" if is_rejected or response.failed else "follow_up"
    return labels


def _dimensions(events: list[EventRow]) -> dict[str, str | None]:
    """The last non-empty value of each dimension, by order.

    What is said about an answer afterwards, often by another client, moves no session to another environment.
    """
    values: dict[str, str | None] = dict.fromkeys(SESSION_DIMENSIONS)
    environment: str | None = None
    for event in events:
        for name in SESSION_DIMENSIONS:
            value = getattr(event, name)
            if value:
                values[name] = value
        if not is_afterwards(event):
            environment = event.environment
    return {**values, "environment": environment}


def _main_model(responses: list[EventRow]) -> str | None:
    """The model with most responses; of several, the one used latest."""
    counts = Counter(response.model for response in responses if response.model)
    if not counts:
        return None
    most = max(counts.values())
    tied = {model for model, count in counts.items() if count == most}
    return next(response.model for response in reversed(responses) if response.model in tied)
