"""Calls that fail, by cause."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import CALLS_ONLY, SEED_CORE, Metric
from apps.metrics.measures import events as e
from apps.metrics.measures.measure import Measure

LENS: Final = "Errors"
ROLES: Final = ("engineering", "executive")


def rate(
    key: str, title: str, part: Measure, about: str, target: float | None = None, source: str = ""
) -> Metric:
    return Metric(
        key,
        title,
        about,
        LENS,
        "ratio",
        "down",
        f.Share(part, e.calls),
        ROLES,
        target=target,
        target_source=source,
        without=CALLS_ONLY,
    )


METRICS: Final = (
    rate(
        "error_rate",
        "Error rate",
        e.failed_calls,
        "Failed calls of all calls.",
        0.05,
        f"{SEED_CORE}: act if overall errors exceed 5 percent",
    ),
    Metric(
        "errors",
        "Errors",
        "Failed calls; by class (timeout, rate limit, provider, format, other) with group_by=error_class.",
        LENS,
        "count",
        "down",
        f.Count(e.failed_calls),
        ROLES,
        without=("stage",),
        also=("error_class",),
    ),
    rate("timeout_rate", "Timeout rate", e.timeouts, "Calls that timed out."),
    rate("rate_limit_rate", "Rate limit rate", e.rate_limits, "Calls refused by a rate limit."),
    rate(
        "provider_error_rate",
        "Provider error rate",
        e.provider_errors,
        "Calls that failed at the provider.",
    ),
    rate(
        "format_error_rate",
        "Format error rate",
        e.format_errors,
        "Calls that failed on format or parsing.",
    ),
)
