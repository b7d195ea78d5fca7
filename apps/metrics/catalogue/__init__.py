"""The catalogue: one declaration a metric. API, pages, admin choices, thresholds and docs derive from it.

A new metric over existing measures is one object in one file of this package. Keys are for ever.
"""

from __future__ import annotations

from typing import Final

from apps.metrics.catalogue import (
    agents,
    conversation,
    cost,
    errors,
    latency,
    tokens,
    tools,
    traffic,
    value,
)
from apps.metrics.catalogue.metric import Metric

FAMILIES: Final = (conversation, value, traffic, tools, tokens, cost, latency, errors, agents)


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
