"""The metrics once more, each as a plain sum over the events as they were sent: nothing here knows the engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.metrics.oracle_sessions import (
    CALLS,
    DAY,
    MODEL_CALL,
    RESPONSE,
    ZERO,
    Event,
    Session,
    Turn,
    at,
    cost,
    is_failed,
    order,
    sessions_of,
    sign,
    tokens,
)

Fraction = tuple[Any, Any]  # numerator, denominator (None where the metric has none)


@dataclass
class Setting:
    """What an escalation costs from a local day on, for one channel or for all."""

    day: date
    value: Decimal
    channel: str = ""


class Oracle:
    """Every number by its key, over the instants `start ≤ t < end`, as of `now`."""

    def __init__(
        self,
        events: list[Event],
        zone: ZoneInfo,
        now: datetime,
        settings: list[Setting],
        channel: str | None = None,
    ) -> None:
        """Only what happened in a channel, where one is named."""
        self.homes = sessions_of(events)
        self.events = [one for one in events if one["environment"] != "test"]
        self.sessions = [one for one in self.homes if one.environment != "test"]
        if channel is not None:
            self.events = [one for one in self.events if one.get("channel") == channel]
            self.sessions = [one for one in self.sessions if one.last("channel") == channel]
        self.zone, self.now, self.settings = zone, now, settings

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def value(self, key: str, start: datetime, end: datetime) -> Fraction:
        """Numerator and denominator of a metric that is a fraction, a count or a sum."""
        return RULES[key](Window(self, start, end))

    def percentile(self, key: str, start: datetime, end: datetime) -> float | None:
        """The ⌈p·n⌉-th smallest, in ms; None without any."""
        name, p = key.rsplit("_p", 1)
        values = sorted(VALUES[name](Window(self, start, end)))
        return values[math.ceil(int(p) * len(values) / 100) - 1] if values else None

    def worth(self, session: Session) -> Decimal:
        """What deflecting a session was worth, by the setting in force on its start day."""
        day = session.start.astimezone(self.zone).date()
        fitting = [
            (bool(one.channel), one.day, one.value)
            for one in self.settings
            if one.day <= day and one.channel in ("", session.last("channel"))
        ]
        return max(fitting)[2] if fitting else Decimal(12)


@dataclass
class Window:
    """What happened inside a window of time."""

    oracle: Oracle
    start: datetime
    end: datetime

    def has(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def events(self, *kinds: str) -> list[Event]:
        inside = [one for one in self.oracle.events if self.has(at(one))]
        return [one for one in inside if one["event"] in kinds] if kinds else inside

    @cached_property
    def started(self) -> list[Session]:
        return [one for one in self.oracle.sessions if self.has(one.start)]

    @cached_property
    def closed(self) -> list[Session]:
        return [one for one in self.started if one.closed_at <= self.oracle.now]

    @cached_property
    def assisted(self) -> list[Session]:
        return [one for one in self.closed if one.responses]

    @cached_property
    def answers(self) -> list[tuple[Session | None, Event]]:
        """Responses at their own time, each with its session."""
        home = {one["id"]: session for session in self.oracle.homes for one in session.responses}
        return [(home.get(one["id"]), one) for one in self.events(RESPONSE)]

    def rated(self, kind: str) -> list[Event]:
        held = [home.ratings[one["id"]].get(kind) for home, one in self.answers if home]
        return [one for one in held if one is not None]

    @cached_property
    def users(self) -> set[str]:
        return {one["user_id"] for one in self.events() if "user_id" in one}

    @cached_property
    def requests(self) -> list[list[Event]]:
        return [home.request(one) if home else [one] for home, one in self.answers]

    @property
    def saved(self) -> Decimal:
        deflected = [one for one in self.closed if one.is_deflected]
        return sum((self.oracle.worth(one) - one.cost for one in deflected), ZERO)


def of(part: Iterable[bool], whole: Iterable[Any]) -> Fraction:
    return sum(part), len(list(whole))


def _sessions_ending(outcome: str, level: str = "") -> Callable[[Window], Fraction]:
    return lambda w: of(
        (one.outcome[0] == outcome and (not level or one.outcome[1] == level) for one in w.assisted),
        w.assisted,
    )


def _calls_with(is_wanted: Callable[[Event], bool]) -> Callable[[Window], Fraction]:
    return lambda w: of((is_wanted(one) for one in w.events(*CALLS)), w.events(*CALLS))


def _summed(name: str) -> Callable[[Window], Fraction]:
    return lambda w: (sum(one.get(name, 0) for one in w.events(RESPONSE, MODEL_CALL)), None)


def _turns(w: Window, sessions: list[Session]) -> list[Turn]:
    return [turn for one in sessions for turn in one.turns if turn.is_scored]


def _spiked(w: Window) -> tuple[list[Session], list[Session]]:
    scored = [one for one in w.closed if any(turn.is_scored for turn in one.turns)]
    return [one for one in scored if one.is_spiked], scored


def _exits(w: Window) -> Fraction:
    spiked, _ = _spiked(w)
    left = [
        one for one in spiked if one.turns[-1].is_frustrated and one.outcome[0] in ("abandoned", "escalated")
    ]
    return len(left), len(spiked)


def _recoveries(place: int) -> Callable[[Window], Fraction]:
    def rule(w: Window) -> Fraction:
        spikes = [spike for one in w.closed for spike in one.spikes]
        return of((spike[place] for spike in spikes), spikes)

    return rule


def _efficiency(w: Window) -> Fraction:
    weights = {"resolved": 10, "follow_up": 5, "unresolved": 2}
    part = whole = 0
    for home, response in w.answers:
        is_closed = home is not None and home.closed_at <= w.oracle.now
        if "resolution" not in response and not is_closed:
            continue
        request = home.request(response) if home else [response]
        count = sum(tokens(one) for one in request)
        label = home.label(response) if home else response["resolution"]
        part, whole = part + weights[label] * count, whole + count
    return part / 10, whole


def _nps(w: Window) -> Fraction:
    signs = [sign(one) for one in w.rated("nps")]
    return 100 * sum(signs), len(signs)


def _durations(w: Window) -> Fraction:
    timed = [one["duration_ms"] for one in w.events("tool_call") if "duration_ms" in one]
    return sum(timed), len(timed)


def _restarts(w: Window) -> Fraction:
    ended = [one for one in w.closed if one.user and one.outcome[0] != "resolved"]
    return of((one.is_restarted for one in ended), ended)


def _first_seen(w: Window) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for event in sorted(w.oracle.events, key=order):
        if "user_id" in event:
            found.setdefault(event["user_id"], at(event))
    return found


def _retention(w: Window) -> Fraction:
    """New users active on exactly the day after the one they came on, once that day has ended."""
    zone, part, whole = w.oracle.zone, 0, 0
    active = {
        (one["user_id"], at(one).astimezone(zone).date()) for one in w.oracle.events if "user_id" in one
    }
    for user, first in _first_seen(w).items():
        next_day = first.astimezone(zone).date() + DAY
        if w.has(first) and w.oracle.midnight(next_day + DAY) <= w.oracle.now:
            part, whole = part + ((user, next_day) in active), whole + 1
    return part, whole


def _churn(w: Window) -> Fraction:
    """Users of the 30 local days before the window's who are not in it."""
    zone = w.oracle.zone
    since = w.oracle.midnight(w.start.astimezone(zone).date() - 30 * DAY)
    before = Window(w.oracle, since, w.start).users
    return len(before - w.users), len(before)


