"""60 days of a support assistant's traffic, the same for the same anchor hour.

Three incidents are in it to be found, counted in days before the anchor:
- days 20 to 17: prompt version v14 answers without sources and annoys people, until it is rolled back;
- days 34 to 32: the tool `search_kb` is slow and times out;
- day 9, five hours: an agent loops, with many model calls a response and the cost that goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.dashboards.demo.script import (
    CHANNELS,
    COMPLAINTS,
    CUSTOMERS,
    FOLLOW_UPS,
    INTENTS,
    MODELS,
    SEGMENTS,
    THANKS,
    TOOL_MS,
    Intent,
)

DAYS = 60
SESSIONS_ON_A_WEEKDAY = 135
PEOPLE = 2400
SEED = 20260101
# Share of a day's sessions by local hour: a working day with a dip at noon and a small evening peak.
HOURS = (4, 3, 2, 2, 2, 4, 10, 22, 46, 64, 70, 66, 52, 58, 64, 62, 56, 46, 38, 34, 30, 22, 14, 8)
BAD_PROMPT = range(17, 21)
SLOW_TOOL = range(32, 35)
LOOP_DAY, LOOP_HOURS = 9, range(10, 15)


@dataclass
class Talk:
    """One session while it is made."""

    random: Random
    at: datetime
    days_ago: int
    base: dict[str, Any]
    intent: Intent
    model: tuple[str, str, int, int, int]
    prompt_version: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_bad_prompt(self) -> bool:
        return self.prompt_version == "v14"

    @property
    def is_looping(self) -> bool:
        return self.days_ago == LOOP_DAY and self.at.hour in LOOP_HOURS and self.base["channel"] == "web"

    def wait(self, milliseconds: float) -> None:
        self.at += timedelta(milliseconds=round(milliseconds))

    def say(self, event: str, **fields: Any) -> None:
        number = len(self.events)
        self.events.append(
            {
                "event": event,
                "id": f"{self.base['session_id']}-{number}",
                "timestamp": self.at.isoformat(),
                **self.base,
                **fields,
            }
        )


def generate(anchor: datetime) -> list[dict[str, Any]]:
    """All events up to `anchor` (in the organisation's zone), oldest first; at most 100,000."""
    anchor = anchor.replace(minute=0, second=0, microsecond=0)
    events = [event for event in _all(anchor) if event["timestamp"] <= anchor.isoformat()]
    events.sort(key=lambda event: (datetime.fromisoformat(event["timestamp"]), event["id"]))
    return events[:100_000]


def _all(anchor: datetime) -> Iterator[dict[str, Any]]:
    midnight = anchor.replace(hour=0)
    for days_ago in range(DAYS, -1, -1):
        day = midnight - timedelta(days=days_ago)
        random = Random(SEED + days_ago)
        yield from _deployments(day, days_ago)
        growth = 1 + 0.25 * (DAYS - days_ago) / DAYS
        weekend = 0.45 if day.weekday() >= 5 else 1.0
        count = round(SESSIONS_ON_A_WEEKDAY * growth * weekend * random.uniform(0.94, 1.06))
        for number in range(count):
            yield from _session(day, days_ago, number, random)


def _deployments(day: datetime, days_ago: int) -> Iterator[dict[str, Any]]:
    changes = {
        45: ("release", "2026.10"),
        21: ("release", "2026.11"),
        max(BAD_PROMPT): ("prompt", "v14"),
        min(BAD_PROMPT) - 1: ("prompt", "v13"),
        6: ("prompt", "v15"),
    }
    if days_ago in changes:
        kind, version = changes[days_ago]
        yield {
            "event": "deployment",
            "id": f"deploy-{kind}-{days_ago}",
            "timestamp": day.isoformat(),
            "kind": kind,
            "name": "support-assistant",
            "version": version,
        }


def _prompt(days_ago: int, random: Random) -> str:
    if days_ago in BAD_PROMPT:
        return "v14"
    if days_ago <= 6:
        return "v15" if random.random() < 0.5 else "v13"
    return "v13" if days_ago < 40 else "v12"


def _pick(random: Random, pairs: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in pairs], [weight for _, weight in pairs])[0]


def _session(day: datetime, days_ago: int, number: int, random: Random) -> Iterator[dict[str, Any]]:
    hour = random.choices(range(24), HOURS)[0]
    at = day + timedelta(hours=hour, seconds=random.uniform(0, 3600))
    intent = random.choices(INTENTS, [one.weight for one in INTENTS])[0]
    person = int(PEOPLE * random.random() ** 1.6)
    base = {
        "session_id": f"demo-{days_ago:02d}-{number:03d}",
        "user_id": f"person-{person:04d}",
        "channel": _pick(random, CHANNELS),
        "segment": _pick(random, SEGMENTS),
        "intent": intent.name,
        "feature": intent.feature,
        "team": intent.team,
        "customer": CUSTOMERS[person % len(CUSTOMERS)],
        "release": "2026.11" if days_ago <= 21 else "2026.10" if days_ago <= 45 else "2026.09",
        "language": "en",
    }
    model = random.choices(MODELS, [one[2] for one in MODELS])[0]
    talk = Talk(random, at, days_ago, base, intent, model, _prompt(days_ago, random))
    converse(talk)
    yield from talk.events


def converse(talk: Talk) -> None:
    """The turns of a session, and how it ends."""
    random = talk.random
    turns = min(6, 1 + int(random.expovariate(0.8)))
    is_annoyed = random.random() < (0.30 if talk.is_bad_prompt else 0.075)
    annoyed_at = random.randint(1, max(1, turns)) if is_annoyed else 0
    is_patient = random.random() < 0.62
    if is_annoyed and is_patient:
        turns = max(turns, annoyed_at + 4)
    for turn in range(1, turns + 1):
        turn_of(talk, turn, is_frustrated=turn == annoyed_at)
        talk.wait(random.uniform(8_000, 70_000))
    close(talk, is_stuck=is_annoyed and not is_patient)


