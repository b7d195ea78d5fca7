"""Orchestration: agents that call and hand over to agents."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Metric
from apps.metrics.measures import events as e

LENS: Final = "Orchestration"
ROLES: Final = ("engineering", "product")

METRICS: Final = (
    Metric(
        "agent_handoffs",
        "Agent handoffs",
        "Handoffs from agent to agent.",
        LENS,
        "count",
        "none",
        f.Count(e.agent_handoffs),
        ROLES,
        without=NO_EVENT_KIND,
    ),
)