def _with_flag(name: str, kind: str = "tool_call") -> Callable[[Window], Fraction]:
    return lambda w: of((bool(one.get(name)) for one in w.events(kind)), w.events(kind))


def _dollars_each(amounts: Callable[[Window], list[Decimal]]) -> Callable[[Window], Fraction]:
    return lambda w: (sum(amounts(w), ZERO), len(amounts(w)))


def _request_costs(w: Window) -> list[Decimal]:
    return [cost(one) for one in w.requests if any("cost_usd" in part for part in one)]


def _handed_over(w: Window) -> list[Session]:
    return [one for one in w.closed if one.of("handoff")]


def _count(find: Callable[[Window], Iterable[Any]]) -> Callable[[Window], Fraction]:
    return lambda w: (len(list(find(w))), None)


def _sizes(find: Callable[[Session], int]) -> Callable[[Window], Fraction]:
    return lambda w: (sum(find(one) for one in w.started), len(w.started))


def _rolling(find: Callable[[Window], Decimal]) -> Callable[[Window], Fraction]:
    def rule(w: Window) -> Fraction:
        zone = w.oracle.zone
        days = (w.end.astimezone(zone).date() - w.start.astimezone(zone).date()).days
        return find(w), days if w.closed else 0

    return rule


def _verified(w: Window) -> Fraction:
    sure = [one for one in w.closed if one.is_deflected and one.outcome[1] == "verified"]
    return sum((w.oracle.worth(one) - one.cost for one in sure), ZERO), None


def _net(w: Window) -> Fraction:
    earned = sum((w.oracle.worth(one) for one in w.closed if one.is_deflected), ZERO)
    return earned - sum((one.cost for one in w.started), ZERO), None


def _usage(w: Window) -> Fraction:
    used = [one for one in w.requests if any("input_tokens" in part for part in one)]
    return sum(tokens(part) for one in used for part in one), len(used)


