"""The engine's answers as JSON: instants with the organisation's offset, money as decimal strings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.metrics.catalogue import Metric
from apps.metrics.formulas import Number
from apps.metrics.freshness import Freshness
from apps.metrics.query import Point, Series

MONEY_DECIMALS = Decimal("1e-9")


def number_json(number: Number) -> float | int | str | None:
    """Money is a string with at least nine decimals, nothing rounded; other numbers stay numbers."""
    if not isinstance(number, Decimal):
        return number
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -9:
        number = number.quantize(MONEY_DECIMALS)
    return format(number, "f")


def point_json(point: Point) -> dict[str, Any]:
    found = {
        "start": point.start.isoformat(),
        "group": point.group,
        "value": number_json(point.value),
        "numerator": number_json(point.numerator),
        "denominator": number_json(point.denominator),
        "n": point.n,
        "low": number_json(point.low),
        "high": number_json(point.high),
        "provisional": point.provisional,
    }
    if point.previous is not None:
        found["previous"] = point_json(point.previous)
    return found


def series_json(series: Series, fresh: Freshness, *, compare: bool) -> dict[str, Any]:
    points = [point_json(point) for point in series.points]
    if compare:
        for point in points:
            point.setdefault("previous", None)
    return {
        "key": series.metric.key,
        "title": series.metric.title,
        "unit": series.metric.unit,
        "timezone": series.timezone,
        "definition_version": series.metric.definition_version,
        "points": points,
        "notices": series.notices,
        "fresh_at": fresh.fresh_at.isoformat(),
    }


def metric_json(metric: Metric) -> dict[str, Any]:
    return {
        "key": metric.key,
        "title": metric.title,
        "about": metric.about,
        "lens": metric.lens,
        "unit": metric.unit,
        "direction": metric.direction,
        "dimensions": list(metric.dimensions),
        "definition_version": metric.definition_version,
        "target": metric.target,
        "roles": list(metric.roles),
    }


def freshness_json(fresh: Freshness) -> dict[str, Any]:
    return {
        "pending_batches": fresh.pending_batches,
        "oldest_pending_seconds": fresh.oldest_pending_seconds,
        "fresh_at": fresh.fresh_at.isoformat(),
    }
