"""A question to the engine, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Self

from apps.core.time_buckets import INTERVALS, Interval, months_before, whole_months
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.formulas import Number, Value

MAX_DAYS = 400
MAX_GROUPS = 50
MAX_LIMIT = 1000
MAX_METRICS = 40
MAX_ROLLING = 90
NONE = "(none)"
OTHER = "(other)"


class BadQuery(ValueError):
    """A question that can not be answered: HTTP status, stable code, one sentence naming the field."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """Metrics over the local days `start ≤ d < end`.

    `filters` map a dimension to the values that count (several: or). `rolling_days` makes each point
    the window of that many complete local days that ends with the point's last day.
    """

    metrics: tuple[str, ...]
    start: date
    end: date
    interval: Interval = "day"
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rolling_days: int | None = None
    compare: bool = False
    limit: int = MAX_GROUPS

    def declared(self) -> list[Metric]:
        """The metrics asked for; raises `BadQuery` 404 for an unknown one."""
        unknown = [key for key in self.metrics if key not in METRICS]
        if unknown:
            raise BadQuery(404, "unknown_metric", f"metrics: {unknown[0]!r} is not in the catalogue.")
        return [METRICS[key] for key in self.metrics]

    def check(self) -> None:
        """Refuse what is out of bounds (422) or a dimension that a metric lacks (400)."""
        if self.end <= self.start:
            raise BadQuery(422, "empty_range", "to: must be after from.")
        if (self.end - self.start).days > MAX_DAYS:
            raise BadQuery(422, "range_too_long", f"from: the range is longer than {MAX_DAYS} days.")
        if self.interval not in INTERVALS:
            raise BadQuery(400, "bad_interval", f"interval: must be one of {', '.join(INTERVALS)}.")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise BadQuery(422, "bad_limit", f"limit: must be 1 to {MAX_LIMIT}.")
        if self.rolling_days is not None and not 1 <= self.rolling_days <= MAX_ROLLING:
            raise BadQuery(422, "bad_rolling_days", f"rolling_days: must be 1 to {MAX_ROLLING}.")
        if len(self.metrics) > MAX_METRICS:
            raise BadQuery(422, "too_many_metrics", f"metrics: at most {MAX_METRICS} at once.")
        for metric in self.declared():
            for name in (*self.group_by, *self.filters):
                if name not in metric.dimensions:
                    raise BadQuery(400, "unknown_dimension", f"{name}: {metric.key} has no such dimension.")
        if len(set(self.group_by)) != len(self.group_by):
            raise BadQuery(400, "repeated_dimension", "group_by: a dimension is named twice.")

    def previous(self) -> Query:
        """The same question over as many days before, on the same weekdays: the fewest whole weeks back that reach
        before the range and its rolling window. Whole months are compared with as many months before."""
        months = whole_months(self.start, self.end) if self.interval == "month" else 0
        if months:
            start, end = (months_before(day, months) for day in (self.start, self.end))
        else:
            reach = max((self.end - self.start).days, self.rolling_days or 0)
            weeks = timedelta(weeks=-(-reach // 7))
            start, end = self.start - weeks, self.end - weeks
        return replace(self, start=start, end=end, compare=False)


@dataclass(slots=True)
class Point:
    """A metric's value in one bucket and group."""

    start: datetime
    group: dict[str, str]
    value: Number
    numerator: Number
    denominator: int | float | Decimal | None
    n: int
    low: Number
    high: Number
    provisional: bool
    previous: Point | None = None

    @classmethod
    def of(cls, value: Value, start: datetime, group: dict[str, str], *, provisional: bool) -> Self:
        return cls(
            start,
            group,
            value.value,
            value.numerator,
            value.denominator,
            value.n,
            value.low,
            value.high,
            provisional,
        )


@dataclass(slots=True)
class Series:
    """The answer for one metric."""

    metric: Metric
    timezone: str
    points: list[Point]
    # What a reader must know about the groups, as sentences.
    notices: list[str] = field(default_factory=list)