RULES: dict[str, Callable[[Window], Fraction]] = {
    "sessions": _count(lambda w: w.started),
    "generations": _count(lambda w: [one for one in w.events(RESPONSE, MODEL_CALL) if "model" in one]),
    "agent_runs": _count(lambda w: w.events(RESPONSE)),
    "dau": _count(lambda w: w.users),
    "wau": _count(lambda w: w.users),
    "mau": _count(lambda w: w.users),
    "new_users": _count(lambda w: [first for first in _first_seen(w).values() if w.has(first)]),
    "retention_d1": _retention,
    "churn_rate": _churn,
    "messages_per_session": _sizes(lambda one: len(one.queries) + len(one.responses)),
    "conversation_depth": _sizes(lambda one: len(one.queries)),
    "follow_up_rate": lambda w: (
        sum(len(one.turns) >= 2 for one in w.started),
        sum(len(one.turns) >= 1 for one in w.started),
    ),
    "completion_rate": lambda w: of((one.outcome[0] == "resolved" for one in w.closed), w.closed),
    "abandonment_rate": lambda w: of((one.outcome[0] == "abandoned" for one in w.closed), w.closed),
    "goal_completion_rate": lambda w: of((bool(one.of("goal_completed")) for one in w.closed), w.closed),
    "restart_rate": _restarts,
    "return_session_rate": lambda w: of(
        (one.is_recurring for one in w.started if one.user), (one for one in w.started if one.user)
    ),
    "frustration_spike_rate": lambda w: (len(_spiked(w)[0]), len(_spiked(w)[1])),
    "frustrated_turn_rate": lambda w: of(
        (turn.is_frustrated for turn in _turns(w, w.started)), _turns(w, w.started)
    ),
    "frustration_exit_rate": _exits,
    "recovery_rate": _recoveries(0),
    "recovery_rate_confirmed": _recoveries(1),
    "token_efficiency_index": _efficiency,
    "resolution_label_coverage": lambda w: of(("resolution" in one for _, one in w.answers), w.answers),
    "escalation_deflection_value": _rolling(lambda w: w.saved),
    "deflection_value_total": lambda w: (w.saved, None),
    "deflection_value_verified": _verified,
    "deflection_value_net_all": _net,
    "deflection_rate": lambda w: of((one.is_deflected for one in w.assisted), w.assisted),
    "escalation_rate": _sessions_ending("escalated"),
    "contained_rate": _sessions_ending("resolved", "contained"),
    "verified_rate": _sessions_ending("resolved", "verified"),
    "handoff_rate": lambda w: (len(_handed_over(w)), len(w.closed)),
    "human_handoff_rate": lambda w: of((bool(one.humans) for one in w.closed), w.closed),
    "agent_handoffs": _count(lambda w: [one for one in w.events("handoff") if one["target"] == "agent"]),
    "error_rate": _calls_with(is_failed),
    "errors": lambda w: (sum(is_failed(one) for one in w.events(*CALLS)), None),
    "timeout_rate": _calls_with(lambda one: bool(one.get("timed_out")) or one.get("error_type") == "timeout"),
    "rate_limit_rate": _calls_with(lambda one: one.get("error_type") == "rate_limit"),
    "tool_calls": _count(lambda w: w.events("tool_call")),
    "tool_success_rate": lambda w: of(
        (not is_failed(one) for one in w.events("tool_call")), w.events("tool_call")
    ),
    "tool_timeout_rate": _with_flag("timed_out"),
    "tool_duration_avg": _durations,
    "refusal_rate": _with_flag("refused", RESPONSE),
    "tokens_input": _summed("input_tokens"),
    "tokens_output": _summed("output_tokens"),
    "tokens_cached": _summed("cached_input_tokens"),
    "tokens_total": lambda w: (sum(tokens(one) for one in w.events(RESPONSE, MODEL_CALL)), None),
    "tokens_per_request": _usage,
    "cost_total": lambda w: (cost(w.events(RESPONSE, MODEL_CALL)), None),
    "cost_per_request": _dollars_each(_request_costs),
    "cost_per_session": _dollars_each(lambda w: [one.cost for one in w.started]),
    "cost_per_user": lambda w: (cost(w.events(RESPONSE, MODEL_CALL)), len(w.users)),
    "thumbs_up_rate": lambda w: of((sign(one) > 0 for one in w.rated("thumbs")), w.rated("thumbs")),
    "star_rating": lambda w: (sum(one["feedback_score"] for one in w.rated("stars")), len(w.rated("stars"))),
    "csat": lambda w: of((one["feedback_score"] >= 4 for one in w.rated("csat")), w.rated("csat")),
    "nps": _nps,
    "feedback_coverage": lambda w: of(
        (bool(home and home.ratings[one["id"]]) for home, one in w.answers), w.answers
    ),
    "ttft_coverage": lambda w: of(
        ("ttft_ms" in one for _, one in w.answers if "latency_ms" in one and not is_failed(one)),
        (one for _, one in w.answers if "latency_ms" in one and not is_failed(one)),
    ),
}


def _timed(name: str) -> Callable[[Window], list[float]]:
    return lambda w: [one[name] for _, one in w.answers if name in one and not is_failed(one)]


VALUES: dict[str, Callable[[Window], list[float]]] = {
    "latency": _timed("latency_ms"),
    "ttft": _timed("ttft_ms"),
    "session_duration": lambda w: [(one.end - one.start) / timedelta(milliseconds=1) for one in w.started],
}
PERCENTILES = (
    "latency_p50",
    "latency_p90",
    "latency_p95",
    "latency_p99",
    "ttft_p50",
    "ttft_p95",
    "session_duration_p50",
)
