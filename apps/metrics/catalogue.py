"""The catalogue: one declaration a metric. API, pages, admin choices, thresholds and docs derive from it.

A new metric over existing measures is one object in this file. Keys are for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from apps.metrics import formulas as f
from apps.metrics import measures as m
from apps.metrics.sources import EVENT, GENERATION, SESSION, Source

Unit = Literal["ratio", "ms", "tokens", "usd", "count", "score"]
Direction = Literal["up", "down", "none"]

SEED_FIVE: Final = "The 5 LLM Metrics You're Not Tracking"
SEED_CORE: Final = "The Core KPIs of LLM Performance"
ALL_ROLES: Final = ("product", "engineering", "finance", "executive")


@dataclass(frozen=True)
class Metric:
    """What a number means, how it is computed and who reads it."""

    key: str
    title: str
    about: str
    lens: str
    unit: Unit
    direction: Direction
    source: Source
    formula: f.Formula
    roles: tuple[str, ...]
    target: float | None = None
    target_source: str = ""
    definition_version: int = 1
    needs: str = ""
    without: tuple[str, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Dimensions that both sides of the formula have."""
        return tuple(sorted(name for name in self.source.dimensions if name not in self.without))


NO_EVENT_KIND: Final = ("tool", "stage", "error_type")
CALLS_ONLY: Final = ("stage", "error_type")
TOOLS_ONLY: Final = ("stage", "error_type", "provider", "model_version", "prompt_name")


def conversation() -> list[Metric]:
    rate, roles = "Conversation", ("product", "executive")
    return [
        Metric(
            "frustration_spike_rate",
            "Frustration spike rate",
            "Closed sessions with a frustration spike, of those with at least one scored turn.",
            rate,
            "ratio",
            "down",
            SESSION,
            f.Share(m.spiked_sessions, m.scored_sessions),
            roles,
            target=0.10,
            target_source=f"{SEED_FIVE}: below 10 %",
            needs="frustrated on llm_query_sent, or response_feedback",
        ),
        Metric(
            "frustrated_turn_rate",
            "Frustrated turns",
            "Frustrated turns of all scored turns.",
            rate,
            "ratio",
            "down",
            SESSION,
            f.Share(m.frustrated_turns, m.scored_turns),
            roles,
            needs="frustrated on llm_query_sent, or response_feedback",
        ),
        Metric(
            "frustration_exit_rate",
            "Frustration exits",
            "Spiked sessions that end frustrated, abandoned or escalated, of all spiked sessions.",
            rate,
            "ratio",
            "down",
            SESSION,
            f.Share(m.exit_sessions, m.spiked_sessions),
            roles,
        ),
        Metric(
            "sentiment_score",
            "Sentiment",
            "Mean sentiment of user messages, -1 to 1.",
            rate,
            "score",
            "up",
            SESSION,
            f.Mean(m.sentiment, m.sentiment_squares, m.sentiments, f.NANO, squares_divisor=f.NANO),
            roles,
            needs="sentiment on llm_query_sent",
        ),
        Metric(
            "recovery_rate",
            "Recovery rate",
            "Frustration spikes after which the session went on for four turns or was rated positive, of all spikes.",
            rate,
            "ratio",
            "up",
            SESSION,
            f.Share(m.recovered, m.spikes),
            roles,
            target=0.60,
            target_source=f"{SEED_FIVE}: at least 60 %",
            needs="frustrated on llm_query_sent, or response_feedback",
        ),
        Metric(
            "recovery_rate_confirmed",
            "Confirmed recovery",
            "Spikes followed by praise, a resolved outcome or three calm turns, not escalated or abandoned, of all.",
            rate,
            "ratio",
            "up",
            SESSION,
            f.Share(m.recovered_confirmed, m.spikes),
            roles,
        ),
        Metric(
            "grounding_score",
            "Grounding score",
            "Mean share of cited sentences over responses where grounding is expected.",
            rate,
            "score",
            "up",
            GENERATION,
            f.Mean(m.grounding, m.grounding_squares, m.grounding_scored, f.NANO),
            (*roles, "engineering"),
            target=0.7,
            target_source=f"{SEED_FIVE}: 0.7, regulated 0.9",
            needs="cited_sentences and total_sentences on llm_response_generated",
        ),
        Metric(
            "low_grounding_rate",
            "Low grounding",
            "Scored responses with fewer than half of their sentences cited.",
            rate,
            "ratio",
            "down",
            GENERATION,
            f.Share(m.grounding_low, m.grounding_scored),
            roles,
        ),
        Metric(
            "grounding_coverage",
            "Grounding coverage",
            "Responses that could be scored, of those where grounding is expected.",
            rate,
            "ratio",
            "up",
            GENERATION,
            f.Share(m.grounding_scored, m.grounding_expected),
            roles,
        ),
        Metric(
            "token_efficiency_index",
            "Token efficiency",
            "Tokens weighted by what they led to (resolved 1.0, follow-up 0.5, unresolved 0.2), of all tokens.",
            rate,
            "score",
            "up",
            GENERATION,
            f.TokenEfficiency(m.tokens_resolved, m.tokens_follow_up, m.tokens_unresolved, m.labelled),
            ("product", "finance", "engineering"),
            target=0.6,
            target_source=f"{SEED_FIVE}: at least 0.6",
            needs="input_tokens and output_tokens on llm_response_generated",
        ),
        Metric(
            "resolution_label_coverage",
            "Resolution labels sent",
            "Responses whose resolution the caller sent.",
            rate,
            "ratio",
            "up",
            GENERATION,
            f.Share(m.labels_sent, m.responses),
            ("engineering",),
        ),
        Metric(
            "handoff_rate",
            "Handoff rate",
            "Closed sessions with any handoff.",
            rate,
            "ratio",
            "down",
            SESSION,
            f.Share(m.handoff_sessions, m.closed_sessions),
            (*roles, "engineering"),
        ),
        Metric(
            "human_handoff_rate",
            "Human handoff rate",
            "Closed sessions handed off to a human.",
            rate,
            "ratio",
            "down",
            SESSION,
            f.Share(m.human_handoff_sessions, m.closed_sessions),
            (*roles, "engineering"),
            needs="handoff with target human",
        ),
    ]


