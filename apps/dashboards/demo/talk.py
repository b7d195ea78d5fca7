"""One conversation of the demo: messages, the calls behind each answer, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.dashboards.demo import calendar
from apps.dashboards.demo.mood import ANNOYED, DEMAND, THANKS, answers, messages, plan
from apps.dashboards.demo.script import TOOL_MS, Intent, Model
from apps.dashboards.demo.voices import Texts, Voice

TOOL_TIMEOUT_MS = 10_000.0


@dataclass
class Talk:
    """One session while it is made; `at` is its clock."""

    random: Random
    at: datetime
    days_ago: int
    base: dict[str, Any]
    intent: Intent
    voice: Voice
    model: Model
    prompt_version: str
    events: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    first: str = ""
    turns: int = 0
    is_let_down: bool = False

    @property
    def is_bad_prompt(self) -> bool:
        return self.prompt_version == "v14"

    @property
    def is_looping(self) -> bool:
        return (
            self.days_ago == calendar.LOOP_DAY
            and self.at.hour in calendar.LOOP_HOURS
            and self.base["channel"] == "web"
            and self.turns == 1
        )

    @property
    def is_traced(self) -> bool:
        """Whether the steps of this session are recorded: one in three."""
        return int(self.base["session_id"][-3:]) % 3 == 0

    @property
    def response_id(self) -> str:
        return f"{self.base['session_id']}-r{self.turns}"

    @property
    def trace_id(self) -> str:
        return f"{self.base['session_id']}-t{self.turns}"

    def wait(self, milliseconds: float) -> None:
        self.at += timedelta(milliseconds=round(milliseconds))

    def since(self, begun: datetime) -> float:
        return round((self.at - begun) / timedelta(milliseconds=1), 1)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def choose(self, texts: Texts) -> str:
        """One of the texts that was not said yet in this conversation."""
        chosen = self.random.choice([text for text in texts if text not in self.said] or texts)
        self.said.add(chosen)
        return chosen

    def say(self, event: str, **fields: Any) -> None:
        identity = {"event": event, "id": f"{self.base['session_id']}-{len(self.events)}"}
        self.events.append((self.at, {**identity, "timestamp": self.at.isoformat(), **self.base, **fields}))


def converse(talk: Talk) -> None:
    """All turns of a session, and its end."""
    kinds = plan(talk.random, is_bad_prompt=talk.is_bad_prompt)
    for kind, following in zip(kinds, [*kinds[1:], ""], strict=True):
        exchange(talk, kind, following)
        talk.wait(talk.random.uniform(8_000, 70_000))
    if kinds[-1] in ANNOYED:
        give_up(talk, has_asked=kinds[-1] == DEMAND)
    else:
        finish(talk)


def exchange(talk: Talk, kind: str, following: str = "") -> None:
    """One message and its answer, with the calls behind it; `following` is the kind of the next message."""
    talk.turns += 1
    number = talk.random.randint(10_000, 99_999)
    about = talk.voice, talk.intent.name, kind
    message = talk.choose(messages(*about))
    text = message.format(n=number, said=talk.first)
    talk.first = talk.first or text
    talk.say("llm_query_sent", query_text=text, conversation_turn=talk.turns)
    begun = talk.at
    if talk.turns == 1 or talk.chance(0.2):
        look_up(talk)
        call_tools(talk)
    if talk.is_looping:
        loop(talk)
    answer = talk.choose(answers(*about, message, following)).format(n=number)
    respond(talk, begun, answer, is_sourced=not ANNOYED & {kind, following})


def look_up(talk: Talk) -> None:
    """Retrieval from the knowledge base, for the intents that need it."""
    if not talk.intent.is_looked_up:
        return
    begun = talk.at
    talk.wait(60 * talk.random.lognormvariate(0, 0.4))
    found = [
        {"id": f"kb-{talk.random.randint(100, 480)}", "score": round(talk.random.uniform(0.55, 0.95), 3)}
        for _ in range(talk.random.randint(2, 5))
    ]
    talk.say("retrieval", duration_ms=talk.since(begun), documents=found, status="ok", trace_id=talk.trace_id)
    step(talk, "retrieval", begun)


def call_tools(talk: Talk) -> None:
    for tool in talk.intent.tools:
        begun = talk.at
        is_slow = tool == "search_kb" and talk.days_ago in calendar.SLOW_TOOL_DAYS
        has_timed_out = is_slow and talk.chance(0.22)
        duration = TOOL_MS[tool] * talk.random.lognormvariate(0, 0.45) * (9 if is_slow else 1)
        talk.wait(TOOL_TIMEOUT_MS if has_timed_out else min(duration, TOOL_TIMEOUT_MS - 1))
        error = "timeout" if has_timed_out else "tool_error" if talk.chance(0.008) else ""
        talk.is_let_down = talk.is_let_down or has_timed_out
        talk.say(
            "tool_call",
            tool_name=tool,
            duration_ms=talk.since(begun),
            status="error" if error else "ok",
            trace_id=talk.trace_id,
            **({"error_type": error} if error else {}),
            **({"timed_out": True} if has_timed_out else {}),
        )
        step(talk, "tool", begun)


def step(talk: Talk, stage: str, begun: datetime) -> None:
    if talk.is_traced:
        talk.say("step", stage=stage, duration_ms=talk.since(begun), status="ok", trace_id=talk.trace_id)


def loop(talk: Talk) -> None:
    """The agent calls itself and the model again and again before it answers."""
    for depth in range(2, 7):
        begun = talk.at
        for attempt in (1, 2):
            talk.wait(1_400)
            talk.say(
                "model_call",
                provider="openai",
                model="gpt-4o",
                input_tokens=4_000 + depth * 1_500 + attempt * 400,
                output_tokens=500,
                latency_ms=1_400,
                status="ok",
                trace_id=talk.trace_id,
            )
        talk.say(
            "agent_run",
            agent_name="planner",
            depth=depth,
            duration_ms=talk.since(begun),
            status="ok",
            trace_id=talk.trace_id,
        )


def respond(talk: Talk, begun: datetime, text: str, *, is_sourced: bool) -> None:
    """The answer, and the run of the agent that made it."""
    random, model = talk.random, talk.model
    asked = talk.at
    talk.wait(model.latency_ms * random.lognormvariate(0, 0.38))
    model_ms = talk.since(asked)
    step(talk, "model", asked)
    error = random.choice(("rate_limit", "timeout", "provider_error")) if talk.chance(0.009) else ""
    fields: dict[str, Any] = {
        "response_id": talk.response_id,
        "provider": model.provider,
        "model": model.name,
        "model_version": model.version,
        "prompt_name": "support",
        "prompt_version": talk.prompt_version,
        "conversation_turn": talk.turns,
        "latency_ms": talk.since(begun),
        "model_latency_ms": model_ms,
        "trace_id": talk.trace_id,
        "status": "error" if error else "ok",
    }
    fields |= {"error_type": error} if error else answered(talk, model_ms, text)
    fields |= citations(talk) if is_sourced and not error else {}
    talk.say("llm_response_generated", **fields)
    talk.say(
        "agent_run",
        agent_name="support-agent",
        depth=1,
        duration_ms=talk.since(begun),
        status=fields["status"],
        trace_id=talk.trace_id,
        **({"error_type": error} if error else {}),
    )


def answered(talk: Talk, model_ms: float, text: str) -> dict[str, Any]:
    """Text, tokens and times of an answer that succeeded."""
    random = talk.random
    prompt_tokens = int(900 + 350 * talk.turns + random.expovariate(1 / 300))
    label = "follow_up" if talk.turns == 1 else "resolved"
    return {
        "response_text": text,
        "input_tokens": prompt_tokens,
        "output_tokens": int(60 + random.expovariate(1 / 110)),
        "cached_input_tokens": prompt_tokens // 3 if talk.turns > 1 else 0,
        "ttft_ms": round(min(model_ms, talk.model.ttft_ms * random.lognormvariate(0, 0.3)), 1),
        "streaming": True,
        "finish_reason": "stop",
        **({"resolution": label} if talk.chance(0.25) else {}),
    }


def citations(talk: Talk) -> dict[str, Any]:
    """How much of an answer cites what was found; an excuse or a question cites nothing and need not."""
    sentences = talk.random.randint(2, 7)
    share = 0.34 if talk.is_bad_prompt else 0.84 if talk.prompt_version == "v15" else 0.78
    return {
        "cited_sentences": sum(talk.chance(share) for _ in range(sentences)),
        "total_sentences": sentences,
        "grounding_expected": True,
    }


def rate(talk: Talk, feedback_type: str) -> None:
    talk.say("response_feedback", response_id=talk.response_id, feedback_type=feedback_type)


def hand_over(talk: Talk, reason: str) -> None:
    """To a person; the application states the end."""
    talk.wait(2_000)
    talk.say(
        "handoff",
        target="human",
        reason=reason,
        from_agent="support-agent",
        to_agent="support desk",
        model=talk.model.name,
    )
    talk.say("session_ended", outcome="escalated")


def give_up(talk: Talk, *, has_asked: bool) -> None:
    """The end of someone who stayed annoyed; `has_asked` for a person."""
    if talk.chance(0.85 if has_asked else 0.2):
        hand_over(talk, "customer asked for a person" if has_asked else "customer was annoyed")
    elif talk.chance(0.5):
        rate(talk, "thumbs_down")


def finish(talk: Talk) -> None:
    """The ordinary end: solved, handed over, or left open."""
    solved = talk.intent.solved * (0.85 if talk.is_bad_prompt else 1.0) * (0.7 if talk.is_let_down else 1.0)
    if not talk.chance(solved):
        if talk.chance(0.78):
            hand_over(talk, "not solved by the assistant")
        elif talk.chance(0.5):
            talk.say("session_ended", outcome="unresolved")
        return
    if talk.chance(0.04):
        talk.say("response_copied", response_id=talk.response_id)
    if talk.chance(0.15):
        rate(talk, "thumbs_up")
    elif talk.chance(0.012):
        rate(talk, "thumbs_down")
    if talk.chance(0.33):
        talk.say("goal_completed", name=talk.intent.name)
        talk.say("session_ended", outcome="resolved")
    elif talk.chance(0.3):
        exchange(talk, THANKS)
