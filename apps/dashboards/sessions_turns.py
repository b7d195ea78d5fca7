"""A session as people read it: turns of bubbles and notes, each beside the waterfall of its operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from apps.conversations.rows import FEEDBACK, MODEL_CALL, QUERY, RESPONSE, EventRow
from apps.conversations.timeline import Story
from apps.conversations.turns import Turn
from apps.dashboards.display import amount
from apps.dashboards.sessions_list import money_words, span_words
from apps.dashboards.sessions_marks import (
    SUSPICIONS,
    Mark,
    feedback_mark,
    interventions,
    response_marks,
    turn_marks,
)

# [1], [^2] and 【3†source】: the ways in which answers point at their sources.
CITATION: Final = re.compile(r"(\[\^?\d{1,3}\]|【[^】\n]{1,60}】)")
SHOWN_CHARACTERS: Final = 4_000
LISTED_SOURCES: Final = 20
OPERATIONS: Final = {
    RESPONSE: "Response",
    MODEL_CALL: "Model call",
    "tool_call": "Tool",
    "retrieval": "Retrieval",
    "step": "Step",
    "agent_run": "Agent",
    "handoff": "Handoff",
}
THIN: Final = 0.8


@dataclass(slots=True)
class Bubble:
    """A message, or a note about what happened between messages (`side` is "note").

    `pieces` alternate between plain text and citation markers; `rest` is what a long text hides at first.
    """

    id: str
    side: str
    at: datetime
    title: str
    pieces: list[str] = field(default_factory=list)
    rest: str = ""
    missing: str = ""
    language: str = ""
    marks: list[Mark] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    facts: str = ""


@dataclass(slots=True)
class Bar:
    """A line of the waterfall; `x` and `width` are percent of the turn's length.

    Where `is_said`, the anchor of the event is its bubble.
    """

    id: str
    kind: str
    label: str
    name: str
    at: datetime
    x: str
    width: str
    duration: str
    facts: str
    error: str
    marks: list[Mark]
    is_said: bool


@dataclass(slots=True)
class TurnView:
    """A turn; number 0 holds what came before the first message."""

    number: int
    bubbles: list[Bubble] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    length: str = ""
    is_continued: bool = False

    @property
    def is_spike(self) -> bool:
        return any(mark.state == "critical" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Reader:
    """What every line needs: the story, the zone of its times, and why text may be missing."""

    story: Story
    zone: ZoneInfo
    why_no_text: str
    tried: dict[str, Mark]


def turn_views(
    story: Story,
    turns: list[Turn],
    evidence: dict[str, Any],
    part: list[EventRow],
    zone: ZoneInfo,
    why_no_text: str,
) -> list[TurnView]:
    """The turns that the events of `part` belong to, in order."""
    spikes = {int(one["turn"]): one for one in evidence.get("spikes", [])}
    reader = Reader(story, zone, why_no_text, interventions(turns, spikes))
    return [_turn_view(reader, number, turns, events, spikes) for number, events in _by_turn(turns, part)]


def _by_turn(turns: list[Turn], part: list[EventRow]) -> Iterator[tuple[int, list[EventRow]]]:
    """Events grouped by turn number; those before the first message under 0."""
    number_of = {one.event_key: turn.number for turn in turns for one in (turn.message, *turn.events)}
    grouped: dict[int, list[EventRow]] = {}
    for event in part:
        grouped.setdefault(number_of.get(event.event_key, 0), []).append(event)
    yield from grouped.items()


def _turn_view(
    reader: Reader, number: int, turns: list[Turn], events: list[EventRow], spikes: dict[int, dict[str, Any]]
) -> TurnView:
    operations = [event for event in events if event.name in OPERATIONS]
    begun = min((_begun(event) for event in operations), default=events[0].at)
    begun = min(begun, events[0].at) if events[0].name == QUERY else begun
    # A handoff has no length and may come much later: it would press everything else together.
    timed = [event.at for event in operations if event.duration_us]
    length = max(timed, default=begun) - begun
    ordered = sorted(operations, key=lambda event: (_begun(event), -(event.duration_us or 0)))
    is_continued = number > 0 and events[0] is not turns[number - 1].message
    return TurnView(
        number=number,
        bubbles=[
            _bubble(reader, event) for event in events if event.name not in OPERATIONS or _is_said(event)
        ],
        bars=[_bar(reader, event, begun, length) for event in ordered],
        marks=turn_marks(turns[number - 1], spikes) if number and not is_continued else [],
        length=span_words(length) if length else "",
        is_continued=is_continued,
    )


def _is_said(event: EventRow) -> bool:
    return event.name in (RESPONSE, "handoff")


def _begun(event: EventRow) -> datetime:
    """Events are sent when an operation ends; its duration says when it began."""
    return event.at - timedelta(microseconds=event.duration_us or 0)


def event_id(event: EventRow) -> str:
    """The permanent anchor of an event on the page."""
    return f"e-{event.event_key[:16]}"


def _bubble(reader: Reader, event: EventRow) -> Bubble:
    bubble = Bubble(event_id(event), "note", event.at.astimezone(reader.zone), "")
    text = reader.story.texts.get(event.event_key, {})
    if event.name == QUERY:
        bubble.side, bubble.title, bubble.language = "user", "User", event.language or ""
        _say(bubble, text.get("query_text"), event.data.get("query_length"), reader)
    elif event.name == RESPONSE:
        generation = reader.story.generations.get(event.event_key)
        bubble.side, bubble.title = "assistant", event.model or "Assistant"
        bubble.marks = response_marks(event, generation)
        bubble.sources = [_source(one) for one in (text.get("sources") or [])[:LISTED_SOURCES]]
        bubble.facts = _usage(reader, event)
        _say(bubble, text.get("response_text"), event.data.get("response_length"), reader)
    else:
        _note(bubble, event, reader.story.particulars.get(event.event_key, {}), text)
    if event.event_key in reader.tried:
        bubble.marks.append(reader.tried[event.event_key])
    return bubble


def _say(bubble: Bubble, text: str | None, length: int | None, reader: Reader) -> None:
    if not text:
        size = f"{length:,} characters. " if length is not None else ""
        bubble.missing = f"{size}{reader.why_no_text}"
        return
    bubble.pieces = CITATION.split(text[:SHOWN_CHARACTERS])
    bubble.rest = text[SHOWN_CHARACTERS:]


def _source(source: Any) -> str:
    if isinstance(source, dict):
        return next((str(source[key]) for key in ("title", "url", "id") if source.get(key)), "Source")[:200]
    return str(source)[:200]


def _note(bubble: Bubble, event: EventRow, more: dict[str, Any], text: dict[str, Any]) -> None:
    """One line for everything that is neither message nor answer."""
    data = event.data
    said = ""
    if event.name == FEEDBACK:
        bubble.title, bubble.marks, said = "Feedback", [feedback_mark(event)], text.get("feedback_text", "")
    elif event.name == "handoff":
        to = "a human" if event.target == "human" else data.get("to_agent") or "another agent"
        bubble.title, said = f"Handed to {to}", text.get("reason", "")
    elif event.name == "session_ended":
        bubble.title = f"Session ended{': ' + data['outcome'] if data.get('outcome') else ''}"
    elif event.name == "evaluation":
        value = data.get("label") or data.get("value")
        bubble.title = f"Evaluation {more.get('name', '')}: {value} ({more.get('source', 'source unknown')})"
        said = text.get("comment", "")
    elif event.name == "guardrail":
        bubble.title = f"Guardrail {more.get('category', '')}: {data.get('action', 'noticed')}"
    else:
        bubble.title = " ".join(
            [event.name.replace("_", " ").capitalize(), str(more.get("name", ""))]
        ).strip()
    bubble.pieces = [said[:SHOWN_CHARACTERS]] if said else []
    bubble.rest = said[SHOWN_CHARACTERS:]


def _usage(reader: Reader, event: EventRow) -> str:
    """Tokens and cost of a model call, in words."""
    generation = reader.story.generations.get(event.event_key)
    if generation is None:
        return ""
    words = []
    if generation.has_usage:
        taken = generation.tokens_input + generation.tokens_cache_read + generation.tokens_cache_write
        given = generation.tokens_output + generation.tokens_reasoning
        words.append(
            f"{taken:,} in, {given:,} out" if taken or given else f"{generation.tokens_total:,} tokens"
        )
    if generation.is_unpriced:
        words.append("no price known")
    elif generation.cost_nano is not None:
        words.append(money_words(generation.cost_nano))
    words += [SUSPICIONS[flag] for flag in generation.flags or ()]
    return " · ".join(words)


def _bar(reader: Reader, event: EventRow, begun: datetime, length: timedelta) -> Bar:
    more = reader.story.particulars.get(event.event_key, {})
    whole = length / timedelta(microseconds=1) or 1.0
    start = (_begun(event) - begun) / timedelta(microseconds=1) / whole * 100
    width = max(THIN, (event.duration_us or 0) / whole * 100)
    return Bar(
        id=event_id(event),
        kind=event.name,
        label=OPERATIONS[event.name],
        name=_name(event, more),
        at=event.at.astimezone(reader.zone),
        x=f"{min(start, 100 - THIN):.2f}",
        width=f"{min(width, 100 - min(start, 100 - THIN)):.2f}",
        duration=amount(event.duration_us / 1000, "ms") if event.duration_us is not None else "",
        facts=_facts(reader, event, more),
        error=_error(event, more),
        marks=[reader.tried[event.event_key]]
        if event.event_key in reader.tried and not _is_said(event)
        else [],
        is_said=_is_said(event),
    )


def _name(event: EventRow, more: dict[str, Any]) -> str:
    if event.name == "handoff":
        return "a human" if event.target == "human" else str(event.data.get("to_agent") or "agent")
    if event.name == "agent_run":
        return event.agent or "agent"
    return str(more.get("tool_name") or more.get("stage") or event.model or event.agent or "")


def _facts(reader: Reader, event: EventRow, more: dict[str, Any]) -> str:
    words = [_usage(reader, event)]
    if event.name == "retrieval" and event.data.get("documents_count") is not None:
        words.append(f"{event.data['documents_count']} documents")
    if event.name == "agent_run" and more.get("depth"):
        words.append(f"depth {more['depth']}")
    ttft = event.data.get("ttft_ms")
    if ttft is not None:
        words.append(f"first token {amount(ttft, 'ms')}")
    return " · ".join(word for word in words if word)


def _error(event: EventRow, more: dict[str, Any]) -> str:
    if not event.failed:
        return ""
    return event.error_type or ("timed out" if more.get("timed_out") else "error")