def value() -> list[Metric]:
    lens, roles = "Value", ("finance", "executive")
    deflected = (m.deflected_sessions, m.deflected_cost, m.closed_sessions)
    return [
        Metric(
            "escalation_deflection_value",
            "Escalation deflection value",
            "Value of escalations avoided less the sessions' LLM cost, a day, averaged over 30 local days.",
            lens,
            "usd",
            "up",
            SESSION,
            f.Deflection(*deflected, is_rolling=True),
            (*roles, "product"),
            target_source=f"{SEED_FIVE}: the trend must rise",
            needs="llm_response_generated in sessions that close",
        ),
        Metric(
            "deflection_value_total",
            "Deflection value, total",
            "Value of escalations avoided less the LLM cost of those sessions.",
            lens,
            "usd",
            "up",
            SESSION,
            f.Deflection(*deflected),
            roles,
        ),
        Metric(
            "deflection_value_verified",
            "Deflection value, verified",
            "The same over sessions whose resolution is verified.",
            lens,
            "usd",
            "up",
            SESSION,
            f.Deflection(m.verified_deflected, m.verified_cost, m.closed_sessions),
            roles,
        ),
        Metric(
            "deflection_value_net_all",
            "Deflection value, net of all",
            "Value of escalations avoided less the LLM cost of all sessions.",
            lens,
            "usd",
            "up",
            SESSION,
            f.Deflection(m.deflected_sessions, m.session_cost, m.closed_sessions),
            roles,
        ),
        Metric(
            "deflection_rate",
            "Deflection rate",
            "Deflected sessions of closed assistant sessions.",
            lens,
            "ratio",
            "up",
            SESSION,
            f.Share(m.deflected_sessions, m.assistant_sessions),
            (*roles, "product"),
        ),
        Metric(
            "escalation_rate",
            "Escalation rate",
            "Escalated sessions of closed assistant sessions.",
            lens,
            "ratio",
            "down",
            SESSION,
            f.Share(m.escalated_sessions, m.assistant_sessions),
            (*roles, "product"),
        ),
        Metric(
            "contained_rate",
            "Contained rate",
            "Sessions resolved by containment, of closed assistant sessions.",
            lens,
            "ratio",
            "up",
            SESSION,
            f.Share(m.contained_sessions, m.assistant_sessions),
            roles,
        ),
        Metric(
            "verified_rate",
            "Verified rate",
            "Sessions with a verified resolution, of closed assistant sessions.",
            lens,
            "ratio",
            "up",
            SESSION,
            f.Share(m.verified_sessions, m.assistant_sessions),
            roles,
        ),
    ]


