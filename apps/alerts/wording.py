"""Thresholds and their states in words."""

from __future__ import annotations

from decimal import Decimal

from apps.alerts.presets import Effective


def amount(value: Decimal, unit: str) -> str:
    """A value with its unit, at most three significant digits after the point: 14.2 %, 3.2 s, $12.50."""
    if unit == "ratio":
        return f"{_short(value * 100)} %"
    if unit == "ms":
        return f"{_short(value / 1000)} s" if abs(value) >= 1000 else f"{_short(value)} ms"
    if unit == "usd":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    return _short(value)


def window(days: int, *, is_provisional: bool) -> str:
    """The days that were looked at."""
    if is_provisional:
        return "today so far" if days == 1 else f"the last {days} days with today"
    return "yesterday" if days == 1 else f"the last {days} complete days"


def breach(threshold: Effective, level: str, value: Decimal, n: int, over: str) -> str:
    limit: Decimal = getattr(threshold, level)
    metric = threshold.metric
    side = "above" if metric.direction == "down" else "below"
    return (
        f"{subject(threshold)} is {amount(value, metric.unit)} over {over} (n = {n:,}), "
        f"{side} the {level} threshold of {amount(limit, metric.unit)}."
    )


def kept(threshold: Effective, value: Decimal, n: int, over: str) -> str:
    words = amount(value, threshold.metric.unit)
    return f"{subject(threshold)} is {words} over {over} (n = {n:,}), within its thresholds."


def small(threshold: Effective, value: Decimal, n: int, over: str) -> str:
    return (
        f"{subject(threshold)} is {amount(value, threshold.metric.unit)} over {over}, but n = {n:,} is "
        f"fewer than the minimum of {threshold.minimum_sample:,}, so it is not judged."
    )


def missing(threshold: Effective, over: str) -> str:
    needs = f"; it needs {threshold.metric.needs}" if threshold.metric.needs else ""
    return f"{subject(threshold)} has no data over {over}{needs}."


def subject(threshold: Effective) -> str:
    title = threshold.metric.title
    return f"{title} in {threshold.project}" if threshold.project else title


def _short(value: Decimal) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
