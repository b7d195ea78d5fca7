"""Sessions once more, in plain Python from the events as they were sent: nothing here knows the engine.

Slow and simple on purpose. It knows what `tests/metrics/conversations.py` makes: one project, flags instead of texts,
ids on every event that sort in the order of the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

QUERY, RESPONSE, MODEL_CALL = "llm_query_sent", "llm_response_generated", "model_call"
CALLS = (RESPONSE, MODEL_CALL, "tool_call", "retrieval")
AFTERWARDS = ("response_feedback", "response_copied", "evaluation", "goal_completed")
IDLE = timedelta(minutes=30)
DAY = timedelta(days=1)
ZERO = Decimal(0)

Event = dict[str, Any]
Fraction = tuple[Any, Any]  # numerator, denominator (None where the metric has none)


def at(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"]).astimezone(UTC)


def order(event: Event) -> tuple[datetime, str]:
    return at(event), event["id"]


def is_failed(event: Event) -> bool:
    return event.get("status") == "error" or bool(event.get("timed_out"))


def cost(events: Iterable[Event]) -> Decimal:
    """Of model calls, as sent: the model has no list price."""
    return sum((Decimal(repr(one["cost_usd"])) for one in events if "cost_usd" in one), ZERO)


def tokens(event: Event) -> int:
    return int(event["input_tokens"] + event["output_tokens"]) if "input_tokens" in event else 0


def sign(rating: Event) -> int:
    """1 positive, -1 negative, 0 neither."""
    kind, score = rating["feedback_type"], rating.get("feedback_score", 0)
    if kind in ("thumbs_up", "thumbs_down"):
        return 1 if kind == "thumbs_up" else -1
    low, high = (6, 9) if kind == "nps" else (2, 4)
    return -1 if score <= low else int(score >= high)


@dataclass
class Turn:
    """A message, everything up to the next one, and what is known about its user's temper."""

    message: Event
    answers: list[Event]
    is_scored: bool = False
    is_frustrated: bool = False


@dataclass
class Session:
    """All events of one session in order, with the reactions to its responses wherever they were sent."""

    events: list[Event]
    # What only the user's other sessions can tell.
    is_followed: bool = False
    is_restarted: bool = False
    is_recurring: bool = False
    is_taken_back: bool = False

    def of(self, *kinds: str) -> list[Event]:
        return [one for one in self.events if one["event"] in kinds]

    @cached_property
    def responses(self) -> list[Event]:
        return self.of(RESPONSE)

    @cached_property
    def queries(self) -> list[Event]:
        return self.of(QUERY)

    @cached_property
    def user(self) -> str | None:
        return next((one["user_id"] for one in reversed(self.events) if "user_id" in one), None)

    @cached_property
    def start(self) -> datetime:
        return min(at(one) for one in self.of(QUERY, RESPONSE))

    @cached_property
    def end(self) -> datetime:
        return max(at(one) for one in self.events if one["event"] not in AFTERWARDS)

    @cached_property
    def closed_at(self) -> datetime:
        said = [at(one) for one in self.of("session_ended")]
        talked = max(at(one) for one in self.of(QUERY, *CALLS))
        return said[-1] if said and said[-1] >= talked else self.end + IDLE

    def last(self, name: str) -> str | None:
        return next((one[name] for one in reversed(self.events) if one.get(name)), None)

    @cached_property
    def environment(self) -> str:
        """The last one; what is said about an answer afterwards moves no session."""
        return str([one for one in self.events if one["event"] not in AFTERWARDS][-1]["environment"])

    @cached_property
    def humans(self) -> list[datetime]:
        """When a human took part."""
        return [at(one) for one in self.of("handoff") if one["target"] == "human"]

    @cached_property
    def human_reached(self) -> list[datetime]:
        return self.humans + [
            at(one) for one in self.of("session_ended") if one.get("outcome") == "escalated"
        ]

    @cached_property
    def ratings(self) -> dict[str, dict[str, Event]]:
        """Of each response the latest rating of each type."""
        found: dict[str, dict[str, Event]] = {one["id"]: {} for one in self.responses}
        for rating in self.of("response_feedback"):
            if name := rating.get("response_id"):
                target = next((one for one in self.responses if one["response_id"] == name), None)
            else:
                target = next((one for one in reversed(self.responses) if order(one) < order(rating)), None)
            if target is not None:
                found[target["id"]][rating["feedback_type"].split("_")[0]] = rating
        return found

    def signs(self, response: Event) -> set[int]:
        return {sign(rating) for rating in self.ratings[response["id"]].values()}

    @cached_property
    def praised(self) -> list[tuple[Event, datetime]]:
        """Responses with a positive rating, and when it came."""
        return [
            (response, at(rating))
            for response in self.responses
            for rating in self.ratings[response["id"]].values()
            if sign(rating) > 0
        ]

    @cached_property
    def turns(self) -> list[Turn]:
        found: list[Turn] = []
        for event in self.events:
            if event["event"] == QUERY:
                found.append(Turn(event, []))
            elif event["event"] == RESPONSE and found:
                found[-1].answers.append(event)
        for turn in found:
            is_panned = any(-1 in self.signs(answer) for answer in turn.answers)
            flag = turn.message.get("frustrated")
            turn.is_scored = is_panned or flag is not None
            turn.is_frustrated = is_panned or bool(flag)
        return found

    @cached_property
    def stated(self) -> str | None:
        said = self.of("session_ended")
        if not said or any(order(one) > order(said[-1]) for one in self.queries):
            return None
        outcome: str | None = said[-1].get("outcome")
        return outcome

    @cached_property
    def outcome(self) -> tuple[str, str]:
        """Outcome and level; the first rule that applies."""
        if self.stated:
            return self.stated, "verified" if self.stated == "resolved" else ""
        if self.humans:
            return "escalated", ""
        last = self.responses[-1] if self.responses else None
        if self.of("goal_completed"):
            return "resolved", "verified"
        if last and any(response is last or when >= at(last) for response, when in self.praised):
            return "resolved", "verified"
        if self._is_left():
            return "abandoned", ""
        return ("unresolved", "") if self.is_followed else ("resolved", "contained")

    def _is_left(self) -> bool:
        last = self.responses[-1] if self.responses else None
        if self.queries and (last is None or order(last) < order(self.queries[-1])):
            return True
        if last and (is_failed(last) or last.get("refused") or -1 in self.signs(last)):
            return True
        return bool(self.turns) and self.turns[-1].is_frustrated

    @cached_property
    def is_spiked(self) -> bool:
        """Every frustrated turn is a strong one where frustration is flagged or rated."""
        return any(turn.is_frustrated for turn in self.turns)

    @cached_property
    def spikes(self) -> list[tuple[bool, bool]]:
        """(recovered, recovered and confirmed) of each spike."""
        found: list[tuple[bool, bool]] = []
        free_from = 0
        for place, turn in enumerate(self.turns):
            if not turn.is_frustrated or place < free_from:
                continue
            free_from = place + 4
            after = self.turns[place + 1 :]
            is_praised = any(when > at(turn.message) for _, when in self.praised)
            is_calm = len(after) >= 3 and not any(one.is_frustrated for one in after[:3])
            outcome = self.outcome[0]
            is_confirmed = is_praised or is_calm or outcome == "resolved"
            found.append(
                (is_praised or len(after) >= 4, is_confirmed and outcome not in ("escalated", "abandoned"))
            )
        return found

    @cached_property
    def is_deflected(self) -> bool:
        is_resolved = self.outcome[0] == "resolved" and bool(self.responses)
        return is_resolved and not self.humans and not self.is_taken_back

    @cached_property
    def cost(self) -> Decimal:
        return cost(self.of(RESPONSE, MODEL_CALL))

    def request(self, response: Event) -> list[Event]:
        """A response and the inner calls that it answers for: those that it is the first response after."""
        served = []
        for call in self.of(MODEL_CALL):
            if next((one for one in self.responses if at(one) >= at(call)), None) is response:
                served.append(call)
        return [response, *served]

    def label(self, response: Event) -> str:
        """What the tokens of a response led to, once the session is closed."""
        if "resolution" in response:
            return str(response["resolution"])
        if response is self.responses[-1]:
            return "resolved" if self.outcome[0] == "resolved" else "unresolved"
        following = next((turn for turn in self.turns if order(turn.message) > order(response)), None)
        is_rejected = following is not None and following.is_frustrated
        return "unresolved" if is_rejected or is_failed(response) else "follow_up"


