"""Local days, hours, weeks and months as exact instants, in every IANA time zone.

A bucket list is a sorted list of UTC instants `[b0, b1, …, bn]`: bucket i is `b_i ≤ t < b_(i+1)`.
SQL only finds the bucket of an instant (`width_bucket`), so that no zone rule lives in the database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Interval = Literal["total", "hour", "day", "week", "month"]
INTERVALS: tuple[Interval, ...] = ("total", "hour", "day", "week", "month")


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, as UTC (where midnight is skipped, the instant after the gap)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def days_between(start: date, end: date) -> list[date]:
    """Every day of `start ≤ d < end`."""
    return [start + timedelta(days=number) for number in range((end - start).days)]


def next_start(day: date, interval: Interval) -> date:
    """First day of the bucket after the one that holds `day`: ISO weeks begin on Monday."""
    if interval == "week":
        return day + timedelta(days=7 - day.weekday())
    if interval == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=1)


def whole_months(start: date, end: date) -> int:
    """How many months `start ≤ d < end` is; 0 where it does not begin and end with one."""
    return (end.year - start.year) * 12 + end.month - start.month if start.day == end.day == 1 else 0


def months_before(day: date, months: int) -> date:
    """The first day of a month, that many months before one."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def day_edges(start: date, end: date, interval: Interval) -> list[date]:
    """Bucket edges in days for `day`, `week`, `month` and `total`; the first and last may be cut."""
    if interval == "total":
        return [start, end]
    edges = [start]
    while edges[-1] < end:
        edges.append(min(next_start(edges[-1], interval), end))
    return edges


def hour_edges(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Starts of local hours in `start ≤ t < end` plus the end; a repeated hour is two buckets.

    Offsets change by multiples of a minute, so an hour starts where the local minute is zero.
    """
    edges: list[datetime] = [start]
    instant = start
    while instant < end:
        local = instant.astimezone(zone)
        step = timedelta(hours=1) - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        following = instant + step
        # A change of the offset inside the hour (Lord Howe: 30 minutes) moves the next full hour.
        shift = (following.astimezone(zone).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())
        if shift % timedelta(hours=1):
            following = _aligned(instant, following, zone)
        instant = min(following, end)
        edges.append(instant)
    return edges


def _aligned(instant: datetime, following: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `instant` whose local minute is zero, by 15-minute steps."""
    probe = instant + timedelta(minutes=15 - instant.astimezone(zone).minute % 15)
    while probe.astimezone(zone).minute != 0 and probe < following + timedelta(hours=1):
        probe += timedelta(minutes=15)
    return probe.replace(second=0, microsecond=0)


def edges(start: date, end: date, interval: Interval, zone: ZoneInfo) -> list[datetime]:
    """Bucket edges as UTC instants for the local days `start ≤ d < end`."""
    if interval == "hour":
        return hour_edges(local_midnight(start, zone), local_midnight(end, zone), zone)
    return [local_midnight(day, zone) for day in day_edges(start, end, interval)]
