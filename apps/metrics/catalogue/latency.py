"""How long users wait."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import SEED_CORE, Metric
from apps.metrics.measures import generations as g
from apps.metrics.measures.measure import Histogram

LENS: Final = "Latency"
ROLES: Final = ("engineering",)


def at(key: str, title: str, histogram: Histogram, p: float, about: str, needs: str) -> Metric:
    return Metric(
        key,
        title,
        about,
        LENS,
        "ms",
        "down",
        f.Percentile(histogram, p),
        ROLES,
        without=("error_type",),
        needs=needs,
    )


whole = "End-to-end latency of successful responses."
METRICS: Final = (
    at("latency_p50", "Latency p50", g.latency, 0.50, whole, needs="latency_ms"),
    at("latency_p90", "Latency p90", g.latency, 0.90, whole, needs="latency_ms"),
    at("latency_p95", "Latency p95", g.latency, 0.95, whole, needs="latency_ms"),
    at("latency_p99", "Latency p99", g.latency, 0.99, whole, needs="latency_ms"),
    at(
        "ttft_p50",
        "Time to first token p50",
        g.ttft,
        0.50,
        "Time to the first token, where sent.",
        needs="ttft_ms",
    ),
    at(
        "ttft_p95",
        "Time to first token p95",
        g.ttft,
        0.95,
        "Time to the first token, where sent.",
        needs="ttft_ms",
    ),
    Metric(
        "ttft_coverage",
        "TTFT coverage",
        "Successful responses with a time to first token.",
        LENS,
        "ratio",
        "up",
        f.Share(g.responses_with_ttft, g.timed_responses),
        ROLES,
        without=("error_type",),
    ),
    Metric(
        "latency_tail_ratio",
        "Latency tail",
        "95th ÷ 50th percentile of latency.",
        LENS,
        "score",
        "down",
        f.PercentileRatio(g.latency, 0.95, 0.50),
        ROLES,
        target=4.0,
        target_source=f"{SEED_CORE}: p95 roughly 3 to 4 times p50 at most",
        without=("error_type",),
    ),
    at(
        "model_latency_p50",
        "Model latency p50",
        g.model_latency,
        0.50,
        "The provider call alone.",
        needs="model_latency_ms",
    ),
    at(
        "model_latency_p95",
        "Model latency p95",
        g.model_latency,
        0.95,
        "The provider call alone.",
        needs="model_latency_ms",
    ),
)
