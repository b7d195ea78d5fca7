"""Measures over settled sessions, by their start."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Histogram, Measure, squares
from apps.metrics.sources import CLOSED, SESSION

ASSISTED: Final = f"{CLOSED} AND f.responses > 0"
DEFLECTED: Final = f"{ASSISTED} AND f.is_deflected AND NOT f.is_taken_back"

sessions: Final = Measure(SESSION, "sessions started")
closed_sessions: Final = Measure(SESSION, "closed sessions", CLOSED)
scored_sessions: Final = Measure(
    SESSION, "closed sessions with a scored turn", f"{CLOSED} AND f.scored_turns > 0"
)
spiked_sessions: Final = Measure(
    SESSION, "spiked closed sessions", f"{CLOSED} AND f.scored_turns > 0 AND f.is_spiked"
)
exit_sessions: Final = Measure(
    SESSION,
    "spiked sessions that end frustrated, abandoned or escalated",
    f"{CLOSED} AND f.scored_turns > 0 AND f.is_frustration_exit",
)
scored_turns: Final = Measure(SESSION, "scored turns", value="f.scored_turns")
frustrated_turns: Final = Measure(SESSION, "frustrated turns", value="f.frustrated_turns")
detected_turns: Final = Measure(SESSION, "frustrated turns that detection decided", value="f.detected_turns")
spikes: Final = Measure(SESSION, "spikes in closed sessions", CLOSED, "f.spikes")
recovered: Final = Measure(SESSION, "recovered spikes", CLOSED, "f.recovered")
recovered_confirmed: Final = Measure(SESSION, "recovered spikes, confirmed", CLOSED, "f.recovered_confirmed")
sentiment: Final = Measure(SESSION, "sum of sentiments", value="f.sentiment_nano", unit="score")
sentiment_squares: Final = Measure(SESSION, "", value="f.sentiment_square_nano")
sentiments: Final = Measure(SESSION, "messages with a sentiment", value="f.sentiments")
assistant_sessions: Final = Measure(SESSION, "closed assistant sessions", ASSISTED)
deflected_sessions: Final = Measure(SESSION, "deflected sessions", DEFLECTED)
deflected_cost: Final = Measure(
    SESSION, "LLM cost of deflected sessions", DEFLECTED, "f.cost_nano", unit="usd"
)
verified_deflected: Final = Measure(
    SESSION, "deflected sessions, resolution verified", f"{DEFLECTED} AND f.level = 'verified'"
)
verified_cost: Final = Measure(
    SESSION,
    "LLM cost of deflected sessions, resolution verified",
    f"{DEFLECTED} AND f.level = 'verified'",
    "f.cost_nano",
    unit="usd",
)
escalated_sessions: Final = Measure(
    SESSION, "escalated assistant sessions", f"{ASSISTED} AND f.outcome = 'escalated'"
)
contained_sessions: Final = Measure(
    SESSION, "assistant sessions resolved by containment", f"{ASSISTED} AND f.level = 'contained'"
)
verified_sessions: Final = Measure(
    SESSION, "assistant sessions with a verified resolution", f"{ASSISTED} AND f.level = 'verified'"
)
handoff_sessions: Final = Measure(SESSION, "closed sessions with a handoff", f"{CLOSED} AND f.handoffs > 0")
human_handoff_sessions: Final = Measure(
    SESSION, "closed sessions with a handoff to a human", f"{CLOSED} AND f.human_handoffs > 0"
)
session_cost: Final = Measure(SESSION, "cost of the sessions started", value="f.cost_nano", unit="usd")
session_cost_squares: Final = squares(SESSION, "f.cost_nano")
MESSAGES: Final = "f.user_messages + f.responses"
messages: Final = Measure(SESSION, "user and assistant messages", value=MESSAGES)
message_squares: Final = squares(SESSION, MESSAGES)
turns: Final = Measure(SESSION, "turns", value="f.turns")
turn_squares: Final = squares(SESSION, "f.turns")
duration: Final = Histogram(
    SESSION,
    "time from the first to the last event of a session",
    "(extract(epoch FROM f.last_event_at - f.started_at) * 1000000)::bigint",
    "true",
    1000,
)
RESOLVED: Final = f"{CLOSED} AND f.outcome = 'resolved'"
ABANDONED: Final = f"{CLOSED} AND f.outcome = 'abandoned'"
UNRESOLVED: Final = f"{CLOSED} AND f.outcome <> 'resolved' AND f.user_id IS NOT NULL"
completed: Final = Measure(SESSION, "closed sessions with outcome resolved", RESOLVED)
abandoned: Final = Measure(SESSION, "closed sessions with outcome abandoned", ABANDONED)
abandoned_after_response: Final = Measure(
    SESSION, "abandoned sessions whose last message is a response", f"{ABANDONED} AND f.ends_with_response"
)
with_turns: Final = Measure(SESSION, "sessions with a turn", "f.turns >= 1")
followed_up: Final = Measure(SESSION, "sessions with two turns or more", "f.turns >= 2")
not_resolved: Final = Measure(SESSION, "closed sessions with a user and not resolved", UNRESOLVED)
restarted: Final = Measure(
    SESSION,
    "of these, sessions whose user started another within 5 minutes",
    f"{UNRESOLVED} AND f.is_restarted",
)
of_users: Final = Measure(SESSION, "sessions with a user", "f.user_id IS NOT NULL")
recurring: Final = Measure(
    SESSION,
    "sessions of users with an earlier session in the 30 days before",
    "f.user_id IS NOT NULL AND f.is_recurring",
)
with_goal: Final = Measure(SESSION, "closed sessions with a completed goal", f"{CLOSED} AND f.goals > 0")
comparable_turns: Final = Measure(
    SESSION, "turns after the first that could be read", "true", "f.comparable_turns"
)
refined_turns: Final = Measure(
    SESSION, "turns that rephrase or narrow the one before", "true", "f.refined_turns"
)
retaining_turns: Final = Measure(
    SESSION, "turns that repeat no fact given earlier", "true", "f.comparable_turns - f.repeating_turns"
)
