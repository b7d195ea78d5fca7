"""Orchestration: agents that call and hand over to agents."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Metric
from apps.metrics.measures import events as e
from apps.metrics.measures import runs as r

LENS: Final = "Orchestration"
ROLES: Final = ("engineering", "product")

METRICS: Final = (
    Metric(
        "agent_invocations_per_run",
        "Agents per run",
        "Agent runs, inner ones included, a root run.",
        LENS,
        "count",
        "none",
        f.Ratio(e.agent_invocations, e.root_runs),
        ROLES,
        without=NO_EVENT_KIND,
        needs="agent_run",
    ),
    Metric(
        "nesting_depth_max",
        "Deepest nesting",
        "Largest depth of agents that call agents; a root run has depth 1.",
        LENS,
        "count",
        "down",
        f.Largest((r.depth, e.depth), e.agent_invocations),
        ROLES,
        without=NO_EVENT_KIND,
        needs="agent_run with depth, or with span_id and parent_id",
    ),
    Metric(
        "deep_run_rate",
        "Deep runs",
        "Root runs that nest deeper than 3.",
        LENS,
        "ratio",
        "down",
        f.Share(r.deep, r.runs),
        ROLES,
        needs="agent_run with depth, or with span_id and parent_id",
    ),
    Metric(
        "fan_out_max",
        "Widest fan-out",
        "Most agents that one agent called in a run.",
        LENS,
        "count",
        "down",
        f.Largest((r.fan_out,), r.runs),
        ROLES,
        needs="agent_run with depth, or with parent_id",
    ),
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
