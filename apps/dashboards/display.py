"""Numbers in words for people. Rounded only here; everything exact stays beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.metrics.catalogue import Metric
from apps.metrics.formulas import Number
from apps.metrics.query import Point

SMALL_SAMPLE = 30
NO_DATA = "No data"
MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference to the days of `against`, signed and in words; `is_better` None where neither is."""

    text: str
    word: str
    is_better: bool | None
    against: str


def amount(value: Number, unit: str) -> str:
    """A value with its unit: 8.3 %, 1.24 s, $12.50, 1,204."""
    if value is None:
        return NO_DATA
    sign, size = (MINUS, -value) if value < 0 else ("", value)
    if unit == "ratio":
        return f"{sign}{_places(size * 100, 2 if 0 < size < Decimal('0.001') else 1)} %"
    if unit == "ms":
        return f"{sign}{_places(size / 1000, 2)} s" if size >= 1000 else f"{sign}{_places(size, 0)} ms"
    if unit == "usd":
        return f"{sign}${_money(size)}"
    if unit == "score":
        return f"{sign}{_places(size, 2)}"
    return f"{sign}{_count(size)}"


def exact(value: Number) -> str:
    """A part of a formula, with up to four decimals and no unit."""
    if value is None:
        return "–"
    text = f"{value:,.4f}" if not isinstance(value, int) else f"{value:,}"
    return text.rstrip("0").rstrip(".").replace("-", MINUS) if "." in text else text.replace("-", MINUS)


def interval(point: Point, unit: str) -> str:
    """The 95 % interval, or a dash where the metric has none."""
    if point.low is None or point.high is None:
        return "–"
    return f"{amount(point.low, unit)} to {amount(point.high, unit)}"


def change(metric: Metric, now: Number, before: Number, against: str) -> Change | None:
    """How a value moved: ratios in percentage points, everything else in percent of the value before."""
    if now is None or before is None:
        return None
    difference = Decimal(str(now)) - Decimal(str(before))
    if metric.unit == "ratio":
        size, unit = difference * 100, "points"
    elif before == 0:
        return None
    else:
        size, unit = difference / abs(Decimal(str(before))) * 100, "%"
    if f"{abs(size):.1f}" == "0.0":
        return Change(f"±0 {unit}", "unchanged", None, against)
    arrow, sign = ("▲", "+") if size > 0 else ("▼", MINUS)
    is_better = None if metric.direction == "none" else (size > 0) == (metric.direction == "up")
    word = "" if is_better is None else "better" if is_better else "worse"
    return Change(f"{arrow} {sign}{abs(size):,.1f} {unit}", word, is_better, against)


def bucket(start: datetime, interval_name: str) -> str:
    """The short name of a bucket on an axis."""
    if interval_name == "hour":
        return f"{start.day} {start:%b} {start:%H:%M}"
    if interval_name == "month":
        return f"{start:%b %Y}"
    return f"{start.day} {start:%b}"


def bucket_title(start: datetime, interval_name: str) -> str:
    """The full name of a bucket."""
    if interval_name == "hour":
        return f"{start.day} {start:%B %Y, %H:%M}"
    if interval_name == "week":
        return f"Week from {start.day} {start:%B %Y}"
    if interval_name == "month":
        return f"{start:%B %Y}"
    return f"{start:%A} {start.day} {start:%B %Y}"


def duration(span: timedelta | None) -> str:
    """A delay in seconds, minutes or hours."""
    if span is None:
        return "–"
    seconds = max(0.0, span.total_seconds())
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _places(value: float | Decimal, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _count(size: float | Decimal) -> str:
    if size >= 1_000_000:
        return f"{size / 1_000_000:,.2f} M"
    return f"{size:,.0f}" if size == int(size) or size >= 1000 else f"{size:,.1f}"


def _money(size: float | Decimal) -> str:
    if size >= 1_000_000:
        return f"{size / 1_000_000:,.2f} M"
    return f"{size:,.4f}" if 0 < size < 1 else f"{size:,.2f}"
