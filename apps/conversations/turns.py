"""Turns, frustration and recovery of one session: pure functions over its events in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.conversations.detection import asks_to_clarify, detect
from apps.conversations.ratings import Reactions
from apps.conversations.rows import QUERY, RESPONSE, EventRow
from apps.reading.frustration import FRUSTRATION_VERSION, Model, TurnScore

DETECTED = "detected in its words"
RECOVERY_TURNS = 3
FURTHER_TURNS = 4


@dataclass(slots=True)
class Turn:
    """One user message with all that answers it; numbered from 1."""

    number: int
    message: EventRow
    events: list[EventRow] = field(default_factory=list)
    is_scored: bool = False
    is_frustrated: bool = False
    is_strong: bool = False
    # Whether what its words say decides: no flag, rating or praise outranks them.
    is_by_words: bool = False
    reason: str = ""
    score: TurnScore | None = None

    @property
    def responses(self) -> list[EventRow]:
        return [event for event in self.events if event.name == RESPONSE]


@dataclass(slots=True)
class Spike:
    """A first frustrated turn and its recovery window of three turns."""

    turn: Turn
    is_recovered: bool
    is_confirmed: bool
    intervention: str

    def as_evidence(self) -> dict[str, Any]:
        return {
            "turn": self.turn.number,
            "at": self.turn.message.at.isoformat(),
            "reason": self.turn.reason,
            **evidence_of(self.turn),
            "recovered": self.is_recovered,
            "recovered_confirmed": self.is_confirmed,
            "intervention": self.intervention,
        }


def evidence_of(turn: Turn) -> dict[str, Any]:
    """Score and signals, where detection decided; nothing otherwise."""
    if turn.score is None or turn.reason != DETECTED:
        return {}
    return {
        "score": turn.score.frustration,
        "version": FRUSTRATION_VERSION,
        "signals": [signal._asdict() for signal in turn.score.signals if signal.weight > 0],
    }


def split_turns(
    events: list[EventRow], reactions: dict[str, Reactions], model: Model | None = None
) -> list[Turn]:
    """The turns of a session, judged by the detector `model` (None: the default one).

    Events before the first message belong to no turn.
    """
    turns: list[Turn] = []
    for event in events:
        if event.name == QUERY:
            turns.append(Turn(len(turns) + 1, event))
        elif turns:
            turns[-1].events.append(event)
    scores = detect(events, model)
    before: list[EventRow] = [event for event in events[:1] if event.name == RESPONSE]
    for turn in turns:
        turn.score = scores.get(turn.message.event_key)
        was_praised = bool(before) and reactions[before[-1].event_key].is_positive
        judge(turn, reactions, was_praised=was_praised)
        before = turn.responses or before
    return turns


def judge(turn: Turn, reactions: dict[str, Reactions], *, was_praised: bool) -> None:
    """Decide whether a turn is scored, frustrated and strong.

    A negative rating on its response outranks the caller's flag, the flag what its words say; praise of
    the answer before it outranks the words. Without any of these the turn is unscored, which is not calm.
    """
    flag = turn.message.data.get("frustrated")
    if any(reactions[response.event_key].is_negative for response in turn.responses):
        turn.is_scored = turn.is_frustrated = turn.is_strong = True
        turn.reason = "negative rating on its response"
    elif flag is not None:
        turn.is_scored = True
        turn.is_frustrated = turn.is_strong = bool(flag)
        turn.reason = "flagged by the caller" if flag else ""
    elif turn.score is not None and turn.score.frustration is not None:
        turn.is_scored, turn.is_by_words = True, not was_praised
        if turn.score.is_frustrated and not was_praised:
            turn.is_frustrated, turn.is_strong = True, turn.score.is_strong
            turn.reason = DETECTED


def is_spiked(turns: list[Turn], *, ends_unresolved: bool) -> bool:
    """Two frustrated turns, or a strong one, or frustration in the last turn of an unresolved session."""
    frustrated = [turn for turn in turns if turn.is_frustrated]
    return (
        len(frustrated) >= 2
        or any(turn.is_strong for turn in frustrated)
        or bool(frustrated and turns[-1].is_frustrated and ends_unresolved)
    )


def find_spikes(turns: list[Turn], positive_at: list[datetime], outcome: str) -> list[Spike]:
    """Every spike of the session. A frustrated turn inside an open window belongs to its spike."""
    spikes: list[Spike] = []
    window_end = 0
    for turn in turns:
        if not turn.is_frustrated or turn.number <= window_end:
            continue
        window_end = turn.number + RECOVERY_TURNS
        window = turns[turn.number : window_end]
        was_praised = any(at > turn.message.at for at in positive_at)
        stayed_calm = len(window) == RECOVERY_TURNS and not any(one.is_frustrated for one in window)
        spikes.append(
            Spike(
                turn=turn,
                is_recovered=was_praised or len(turns) - turn.number >= FURTHER_TURNS,
                is_confirmed=outcome not in ("escalated", "abandoned")
                and (was_praised or stayed_calm or outcome == "resolved"),
                intervention=intervention_of([turn, *window]),
            )
        )
    return spikes


def intervention_of(window: list[Turn]) -> str:
    """What was tried inside the recovery window: the strongest of hand-over, grounded answer, tool result, question."""
    events = [event for turn in window for event in turn.events]
    if any(event.name == "handoff" and event.target == "human" for event in events):
        return "human_handoff"
    answers = [event for event in events if event.name == RESPONSE]
    if any(answer.citations and answer.citations[0] for answer in answers):
        return "grounded_answer"
    if any(event.name == "tool_call" and not event.failed for event in events):
        return "tool_result"
    return "clarifying_question" if any(asks_to_clarify(answer) for answer in answers) else "none"
