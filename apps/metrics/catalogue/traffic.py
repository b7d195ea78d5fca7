"""How much is going on: sessions, users, runs, model calls."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import Metric
from apps.metrics.measures import events as e
from apps.metrics.measures import generations as g
from apps.metrics.measures import sessions as s

LENS: Final = "Traffic"
ROLES: Final = ("engineering", "product", "executive")
METRICS: Final = (
    Metric(
        "sessions",
        "Sessions",
        "Sessions started.",
        LENS,
        "count",
        "none",
        f.Count(s.sessions),
        ROLES,
        needs="llm_query_sent or llm_response_generated with session_id or user_id",
    ),
    Metric(
        "agent_runs",
        "Agent runs",
        "Root runs; responses where a project sends no agent_run.",
        LENS,
        "count",
        "none",
        f.Count(e.agent_runs),
        ROLES,
        without=("tool", "stage"),
    ),
    Metric(
        "generations",
        "Generations",
        "Model calls: responses with a model, and inner calls.",
        LENS,
        "count",
        "none",
        f.Count(g.generations),
        ROLES,
    ),
    Metric(
        "model_share",
        "Model share",
        "A group's model calls of all model calls.",
        LENS,
        "ratio",
        "none",
        f.ShareOfWhole(g.generations),
        ROLES,
    ),
)
