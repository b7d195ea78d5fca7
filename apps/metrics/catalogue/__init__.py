"""The catalogue: one declaration a metric. API, pages, admin choices, thresholds and docs derive from it.

A new metric over existing measures is one object in one file of this package. Keys are for ever.
"""

from __future__ import annotations

from typing import Final

from apps.metrics.catalogue import (
    agents,
    business,
    conversation,
    cost,
    engagement,
    errors,
    latency,
    operations,
    quality,
    safety,
    satisfaction,
    tokens,
    tools,
    traffic,
    users,
    value,
)
from apps.metrics.catalogue.metric import Metric

FAMILIES: Final = (
    conversation,
    value,
    engagement,
    satisfaction,
    users,
    business,
    quality,
    safety,
    traffic,
    tools,
    tokens,
    cost,
    latency,
    errors,
    agents,
    operations,
)


def _catalogue() -> dict[str, Metric]:
    """All metrics by key; refuses a key that is declared twice."""
    metrics: dict[str, Metric] = {}
    for family in FAMILIES:
        for metric in family.METRICS:
            if metric.key in metrics:
                raise ValueError(f"The metric {metric.key} is declared twice.")
            metrics[metric.key] = metric
    return metrics


METRICS: Final[dict[str, Metric]] = _catalogue()

__all__ = ["METRICS", "Metric"]
