"""What stands out in a session, and why: frustration, recovery, interventions, grounding, feedback, outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from apps.conversations.detection import asks_to_clarify
from apps.conversations.models import Generation, Session
from apps.conversations.ratings import rating_of
from apps.conversations.rows import RESPONSE, EventRow
from apps.conversations.turns import RECOVERY_TURNS, Turn, evidence_of

LOW_GROUNDING: Final = 0.5
GOOD_GROUNDING: Final = 0.7
NANO: Final = 1_000_000_000
INTERVENTIONS: Final = {
    "human_handoff": "handed to a human",
    "grounded_answer": "an answer with sources",
    "clarifying_question": "a clarifying question",
    "tool_result": "the result of a tool",
    "none": "none",
}
# Why token counts of a model call are suspect.
SUSPICIONS: Final = {
    "cached_exceeds_input": "more cached than input tokens",
    "reasoning_exceeds_output": "more reasoning than output tokens",
    "total_differs": "tokens_used is not their sum",
    "inner_calls_reported_too": "its inner calls report tokens too",
}
FEEDBACK_WORDS: Final = {
    "thumbs_up": "Thumbs up",
    "thumbs_down": "Thumbs down",
    "stars": "Stars",
    "csat": "Satisfaction",
    "nps": "Recommendation",
    "comment": "Comment",
}


SIGNALS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge with the reason for it; `state` is one of the badge styles."""

    state: str
    word: str
    why: str = ""


def turn_marks(turn: Turn, spikes: dict[int, dict[str, Any]]) -> list[Mark]:
    """Frustration of a turn, and the spike that begins with it."""
    marks = []
    spike = spikes.get(turn.number)
    if spike is None and turn.is_frustrated:
        marks.append(Mark("warning", "Frustrated", why_frustrated(turn)))
    if spike is not None:
        why = why_frustrated(turn) or str(spike.get("reason", ""))
        marks.append(Mark("critical", "Frustration spike", why))
        marks.append(_recovery(spike))
    return marks


def why_frustrated(turn: Turn) -> str:
    """The reason, and what was found where words decided: the strongest signals and the score."""
    found = evidence_of(turn)
    if not found:
        return turn.reason
    named = [
        f"{signal['name'].replace('_', ' ')} (“{signal['evidence']}”)"
        for signal in found["signals"][:SIGNALS_SHOWN]
    ]
    return f"{turn.reason}: {', '.join(named)}; score {found['score']:.2f}"


def _recovery(spike: dict[str, Any]) -> Mark:
    tried = INTERVENTIONS.get(str(spike.get("intervention")), str(spike.get("intervention")))
    told = f"Tried within {RECOVERY_TURNS} turns: {tried}."
    if not spike.get("recovered"):
        return Mark(
            "failed", "Not recovered", f"Fewer than four turns and no positive rating came after it. {told}"
        )
    confirmed = (
        " Confirmed by a rating, the outcome or three calm turns." if spike.get("recovered_confirmed") else ""
    )
    return Mark("ok", "Recovered", f"Four turns or a positive rating came after it.{confirmed} {told}")


def interventions(turns: list[Turn], spikes: dict[int, dict[str, Any]]) -> dict[str, Mark]:
    """The event that was each spike's intervention, by event key."""
    found: dict[str, Mark] = {}
    for number, spike in spikes.items():
        kind = str(spike.get("intervention"))
        for turn in turns[number - 1 : number + RECOVERY_TURNS]:
            event = next((one for one in turn.events if _is(one, kind)), None)
            if event is not None:
                why = f"For the spike in turn {number}: {INTERVENTIONS.get(kind, kind)}."
                found[event.event_key] = Mark("done", "Intervention", why)
                break
    return found


def _is(event: EventRow, kind: str) -> bool:
    if kind == "human_handoff":
        return event.name == "handoff" and event.target == "human"
    if kind == "grounded_answer":
        return event.name == RESPONSE and bool(event.citations and event.citations[0])
    if kind == "clarifying_question":
        return event.name == RESPONSE and asks_to_clarify(event)
    return kind == "tool_result" and event.name == "tool_call" and not event.failed


def response_marks(event: EventRow, generation: Generation | None) -> list[Mark]:
    """Failure, refusal and grounding of an answer."""
    marks = []
    if event.failed:
        marks.append(Mark("critical", "Failed", event.error_type or "status error"))
    if generation is None:
        return marks
    if generation.is_refused:
        marks.append(
            Mark("warning", "Refused", "the caller says so" if event.data.get("refused") else "by its words")
        )
    if generation.grounding_nano is not None:
        score = generation.grounding_nano / NANO
        cited, total = event.citations or (0, 0)
        why = f"{cited} of {total} sentences cite a source"
        word = "Low grounding" if score < LOW_GROUNDING else "Grounding"
        state = "warning" if score < LOW_GROUNDING else "ok" if score >= GOOD_GROUNDING else "off"
        marks.append(Mark(state, f"{word} {score:.2f}", why))
    elif generation.is_grounding_expected and not event.failed:
        marks.append(
            Mark("off", "Grounding not scored", "expected, but neither counts nor citations were sent")
        )
    return marks


def feedback_mark(event: EventRow) -> Mark:
    """A rating or comment as a badge."""
    kind = str(event.data.get("feedback_type", ""))
    score = event.data.get("feedback_score")
    word = FEEDBACK_WORDS.get(kind, "Feedback")
    rating = rating_of(event, event)
    state = {1: "ok", -1: "critical"}.get(rating.sign if rating else 0, "off")
    shown = word if score is None or kind.startswith("thumbs") else f"{word} {score:g}"
    return Mark(state, shown, "given by the user")


def outcome_mark(session: Session, now: Any) -> Mark:
    """How the session ended, by which rule; an open one has no outcome yet."""
    if session.closed_at > now:
        return Mark("pending", "Open", "No outcome before it is closed, by its end or by silence.")
    state = {"resolved": "ok", "unresolved": "warning"}.get(session.outcome, "critical")
    level = f", {session.level}" if session.level else ""
    return Mark(state, f"{session.outcome.capitalize()}{level}", session.outcome_rule)
