"""Small traffic of many shapes for Hypothesis: conversations around local midnights and changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=size) for size in (1, 60, 3600, 86400))
TICK = timedelta(microseconds=1)
OFFSETS = (0 * DAY, -TICK, TICK, -29 * MINUTE, 90 * MINUTE, 2 * HOUR, 13 * HOUR, -6 * HOUR)
PAUSES = (SECOND, 20 * SECOND, 4 * MINUTE, 29 * MINUTE, 30 * MINUTE, 30 * MINUTE + TICK, 3 * HOUR, 25 * HOUR)
RETURNS = (MINUTE, 5 * MINUTE, 5 * MINUTE + TICK, 5 * HOUR, 24 * HOUR, 24 * HOUR + TICK)
DELAYS = (0 * SECOND, SECOND, 90 * SECOND)
FLAG = st.sampled_from([None, None, False, False, True])
RARELY = st.sampled_from([False, False, False, True])
MILLIS = st.one_of(st.none(), st.just(0.0), st.floats(0.001, 90_000).map(lambda value: round(value, 3)))
MONEY = st.one_of(st.none(), st.integers(0, 3_000_000).map(lambda micros: micros / 10**6))
COUNT = st.integers(0, 5000)
RATING = st.one_of(
    st.sampled_from([("thumbs_up", None), ("thumbs_down", None)]),
    st.tuples(st.just("stars"), st.sampled_from([1, 2, 2.5, 4, 4.5, 5])),
    st.tuples(st.just("csat"), st.integers(1, 5)),
    st.tuples(st.just("nps"), st.integers(0, 10)),
)


def change_of_the_clock(zone: ZoneInfo, now: datetime, number: int) -> date:
    """The last local day but `number` on which the zone's offset changed, any day where it never does; two weeks
    ago or more, so that conversations that begin then are over."""
    latest = now.astimezone(zone).date() - 14 * DAY
    noons = [datetime.combine(latest - timedelta(days=back), time(12), zone) for back in range(370)]
    changes = [noon.date() for noon in noons if noon.utcoffset() != (noon - DAY).utcoffset()]
    return changes[number] if changes else latest


@st.composite
def conversations(draw: st.DrawFn, zone: ZoneInfo, middle: date) -> list[dict[str, Any]]:
    """Events of a few sessions around the local midnights of `middle`, each with an id, in their order."""
    events: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        day = middle + timedelta(days=draw(st.sampled_from([0, 1, -1])))
        start = datetime.combine(day, time(), zone).astimezone(UTC) + draw(st.sampled_from(OFFSETS))
        if events and draw(st.booleans()):
            start = datetime.fromisoformat(events[-1]["timestamp"]) + draw(st.sampled_from(RETURNS))
        events += draw(session(number, start))
    for number, event in enumerate(sorted(events, key=lambda one: str(one["timestamp"]))):
        event["id"] = f"e{number:04}"
    return events


@st.composite
def session(draw: st.DrawFn, number: int, start: datetime) -> list[dict[str, Any]]:
    user = draw(st.sampled_from(["ann", "ann", "ann", "bob", None]))
    is_derived = user is not None and draw(RARELY)
    shared = {
        "session_id": None if is_derived else f"s{number}",
        "user_id": user,
        "environment": "test" if draw(RARELY) and draw(RARELY) else "production",
        "channel": draw(st.sampled_from([None, "web", "mail"])),
    }
    events: list[dict[str, Any]] = []
    moment = start
    for turn in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 9)):
            events.append(say("llm_query_sent", moment, shared, frustrated=draw(FLAG)))
        moment += draw(st.sampled_from(DELAYS))
        if draw(RARELY):
            events += draw(work(moment, shared))
        if draw(st.integers(0, 7)):
            events += draw(answer(f"r{number}-{turn}", moment, shared))
        moment += draw(st.sampled_from(PAUSES[:5] if turn else PAUSES))
    return events + draw(ending(moment, shared))


@st.composite
def answer(draw: st.DrawFn, name: str, moment: datetime, shared: dict[str, Any]) -> list[dict[str, Any]]:
    """A response with what people make of it."""
    is_failed = draw(RARELY)
    own = say(
        "llm_response_generated",
        moment,
        shared,
        response_id=name,
        status="error" if is_failed else "ok",
        error_type=draw(st.sampled_from(["timeout", "rate_limit"])) if is_failed else None,
        refused=draw(RARELY) or None,
        resolution=draw(st.sampled_from([None, None, "resolved", "follow_up", "unresolved"])),
        latency_ms=draw(MILLIS),
        ttft_ms=draw(MILLIS),
        **draw(spending()),
    )
    events = [own]
    while draw(RARELY):
        kind, score = draw(RATING)
        later = moment + draw(st.sampled_from([SECOND, 3 * MINUTE, 2 * DAY]))
        place = {**shared, "session_id": None, "user_id": None, "response_id": name}
        if shared["session_id"] is not None and draw(st.booleans()):
            place = shared
        events.append(say("response_feedback", later, place, feedback_type=kind, feedback_score=score))
    return events


@st.composite
def spending(draw: st.DrawFn) -> dict[str, Any]:
    """Tokens and cost of a model call, each sent or not; the model has no list price."""
    found: dict[str, Any] = {
        "model": draw(st.sampled_from(["house-1", "house-2", None])),
        "cost_usd": draw(MONEY),
    }
    if draw(st.booleans()):
        cached = draw(COUNT)
        found |= {"input_tokens": cached + draw(COUNT), "output_tokens": draw(COUNT)}
        found["cached_input_tokens"] = cached
    return found


@st.composite
def work(draw: st.DrawFn, moment: datetime, shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Tools, retrievals and inner model calls before an answer."""
    status = st.sampled_from(["ok", "ok", "error"])
    return [
        say(
            "tool_call",
            moment,
            shared,
            tool_name="search",
            status=draw(status),
            timed_out=draw(RARELY) or None,
            duration_ms=draw(MILLIS),
        ),
        say("retrieval", moment, shared, status=draw(status)),
        say("model_call", moment, shared, status=draw(status), **{**draw(spending()), "model": "house-3"}),
    ]


@st.composite
def ending(draw: st.DrawFn, moment: datetime, shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Handoffs, goals and said outcomes, at the end of a session or before its last messages."""
    events = []
    back = draw(st.sampled_from([0 * SECOND, SECOND, HOUR]))
    if draw(RARELY):
        target = draw(st.sampled_from(["human", "agent"]))
        events.append(say("handoff", moment - back, shared, target=target))
    if draw(RARELY) and draw(st.booleans()):
        events.append(say("goal_completed", moment, shared, name="paid"))
    if draw(RARELY):
        outcome = draw(st.sampled_from([None, "resolved", "unresolved", "escalated", "abandoned"]))
        events.append(say("session_ended", moment - back, shared, outcome=outcome))
    return events


def say(kind: str, moment: datetime, shared: dict[str, Any], **fields: Any) -> dict[str, Any]:
    found = {"event": kind, "timestamp": moment.isoformat(timespec="microseconds"), **shared, **fields}
    return {name: value for name, value in found.items() if value is not None}
