"""Measures: additive numbers over one fact table. Metrics divide them; the database only adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.metrics.sources import CLOSED, EVENT, GENERATION, SESSION, Source

ASSISTED: Final = f"{CLOSED} AND f.responses > 0"
DEFLECTED: Final = f"{ASSISTED} AND f.is_deflected AND NOT f.is_taken_back"
CALL: Final = "f.name IN ('llm_response_generated', 'model_call', 'tool_call', 'retrieval')"
TOOL: Final = "f.name = 'tool_call'"
RESPONSE: Final = "f.is_response"
LABELLED: Final = f"{RESPONSE} AND f.request_tokens IS NOT NULL AND f.labelled_at <= %(now)s"
MODEL_USED: Final = "(NOT f.is_response OR f.model IS NOT NULL)"


@dataclass(frozen=True)
class Measure:
    """`sql` is an aggregate over rows `f` of the source."""

    source: Source
    sql: str


@dataclass(frozen=True)
class Histogram:
    """Values (an integer in micro-units) of the rows that fulfil `where`, counted by log-spaced slot."""

    source: Source
    value: str
    where: str
    divisor: int = 1


def count(source: Source, where: str) -> Measure:
    return Measure(source, f"count(*) FILTER (WHERE {where})")


def total(source: Source, value: str, where: str = "true") -> Measure:
    return Measure(source, f"coalesce(sum({value}) FILTER (WHERE {where}), 0)")


def squares(source: Source, value: str, where: str = "true") -> Measure:
    return Measure(source, f"coalesce(sum(({value})::numeric * ({value})) FILTER (WHERE {where}), 0)")


sessions: Final = Measure(SESSION, "count(*)")
closed_sessions: Final = count(SESSION, CLOSED)
scored_sessions: Final = count(SESSION, f"{CLOSED} AND f.scored_turns > 0")
spiked_sessions: Final = count(SESSION, f"{CLOSED} AND f.scored_turns > 0 AND f.is_spiked")
exit_sessions: Final = count(SESSION, f"{CLOSED} AND f.scored_turns > 0 AND f.is_frustration_exit")
scored_turns: Final = total(SESSION, "f.scored_turns")
frustrated_turns: Final = total(SESSION, "f.frustrated_turns")
spikes: Final = total(SESSION, "f.spikes", CLOSED)
recovered: Final = total(SESSION, "f.recovered", CLOSED)
recovered_confirmed: Final = total(SESSION, "f.recovered_confirmed", CLOSED)
sentiment: Final = total(SESSION, "f.sentiment_nano")
sentiment_squares: Final = total(SESSION, "f.sentiment_square_nano")
sentiments: Final = total(SESSION, "f.sentiments")
assistant_sessions: Final = count(SESSION, ASSISTED)
deflected_sessions: Final = count(SESSION, DEFLECTED)
deflected_cost: Final = total(SESSION, "f.cost_nano", DEFLECTED)
verified_deflected: Final = count(SESSION, f"{DEFLECTED} AND f.level = 'verified'")
verified_cost: Final = total(SESSION, "f.cost_nano", f"{DEFLECTED} AND f.level = 'verified'")
escalated_sessions: Final = count(SESSION, f"{ASSISTED} AND f.outcome = 'escalated'")
contained_sessions: Final = count(SESSION, f"{ASSISTED} AND f.level = 'contained'")
verified_sessions: Final = count(SESSION, f"{ASSISTED} AND f.level = 'verified'")
handoff_sessions: Final = count(SESSION, f"{CLOSED} AND f.handoffs > 0")
human_handoff_sessions: Final = count(SESSION, f"{CLOSED} AND f.human_handoffs > 0")
session_cost: Final = total(SESSION, "f.cost_nano")
session_cost_squares: Final = squares(SESSION, "f.cost_nano")

responses: Final = count(GENERATION, RESPONSE)
generations: Final = count(GENERATION, MODEL_USED)
tokens_input: Final = total(GENERATION, "f.tokens_input + f.tokens_cache_read + f.tokens_cache_write")
tokens_output: Final = total(GENERATION, "f.tokens_output + f.tokens_reasoning")
tokens_cached: Final = total(GENERATION, "f.tokens_cache_read")
tokens_reasoning: Final = total(GENERATION, "f.tokens_reasoning")
tokens_total: Final = total(GENERATION, "f.tokens_total")
cost: Final = total(GENERATION, "f.cost_nano")
priced: Final = count(GENERATION, "f.cost_nano IS NOT NULL")
with_usage: Final = count(GENERATION, "f.has_usage")
priceable: Final = count(GENERATION, "f.cost_nano IS NOT NULL OR f.is_unpriced")
unpriced: Final = count(GENERATION, "f.is_unpriced")
HAS_COST: Final = f"{RESPONSE} AND f.request_cost_nano IS NOT NULL"
HAS_USAGE: Final = f"{RESPONSE} AND f.request_tokens IS NOT NULL"
requests_with_cost: Final = count(GENERATION, HAS_COST)
request_cost: Final = total(GENERATION, "f.request_cost_nano", HAS_COST)
request_cost_squares: Final = squares(GENERATION, "f.request_cost_nano", HAS_COST)
requests_with_usage: Final = count(GENERATION, HAS_USAGE)
request_tokens: Final = total(GENERATION, "f.request_tokens", HAS_USAGE)
request_tokens_squares: Final = squares(GENERATION, "f.request_tokens", HAS_USAGE)
labelled: Final = count(GENERATION, LABELLED)
labels_sent: Final = count(GENERATION, f"{RESPONSE} AND f.is_label_sent")
tokens_resolved: Final = total(GENERATION, "f.request_tokens", f"{LABELLED} AND f.label = 'resolved'")
tokens_follow_up: Final = total(GENERATION, "f.request_tokens", f"{LABELLED} AND f.label = 'follow_up'")
tokens_unresolved: Final = total(GENERATION, "f.request_tokens", f"{LABELLED} AND f.label = 'unresolved'")
GROUNDED: Final = f"{RESPONSE} AND f.grounding_nano IS NOT NULL"
grounding: Final = total(GENERATION, "f.grounding_nano", GROUNDED)
grounding_squares: Final = squares(GENERATION, "f.grounding_nano", GROUNDED)
grounding_scored: Final = count(GENERATION, GROUNDED)
grounding_low: Final = count(GENERATION, f"{GROUNDED} AND f.grounding_nano < 500000000")
grounding_expected: Final = count(GENERATION, f"{RESPONSE} AND f.is_grounding_expected")
HAS_LATENCY: Final = f"{RESPONSE} AND f.latency_us IS NOT NULL"
timed_responses: Final = count(GENERATION, HAS_LATENCY)
responses_with_ttft: Final = count(GENERATION, f"{HAS_LATENCY} AND f.ttft_us IS NOT NULL")

latency: Final = Histogram(GENERATION, "f.latency_us", HAS_LATENCY, 1000)
ttft: Final = Histogram(GENERATION, "f.ttft_us", f"{RESPONSE} AND f.ttft_us IS NOT NULL", 1000)
model_latency: Final = Histogram(GENERATION, "f.model_latency_us", "f.model_latency_us IS NOT NULL", 1000)
tokens_per_request: Final = Histogram(GENERATION, "f.request_tokens", HAS_USAGE)
tool_duration: Final = Histogram(EVENT, "f.duration_us", f"{TOOL} AND f.duration_us IS NOT NULL", 1000)
step_duration: Final = Histogram(
    EVENT, "f.duration_us", "f.name = 'step' AND f.duration_us IS NOT NULL", 1000
)

agent_runs: Final = count(
    EVENT,
    "(f.name = 'agent_run' AND f.is_root) OR "
    "(f.name = 'llm_response_generated' AND NOT f.project_id = ANY(%(agent_projects)s))",
)
tool_calls: Final = count(EVENT, TOOL)
tool_successes: Final = count(EVENT, f"{TOOL} AND NOT f.failed")
tool_timeouts: Final = count(EVENT, f"{TOOL} AND f.error_class = 'timeout'")
TOOL_TIMED: Final = f"{TOOL} AND f.duration_us IS NOT NULL"
tool_time: Final = total(EVENT, "f.duration_us", TOOL_TIMED)
tool_time_squares: Final = squares(EVENT, "f.duration_us", TOOL_TIMED)
tools_timed: Final = count(EVENT, TOOL_TIMED)
step_time: Final = total(EVENT, "f.duration_us", "f.name = 'step'")
calls: Final = count(EVENT, CALL)
failed_calls: Final = count(EVENT, f"{CALL} AND f.failed")
timeouts: Final = count(EVENT, f"{CALL} AND f.error_class = 'timeout'")
rate_limits: Final = count(EVENT, f"{CALL} AND f.error_class = 'rate_limit'")
provider_errors: Final = count(EVENT, f"{CALL} AND f.error_class = 'provider'")
format_errors: Final = count(EVENT, f"{CALL} AND f.error_class = 'format'")
agent_handoffs: Final = count(EVENT, "f.name = 'handoff' AND f.target = 'agent'")