def traffic() -> list[Metric]:
    lens, roles = "Traffic", ("engineering", "product", "executive")
    return [
        Metric(
            "sessions",
            "Sessions",
            "Sessions started.",
            lens,
            "count",
            "none",
            SESSION,
            f.Count(m.sessions),
            roles,
            needs="llm_query_sent or llm_response_generated with session_id or user_id",
        ),
        Metric(
            "dau",
            "Daily active users",
            "Distinct users in the local day that ends with the point.",
            lens,
            "count",
            "up",
            EVENT,
            f.DistinctUsers(1),
            roles,
            without=NO_EVENT_KIND,
            needs="user_id",
        ),
        Metric(
            "agent_runs",
            "Agent runs",
            "Root runs; responses where a project sends no agent_run.",
            lens,
            "count",
            "none",
            EVENT,
            f.Count(m.agent_runs),
            roles,
            without=("tool", "stage"),
        ),
        Metric(
            "generations",
            "Generations",
            "Model calls: responses with a model, and inner calls.",
            lens,
            "count",
            "none",
            GENERATION,
            f.Count(m.generations),
            roles,
        ),
        Metric(
            "model_share",
            "Model share",
            "A group's model calls of all model calls.",
            lens,
            "ratio",
            "none",
            GENERATION,
            f.ShareOfWhole(m.generations),
            roles,
        ),
    ]


def tools() -> list[Metric]:
    lens, roles = "Tools", ("engineering", "product")
    return [
        Metric(
            "tool_calls",
            "Tool calls",
            "Calls of tools.",
            lens,
            "count",
            "none",
            EVENT,
            f.Count(m.tool_calls),
            roles,
            without=("stage",),
            needs="tool_call",
        ),
        Metric(
            "tool_duration_avg",
            "Tool duration, mean",
            "Mean duration of tool calls.",
            lens,
            "ms",
            "down",
            EVENT,
            f.Mean(m.tool_time, m.tool_time_squares, m.tools_timed, 1000),
            roles,
            without=TOOLS_ONLY,
        ),
        Metric(
            "tool_duration_p95",
            "Tool duration p95",
            "95th percentile of tool call duration.",
            lens,
            "ms",
            "down",
            EVENT,
            f.Percentile(m.tool_duration, 0.95),
            roles,
            without=TOOLS_ONLY,
        ),
        Metric(
            "tool_success_rate",
            "Tool success rate",
            "Tool calls without error or timeout.",
            lens,
            "ratio",
            "up",
            EVENT,
            f.Share(m.tool_successes, m.tool_calls),
            roles,
            without=TOOLS_ONLY,
        ),
        Metric(
            "tool_timeout_rate",
            "Tool timeout rate",
            "Tool calls that timed out.",
            lens,
            "ratio",
            "down",
            EVENT,
            f.Share(m.tool_timeouts, m.tool_calls),
            roles,
            target=0.02,
            target_source=f"{SEED_CORE}: timeouts exceed 1 to 2 percent",
            without=TOOLS_ONLY,
        ),
        Metric(
            "step_duration_p95",
            "Step duration p95",
            "95th percentile of step duration.",
            lens,
            "ms",
            "down",
            EVENT,
            f.Percentile(m.step_duration, 0.95),
            roles,
            without=("tool", "error_type"),
        ),
        Metric(
            "step_time_share",
            "Step time share",
            "A stage's time of the time of all stages.",
            lens,
            "ratio",
            "none",
            EVENT,
            f.ShareOfWhole(m.step_time, is_counted=False),
            roles,
            without=("tool", "error_type"),
        ),
    ]


