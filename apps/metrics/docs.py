"""The catalogue as a page of Markdown: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from apps.metrics.catalogue import METRICS, Metric

INTRODUCTION = """# The metrics

Every number of pages, API, alerts and reports comes from one catalogue. This page is written from it by
`manage.py metrics_docs`; do not edit it by hand.

Numerators and denominators are summed before they are divided, over any range, interval, group and filter. A ratio
without a denominator is empty, never 0. Shares of counts carry a 95 % Wilson interval, means ±1.96 standard errors.
Percentiles are nearest-rank, within 1 %. Days are the organisation's local days. Where a metric looks back over a
window, each point is the window that ends with the point's last local day.
"""
DIRECTIONS = {"up": "higher", "down": "lower", "none": "neither way"}


def metrics_markdown() -> str:
    """The whole page, metrics by lens in the order of the catalogue."""
    return "\n".join([INTRODUCTION, *_body()])


def _body() -> Iterator[str]:
    for lens, metrics in groupby(METRICS.values(), key=lambda metric: metric.lens):
        yield f"## {lens}\n"
        for metric in metrics:
            yield from _entry(metric)


def _entry(metric: Metric) -> Iterator[str]:
    """One metric: its meaning as a paragraph, everything else as a list."""
    yield f"### `{metric.key}`: {metric.title}\n"
    yield f"{metric.about}\n"
    yield f"- Formula: {metric.formula.words()}"
    yield f"- Unit: {metric.unit}; better: {DIRECTIONS[metric.direction]}"
    if days := metric.formula.window_days():
        yield f"- Window: {days} local day{'s' if days > 1 else ''}"
    if metric.target is not None or metric.target_source:
        target = f"{metric.target:g}, " if metric.target is not None else ""
        yield f"- Target: {target}from {metric.target_source}"
    if metric.needs:
        yield f"- Needs: {metric.needs}"
    yield f"- Read by: {', '.join(sorted(set(metric.roles)))}"
    yield f"- Dimensions: {', '.join(metric.dimensions)}"
    yield f"- Definition version: {metric.definition_version}\n"
