"""What a page was asked to show: period, interval and filters, all of it held in the address."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, cast
from urllib.parse import urlencode

from django.http import QueryDict

from apps.accounts.models import Organization
from apps.core.time_buckets import INTERVALS, Interval, local_day
from apps.metrics.catalogue import METRICS
from apps.metrics.query import MAX_DAYS, BadQuery, Query

PERIODS: Final = {"7": 7, "30": 30, "90": 90}
DEFAULT_PERIOD: Final = "30"
FILTERS: Final = ("project", "environment", "model")
CHART_INTERVALS: Final = tuple(one for one in INTERVALS if one != "total")
HOURLY_DAYS: Final = 14
ROLLING_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Selection:
    """The complete local days `start ≤ d < end`; presets end yesterday and show today apart."""

    start: date
    end: date
    today: date
    period: str = DEFAULT_PERIOD
    interval: Interval = "day"
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by: str = ""
    is_rolling: bool = False

    @property
    def is_preset(self) -> bool:
        return self.period in PERIODS

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def span(self) -> str:
        """The period in words."""
        if self.is_preset:
            return f"the {self.days} complete days that ended yesterday"
        return f"{_day(self.start)} to {_day(self.last)}"

    @property
    def against(self) -> str:
        """The days that it is compared with, in words."""
        before = self.total(()).previous()
        return f"{_day(before.start)} to {_day(before.end - timedelta(days=1))}, the same weekdays"

    def total(self, metrics: tuple[str, ...]) -> Query:
        """One point over the period, beside the one of the period before."""
        return Query(metrics, self.start, self.end, "total", filters=self.filters, compare=True)

    def over_time(self, metrics: tuple[str, ...], interval: Interval | None = None) -> Query:
        """A point a bucket; presets go on to today."""
        end = self.end + timedelta(days=1) if self.is_preset else self.end
        return Query(
            metrics,
            self.start,
            end,
            interval or self.interval,
            filters=self.filters,
            rolling_days=ROLLING_DAYS if self.is_rolling else None,
        )

    def breakdown(self, metrics: tuple[str, ...], limit: int) -> Query:
        """One point a group over the period."""
        return Query(
            metrics, self.start, self.end, "total", group_by=(self.by,), filters=self.filters, limit=limit
        )

    def parameters(self, **changes: str) -> str:
        """The address's query with `changes`; what is a default is left out."""
        mine: dict[str, str | tuple[str, ...]] = {
            "period": self.period,
            "interval": self.interval,
            **self.filters,
        }
        if not self.is_preset:
            mine |= {"from": self.start.isoformat(), "to": self.last.isoformat()}
        mine |= {"by": self.by, "rolling": str(ROLLING_DAYS) if self.is_rolling else "", **changes}
        defaults = {"period": DEFAULT_PERIOD, "interval": "day"}
        kept = {name: value for name, value in mine.items() if value and value != defaults.get(name)}
        return urlencode(kept, doseq=True)

    def address(self, path: str, **changes: str) -> str:
        query = self.parameters(**changes)
        return f"{path}?{query}" if query else path


def default_selection(organization: Organization, now: datetime) -> Selection:
    """The 30 complete days that ended yesterday."""
    today = local_day(now, organization.zone)
    return Selection(today - timedelta(days=PERIODS[DEFAULT_PERIOD]), today, today)


def read_selection(parameters: QueryDict, organization: Organization, now: datetime) -> Selection:
    """Read the address; raises `BadQuery` with one sentence naming the parameter."""
    selection = replace(
        default_selection(organization, now),
        filters={
            name: tuple(found)
            for name in FILTERS
            if (found := [one for one in parameters.getlist(name) if one])
        },
        interval=_interval(parameters),
        by=_dimension(parameters),
        is_rolling=parameters.get("rolling") == str(ROLLING_DAYS),
    )
    selection = _with_period(selection, parameters)
    if selection.interval == "hour" and selection.days > HOURLY_DAYS:
        raise BadQuery(422, "too_many_hours", f"interval: hours are shown for at most {HOURLY_DAYS} days.")
    return selection


def _with_period(selection: Selection, parameters: QueryDict) -> Selection:
    period = parameters.get("period") or (
        "custom" if parameters.get("from") or parameters.get("to") else DEFAULT_PERIOD
    )
    if period in PERIODS:
        return replace(selection, period=period, start=selection.today - timedelta(days=PERIODS[period]))
    if period != "custom":
        raise BadQuery(400, "bad_period", "period: must be 7, 30, 90 or custom.")
    start = _date(parameters, "from", selection.start)
    last = _date(parameters, "to", selection.last)
    if last < start:
        raise BadQuery(422, "empty_range", "to: must not be before from.")
    if (last - start).days >= MAX_DAYS:
        raise BadQuery(422, "range_too_long", f"from: the range is longer than {MAX_DAYS} days.")
    return replace(selection, period=period, start=start, end=last + timedelta(days=1))


def _date(parameters: QueryDict, name: str, default: date) -> date:
    text = parameters.get(name)
    if not text:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadQuery(400, "bad_date", f"{name}: must be a date such as 2026-11-20.") from None
    if not 2000 <= found.year <= 2200:
        raise BadQuery(422, "date_out_of_range", f"{name}: must lie between the years 2000 and 2200.")
    return found


def _interval(parameters: QueryDict) -> Interval:
    text = parameters.get("interval") or "day"
    if text not in CHART_INTERVALS:
        raise BadQuery(400, "bad_interval", f"interval: must be one of {', '.join(CHART_INTERVALS)}.")
    return cast(Interval, text)


def _dimension(parameters: QueryDict) -> str:
    text = parameters.get("by", "")
    if text and not any(text in metric.dimensions for metric in METRICS.values()):
        raise BadQuery(400, "unknown_dimension", f"by: {text[:80]!r} is not a dimension.")
    return text


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