def tokens() -> list[Metric]:
    lens, roles = "Tokens", ("engineering", "finance")

    def plain(key: str, title: str, about: str, measure: m.Measure) -> Metric:
        return Metric(
            key,
            title,
            about,
            lens,
            "tokens",
            "none",
            GENERATION,
            f.Count(measure, m.with_usage),
            roles,
            needs="input_tokens and output_tokens",
        )

    return [
        plain("tokens_input", "Input tokens", "Input tokens, cached ones included.", m.tokens_input),
        plain("tokens_output", "Output tokens", "Output tokens, reasoning included.", m.tokens_output),
        plain("tokens_cached", "Cached tokens", "Input tokens read from a cache.", m.tokens_cached),
        plain(
            "tokens_reasoning", "Reasoning tokens", "Output tokens spent on reasoning.", m.tokens_reasoning
        ),
        plain("tokens_total", "Tokens", "Input and output tokens.", m.tokens_total),
        Metric(
            "tokens_per_request",
            "Tokens per request",
            "Tokens a response, its inner calls included.",
            lens,
            "tokens",
            "down",
            GENERATION,
            f.Mean(m.request_tokens, m.request_tokens_squares, m.requests_with_usage),
            roles,
        ),
        Metric(
            "tokens_per_request_p99",
            "Tokens per request p99",
            "99th percentile of tokens a response.",
            lens,
            "tokens",
            "down",
            GENERATION,
            f.Percentile(m.tokens_per_request, 0.99),
            roles,
        ),
    ]


def cost() -> list[Metric]:
    lens, roles = "Cost", ("finance", "engineering", "executive")
    return [
        Metric(
            "cost_total",
            "Cost",
            "Cost of all model calls.",
            lens,
            "usd",
            "down",
            GENERATION,
            f.Count(m.cost, m.priced, is_money=True),
            roles,
            needs="model and tokens, or cost_usd",
        ),
        Metric(
            "cost_per_request",
            "Cost per request",
            "Cost a response, its inner calls included.",
            lens,
            "usd",
            "down",
            GENERATION,
            f.Mean(m.request_cost, m.request_cost_squares, m.requests_with_cost, f.NANO, is_money=True),
            roles,
        ),
        Metric(
            "cost_per_session",
            "Cost per session",
            "Cost of the sessions started, a session.",
            lens,
            "usd",
            "down",
            SESSION,
            f.Mean(m.session_cost, m.session_cost_squares, m.sessions, f.NANO, is_money=True),
            roles,
        ),
        Metric(
            "cost_per_user",
            "Cost per user",
            "Cost a distinct user active in the same window.",
            lens,
            "usd",
            "down",
            GENERATION,
            f.PerUser(m.cost, f.DistinctUsers(0)),
            roles,
            without=("error_type",),
            needs="user_id",
        ),
        Metric(
            "cost_unpriced_share",
            "Unpriced calls",
            "Model calls with tokens but without a known price.",
            lens,
            "ratio",
            "down",
            GENERATION,
            f.Share(m.unpriced, m.priceable),
            roles,
        ),
    ]


