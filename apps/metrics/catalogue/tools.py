"""Tools and steps: how often, how long, how well."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import SEED_CORE, TOOLS_ONLY, Metric
from apps.metrics.measures import events as e

LENS: Final = "Tools"
ROLES: Final = ("engineering", "product")
METRICS: Final = (
    Metric(
        "tool_calls",
        "Tool calls",
        "Calls of tools.",
        LENS,
        "count",
        "none",
        f.Count(e.tool_calls),
        ROLES,
        without=("stage",),
        needs="tool_call",
    ),
    Metric(
        "tool_duration_avg",
        "Tool duration, mean",
        "Mean duration of tool calls.",
        LENS,
        "ms",
        "down",
        f.Mean(e.tool_time, e.tool_time_squares, e.tools_timed, 1000),
        ROLES,
        without=TOOLS_ONLY,
    ),
    Metric(
        "tool_duration_p95",
        "Tool duration p95",
        "95th percentile of tool call duration.",
        LENS,
        "ms",
        "down",
        f.Percentile(e.tool_duration, 0.95),
        ROLES,
        without=TOOLS_ONLY,
    ),
    Metric(
        "tool_success_rate",
        "Tool success rate",
        "Tool calls without error or timeout.",
        LENS,
        "ratio",
        "up",
        f.Share(e.tool_successes, e.tool_calls),
        ROLES,
        without=TOOLS_ONLY,
    ),
    Metric(
        "tool_timeout_rate",
        "Tool timeout rate",
        "Tool calls that timed out.",
        LENS,
        "ratio",
        "down",
        f.Share(e.tool_timeouts, e.tool_calls),
        ROLES,
        target=0.02,
        target_source=f"{SEED_CORE}: timeouts exceed 1 to 2 percent",
        without=TOOLS_ONLY,
    ),
    Metric(
        "step_duration_p95",
        "Step duration p95",
        "95th percentile of step duration.",
        LENS,
        "ms",
        "down",
        f.Percentile(e.step_duration, 0.95),
        ROLES,
        without=("tool", "error_type"),
    ),
    Metric(
        "step_time_share",
        "Step time share",
        "A stage's time of the time of all stages.",
        LENS,
        "ratio",
        "none",
        f.ShareOfWhole(e.step_time, is_counted=False),
        ROLES,
        without=("tool", "error_type"),
    ),
)
