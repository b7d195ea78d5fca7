"""Measures over settled sessions, by their start."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Measure, squares
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
spikes: Final = Measure(SESSION, "spikes in closed sessions", CLOSED, "f.spikes")
recovered: Final = Measure(SESSION, "recovered spikes", CLOSED, "f.recovered")
recovered_confirmed: Final = Measure(SESSION, "recovered spikes, confirmed", CLOSED, "f.recovered_confirmed")
sentiment: Final = Measure(SESSION, "sum of sentiments", value="f.sentiment_nano")
sentiment_squares: Final = Measure(SESSION, "", value="f.sentiment_square_nano")
sentiments: Final = Measure(SESSION, "messages with a sentiment", value="f.sentiments")
assistant_sessions: Final = Measure(SESSION, "closed assistant sessions", ASSISTED)
deflected_sessions: Final = Measure(SESSION, "deflected sessions", DEFLECTED)
deflected_cost: Final = Measure(SESSION, "LLM cost of deflected sessions", DEFLECTED, "f.cost_nano")
verified_deflected: Final = Measure(
    SESSION, "deflected sessions, resolution verified", f"{DEFLECTED} AND f.level = 'verified'"
)
verified_cost: Final = Measure(
    SESSION,
    "LLM cost of deflected sessions, resolution verified",
    f"{DEFLECTED} AND f.level = 'verified'",
    "f.cost_nano",
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
session_cost: Final = Measure(SESSION, "cost of the sessions started", value="f.cost_nano")
session_cost_squares: Final = squares(SESSION, "f.cost_nano")