def latency() -> list[Metric]:
    lens, roles = "Latency", ("engineering",)

    def at(key: str, title: str, histogram: m.Histogram, p: float, about: str, needs: str) -> Metric:
        return Metric(
            key,
            title,
            about,
            lens,
            "ms",
            "down",
            GENERATION,
            f.Percentile(histogram, p),
            roles,
            without=("error_type",),
            needs=needs,
        )

    whole = "End-to-end latency of successful responses."
    return [
        at("latency_p50", "Latency p50", m.latency, 0.50, whole, needs="latency_ms"),
        at("latency_p90", "Latency p90", m.latency, 0.90, whole, needs="latency_ms"),
        at("latency_p95", "Latency p95", m.latency, 0.95, whole, needs="latency_ms"),
        at("latency_p99", "Latency p99", m.latency, 0.99, whole, needs="latency_ms"),
        at(
            "ttft_p50",
            "Time to first token p50",
            m.ttft,
            0.50,
            "Time to the first token, where sent.",
            needs="ttft_ms",
        ),
        at(
            "ttft_p95",
            "Time to first token p95",
            m.ttft,
            0.95,
            "Time to the first token, where sent.",
            needs="ttft_ms",
        ),
        Metric(
            "ttft_coverage",
            "TTFT coverage",
            "Successful responses with a time to first token.",
            lens,
            "ratio",
            "up",
            GENERATION,
            f.Share(m.responses_with_ttft, m.timed_responses),
            roles,
            without=("error_type",),
        ),
        Metric(
            "latency_tail_ratio",
            "Latency tail",
            "95th ÷ 50th percentile of latency.",
            lens,
            "score",
            "down",
            GENERATION,
            f.PercentileRatio(m.latency, 0.95, 0.50),
            roles,
            target=4.0,
            target_source=f"{SEED_CORE}: p95 roughly 3 to 4 times p50 at most",
            without=("error_type",),
        ),
        at(
            "model_latency_p50",
            "Model latency p50",
            m.model_latency,
            0.50,
            "The provider call alone.",
            needs="model_latency_ms",
        ),
        at(
            "model_latency_p95",
            "Model latency p95",
            m.model_latency,
            0.95,
            "The provider call alone.",
            needs="model_latency_ms",
        ),
    ]


def errors() -> list[Metric]:
    lens, roles = "Errors", ("engineering", "executive")

    def rate(
        key: str, title: str, part: m.Measure, about: str, target: float | None = None, source: str = ""
    ) -> Metric:
        return Metric(
            key,
            title,
            about,
            lens,
            "ratio",
            "down",
            EVENT,
            f.Share(part, m.calls),
            roles,
            target=target,
            target_source=source,
            without=CALLS_ONLY,
        )

    return [
        rate(
            "error_rate",
            "Error rate",
            m.failed_calls,
            "Failed calls of all calls.",
            0.05,
            f"{SEED_CORE}: act if overall errors exceed 5 percent",
        ),
        Metric(
            "errors",
            "Errors",
            "Failed calls; by class with group_by=error_type.",
            lens,
            "count",
            "down",
            EVENT,
            f.Count(m.failed_calls),
            roles,
            without=("stage",),
        ),
        rate("timeout_rate", "Timeout rate", m.timeouts, "Calls that timed out."),
        rate("rate_limit_rate", "Rate limit rate", m.rate_limits, "Calls refused by a rate limit."),
        rate(
            "provider_error_rate",
            "Provider error rate",
            m.provider_errors,
            "Calls that failed at the provider.",
        ),
        rate(
            "format_error_rate",
            "Format error rate",
            m.format_errors,
            "Calls that failed on format or parsing.",
        ),
        Metric(
            "agent_handoffs",
            "Agent handoffs",
            "Handoffs from agent to agent.",
            "Orchestration",
            "count",
            "none",
            EVENT,
            f.Count(m.agent_handoffs),
            ("engineering", "product"),
            without=NO_EVENT_KIND,
        ),
    ]


def _catalogue() -> dict[str, Metric]:
    """All metrics by key; refuses a key that is declared twice."""
    metrics: dict[str, Metric] = {}
    for family in (conversation, value, traffic, tools, tokens, cost, latency, errors):
        for metric in family():
            if metric.key in metrics:
                raise ValueError(f"The metric {metric.key} is declared twice.")
            metrics[metric.key] = metric
    return metrics


METRICS: Final[dict[str, Metric]] = _catalogue()