def sessions_of(events: list[Event]) -> list[Session]:
    """Events by their session: named, else the user's nearest within the idle gap, else a new one."""
    home_of = {one["response_id"]: one for one in events if one["event"] == RESPONSE}
    members: dict[str, list[Event]] = {}
    latest: dict[str, tuple[datetime, str]] = {}
    derived: dict[str, str] = {}
    for event in sorted(events, key=order):
        name, user = event.get("session_id"), event.get("user_id")
        if name is None and user is not None and ("response_id" not in event or event["event"] == RESPONSE):
            seen = latest.get(user)
            # A session that has been idle for the whole gap is closed.
            name = seen[1] if seen and at(event) - seen[0] < IDLE else f"derived from {event['id']}"
            derived[event["id"]] = name
        if name is not None and user is not None:
            latest[user] = (at(event), name)
        if name is not None:
            members.setdefault(name, []).append(event)
    for event in events:
        answer = home_of.get(event.get("response_id", "")) if event["event"] != RESPONSE else None
        if answer is not None:
            name = answer.get("session_id") or derived.get(answer["id"])
            if name is not None and event not in members[name]:
                members[name].append(event)
    found = [Session(sorted(own, key=order)) for own in members.values()]
    found = [one for one in found if one.of(QUERY, RESPONSE)]
    _look_around(found)
    return found


def _look_around(found: list[Session]) -> None:
    """What the other sessions of the same user say about each session."""
    for own in found:
        others = [one for one in found if one is not own and one.user == own.user and own.user]
        waits = [one.start - own.end for one in others]
        own.is_followed = any(timedelta(0) < wait <= DAY for wait in waits)
        own.is_restarted = any(timedelta(0) < wait <= timedelta(minutes=5) for wait in waits)
        own.is_recurring = any(own.start - 30 * DAY <= one.start < own.start for one in others)
        reached = [moment - own.end for one in others for moment in one.human_reached]
        own.is_taken_back = any(timedelta(0) < wait <= DAY for wait in reached)