def turn_of(talk: Talk, turn: int, *, is_frustrated: bool) -> None:
    """One message and its answer, with the calls behind it."""
    random = talk.random
    number = random.randint(10_000, 99_999)
    if is_frustrated:
        text = random.choice(COMPLAINTS)
    else:
        text = random.choice(talk.intent.questions if turn == 1 else FOLLOW_UPS).format(n=number)
    talk.say("llm_query_sent", query_text=text, conversation_turn=turn, frustrated=is_frustrated)
    trace = f"{talk.base['session_id']}-t{turn}"
    begun = talk.at
    if turn == 1:
        call_tools(talk, trace)
    respond(talk, turn, trace, begun, number)


def call_tools(talk: Talk, trace: str) -> None:
    """A run of the agent: retrieval or tools, each a step."""
    random = talk.random
    for tool in talk.intent.tools:
        is_slow = tool == "search_kb" and talk.days_ago in SLOW_TOOL
        duration = TOOL_MS[tool] * random.lognormvariate(0, 0.45) * (9 if is_slow else 1)
        has_timed_out = is_slow and random.random() < 0.22
        duration = 10_000.0 if has_timed_out else duration
        has_failed = has_timed_out or random.random() < 0.008
        talk.wait(duration)
        talk.say(
            "tool_call",
            tool_name=tool,
            duration_ms=round(duration, 1),
            status="error" if has_failed else "ok",
            trace_id=trace,
            **({"timed_out": True, "error_type": "timeout"} if has_timed_out else {}),
            **({"error_type": "tool_error"} if has_failed and not has_timed_out else {}),
        )
    if talk.is_looping:
        loop(talk, trace)


def loop(talk: Talk, trace: str) -> None:
    """The agent calls the model again and again before it answers."""
    for depth in range(1, 7):
        talk.wait(1400)
        talk.say("agent_run", agent_name="planner", depth=depth, duration_ms=1400, status="ok", trace_id=trace)
        talk.say(
            "model_call",
            provider="openai",
            model="gpt-4o",
            input_tokens=14_000 + depth * 3_500,
            output_tokens=900,
            latency_ms=1400,
            status="ok",
            trace_id=trace,
        )


def respond(talk: Talk, turn: int, trace: str, begun: datetime, number: int) -> None:
    random = talk.random
    provider, model, _, latency, ttft = talk.model
    model_ms = latency * random.lognormvariate(0, 0.38)
    talk.wait(model_ms)
    has_failed = random.random() < 0.011
    sentences = random.randint(2, 7)
    share = 0.35 if talk.is_bad_prompt else 0.80
    cited = sum(random.random() < share for _ in range(sentences))
    is_last_word = {} if random.random() < 0.7 else {"resolution": "follow_up" if turn == 1 else "resolved"}
    fields: dict[str, Any] = {
        "response_id": f"{talk.base['session_id']}-r{turn}",
        "provider": provider,
        "model": model,
        "prompt_name": "support",
        "prompt_version": talk.prompt_version,
        "conversation_turn": turn,
        "latency_ms": round((talk.at - begun) / timedelta(milliseconds=1), 1),
        "model_latency_ms": round(model_ms, 1),
        "trace_id": trace,
    }
    if has_failed:
        error = random.choice(("rate_limit", "timeout", "provider_error"))
        talk.say("llm_response_generated", status="error", error_type=error, **fields)
        return
    prompt_tokens = int(900 + 350 * turn + random.expovariate(1 / 300))
    talk.say(
        "llm_response_generated",
        status="ok",
        response_text=random.choice(talk.intent.answers).format(n=number),
        input_tokens=prompt_tokens,
        output_tokens=int(60 + random.expovariate(1 / 110)),
        cached_input_tokens=prompt_tokens // 3 if turn > 1 else 0,
        ttft_ms=round(min(model_ms, ttft * random.lognormvariate(0, 0.3)), 1),
        streaming=True,
        finish_reason="stop",
        cited_sentences=cited,
        total_sentences=sentences,
        grounding_expected=True,
        **fields,
        **is_last_word,
    )


def close(talk: Talk, *, is_stuck: bool) -> None:
    """Ratings, hand-overs and what the application says about the end."""
    random = talk.random
    rated = random.random()
    last = max(event["conversation_turn"] for event in talk.events if "conversation_turn" in event)
    response_id = f"{talk.base['session_id']}-r{last}"
    solved = talk.intent.solved * (0.35 if is_stuck else 1.0) * (0.85 if talk.is_bad_prompt else 1.0)
    is_solved = random.random() < solved
    if rated < 0.16:
        kind = "thumbs_up" if is_solved and random.random() < 0.93 else "thumbs_down"
        talk.say("response_feedback", response_id=response_id, feedback_type=kind)
    if not is_solved and random.random() < 0.70:
        talk.wait(2_000)
        talk.say("handoff", target="human", reason="customer asked", from_agent="assistant", to_agent="support desk")
        talk.say("session_ended", outcome="escalated")
    elif is_solved and random.random() < 0.35:
        talk.say("goal_completed", name=talk.intent.name)
        talk.say("session_ended", outcome="resolved")
    elif rated > 0.7:
        talk.say("llm_query_sent", query_text=random.choice(THANKS), frustrated=False, conversation_turn=last + 1)
        talk.wait(900)
        respond(talk, last + 1, f"{talk.base['session_id']}-t{last + 1}", talk.at, 0)
