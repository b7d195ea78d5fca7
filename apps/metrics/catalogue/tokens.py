"""Tokens, as exclusive buckets added up."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import Metric
from apps.metrics.measures import generations as g
from apps.metrics.measures.measure import Measure

LENS: Final = "Tokens"
ROLES: Final = ("engineering", "finance")


def plain(key: str, title: str, about: str, measure: Measure) -> Metric:
    return Metric(
        key,
        title,
        about,
        LENS,
        "tokens",
        "none",
        f.Count(measure, g.with_usage),
        ROLES,
        needs="input_tokens and output_tokens",
    )


METRICS: Final = (
    plain("tokens_input", "Input tokens", "Input tokens, cached ones included.", g.tokens_input),
    plain("tokens_output", "Output tokens", "Output tokens, reasoning included.", g.tokens_output),
    plain("tokens_cached", "Cached tokens", "Input tokens read from a cache.", g.tokens_cached),
    plain("tokens_reasoning", "Reasoning tokens", "Output tokens spent on reasoning.", g.tokens_reasoning),
    plain("tokens_total", "Tokens", "Input and output tokens.", g.tokens_total),
    Metric(
        "tokens_per_request",
        "Tokens per request",
        "Tokens a response, its inner calls included.",
        LENS,
        "tokens",
        "down",
        f.Mean(g.request_tokens, g.request_tokens_squares, g.requests_with_usage),
        ROLES,
    ),
    Metric(
        "tokens_per_request_p99",
        "Tokens per request p99",
        "99th percentile of tokens a response.",
        LENS,
        "tokens",
        "down",
        f.Percentile(g.tokens_per_request, 0.99),
        ROLES,
    ),
)
