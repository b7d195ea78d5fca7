"""What the assistant is worth: deflected escalations and how sessions end."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import SEED_FIVE, Metric
from apps.metrics.measures import sessions as s

LENS: Final = "Value"
ROLES: Final = ("finance", "executive")
deflected = (s.deflected_sessions, s.deflected_cost, s.closed_sessions)
METRICS: Final = (
    Metric(
        "escalation_deflection_value",
        "Escalation deflection value",
        "Value of escalations avoided less the sessions' LLM cost, a day, averaged over 30 local days.",
        LENS,
        "usd",
        "up",
        f.Deflection(*deflected, is_rolling=True),
        (*ROLES, "product"),
        target_source=f"{SEED_FIVE}: the trend must rise",
        needs="llm_response_generated in sessions that close",
    ),
    Metric(
        "deflection_value_total",
        "Deflection value, total",
        "Value of escalations avoided less the LLM cost of those sessions.",
        LENS,
        "usd",
        "up",
        f.Deflection(*deflected),
        ROLES,
    ),
    Metric(
        "deflection_value_verified",
        "Deflection value, verified",
        "The same over sessions whose resolution is verified.",
        LENS,
        "usd",
        "up",
        f.Deflection(s.verified_deflected, s.verified_cost, s.closed_sessions),
        ROLES,
    ),
    Metric(
        "deflection_value_net_all",
        "Deflection value, net of all",
        "Value of escalations avoided less the LLM cost of all sessions.",
        LENS,
        "usd",
        "up",
        f.Deflection(s.deflected_sessions, s.session_cost, s.closed_sessions),
        ROLES,
    ),
    Metric(
        "deflection_rate",
        "Deflection rate",
        "Deflected sessions of closed assistant sessions.",
        LENS,
        "ratio",
        "up",
        f.Share(s.deflected_sessions, s.assistant_sessions),
        (*ROLES, "product"),
    ),
    Metric(
        "escalation_rate",
        "Escalation rate",
        "Escalated sessions of closed assistant sessions.",
        LENS,
        "ratio",
        "down",
        f.Share(s.escalated_sessions, s.assistant_sessions),
        (*ROLES, "product"),
    ),
    Metric(
        "contained_rate",
        "Contained rate",
        "Sessions resolved by containment, of closed assistant sessions.",
        LENS,
        "ratio",
        "up",
        f.Share(s.contained_sessions, s.assistant_sessions),
        ROLES,
    ),
    Metric(
        "verified_rate",
        "Verified rate",
        "Sessions with a verified resolution, of closed assistant sessions.",
        LENS,
        "ratio",
        "up",
        f.Share(s.verified_sessions, s.assistant_sessions),
        ROLES,
    ),
)
