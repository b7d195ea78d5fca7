"""Measures over events, at their own time."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Histogram, Measure, squares
from apps.metrics.sources import EVENT

CALL: Final = "f.name IN ('llm_response_generated', 'model_call', 'tool_call', 'retrieval')"
TOOL: Final = "f.name = 'tool_call'"

tool_duration: Final = Histogram(
    EVENT, "duration of tool calls", "f.duration_us", f"{TOOL} AND f.duration_us IS NOT NULL", 1000
)
step_duration: Final = Histogram(
    EVENT, "duration of steps", "f.duration_us", "f.name = 'step' AND f.duration_us IS NOT NULL", 1000
)
agent_runs: Final = Measure(
    EVENT,
    "root runs",
    "(f.name = 'agent_run' AND f.is_root) OR "
    "(f.name = 'llm_response_generated' AND NOT f.project_id = ANY(%(agent_projects)s))",
)
root_runs: Final = Measure(EVENT, "root agent runs", "f.name = 'agent_run' AND f.is_root")
answers: Final = Measure(EVENT, "responses", "f.name = 'llm_response_generated'")
# What `agent_runs` is made of: a project that never sent a run counts its responses.
RUNS: Final = (root_runs, answers)
tool_calls: Final = Measure(EVENT, "tool calls", TOOL)
tool_successes: Final = Measure(EVENT, "tool calls without error or timeout", f"{TOOL} AND NOT f.failed")
tool_timeouts: Final = Measure(EVENT, "tool calls that timed out", f"{TOOL} AND f.error_class = 'timeout'")
TOOL_TIMED: Final = f"{TOOL} AND f.duration_us IS NOT NULL"
tool_time: Final = Measure(EVENT, "time of tool calls", TOOL_TIMED, "f.duration_us", unit="ms")
tool_time_squares: Final = squares(EVENT, "f.duration_us", TOOL_TIMED)
tools_timed: Final = Measure(EVENT, "tool calls with a duration", TOOL_TIMED)
step_time: Final = Measure(EVENT, "time of steps", "f.name = 'step'", "f.duration_us", unit="ms")
calls: Final = Measure(EVENT, "calls", CALL)
failed_calls: Final = Measure(EVENT, "failed calls", f"{CALL} AND f.failed")
timeouts: Final = Measure(EVENT, "calls that timed out", f"{CALL} AND f.error_class = 'timeout'")
rate_limits: Final = Measure(
    EVENT, "calls refused by a rate limit", f"{CALL} AND f.error_class = 'rate_limit'"
)
provider_errors: Final = Measure(
    EVENT, "calls that failed at the provider", f"{CALL} AND f.error_class = 'provider'"
)
format_errors: Final = Measure(EVENT, "calls that failed on format", f"{CALL} AND f.error_class = 'format'")
agent_handoffs: Final = Measure(
    EVENT, "handoffs from agent to agent", "f.name = 'handoff' AND f.target = 'agent'"
)
MESSAGE: Final = "f.name IN ('llm_query_sent', 'llm_response_generated')"
messages: Final = Measure(EVENT, "user messages and responses", MESSAGE)
violations: Final = Measure(EVENT, "guardrail events", "f.name = 'guardrail'")
RUN: Final = "f.name = 'agent_run'"
agent_invocations: Final = Measure(EVENT, "agent runs, inner ones included", RUN)
depth: Final = Measure(EVENT, "nesting depth of an agent run", RUN, "f.depth", is_peak=True)
HEARTBEAT: Final = "f.name = 'heartbeat'"
heartbeats: Final = Measure(EVENT, "heartbeats", HEARTBEAT)
heartbeats_up: Final = Measure(EVENT, "heartbeats up", f"{HEARTBEAT} AND (f.data->>'up')::boolean")
PAYMENT: Final = "f.name = 'revenue' AND f.data ? 'amount_usd'"
payments: Final = Measure(EVENT, "revenue events", PAYMENT)
revenue: Final = Measure(
    EVENT, "revenue", PAYMENT, "round((f.data->>'amount_usd')::numeric * 1000000000)", unit="usd"
)


def samples(name: str, title: str) -> tuple[Measure, Measure, Measure]:
    """Sum, sum of squares (both in 1e-9) and number of the samples of a resource."""
    where = f"f.name = 'resource_usage' AND f.data ? '{name}'"
    value = f"round((f.data->>'{name}')::numeric * 1000000000)"
    return (
        Measure(EVENT, f"sum of {title}", where, value, unit="score"),
        squares(EVENT, value, where),
        Measure(EVENT, f"samples of {title}", where),
    )
