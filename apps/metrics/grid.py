"""Which local days make each point: its own bucket, or a rolling window that ends with its last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.core.time_buckets import days_between, local_day, local_midnight


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells that the database adds up, and which of them make each point."""

    edges: list[datetime]
    cells_of: list[range]
    windows: list[tuple[datetime, datetime]]
    days: int = 0

    def minutes(self, number: int, now: datetime) -> float:
        """Minutes of a point's window that have passed."""
        start, end = self.windows[number]
        return max(0.0, (min(end, now) - start).total_seconds() / 60)


def make_grid(starts: list[datetime], zone: ZoneInfo, rolling: int) -> Grid:
    """The grid of buckets that begin at `starts`; of `rolling` local days each where that is not 0."""
    if not rolling:
        windows = list(pairwise(starts))
        return Grid(starts, [range(number, number + 1) for number in range(len(windows))], windows)
    lasts = [_last_day(end, zone) for end in starts[1:]]
    first = lasts[0] - timedelta(days=rolling - 1)
    days = days_between(first, lasts[-1] + timedelta(days=1))
    midnights = [local_midnight(day, zone) for day in [*days, lasts[-1] + timedelta(days=1)]]
    cells = [range((last - first).days - rolling + 1, (last - first).days + 1) for last in lasts]
    windows = [(midnights[cell.start], midnights[cell.stop]) for cell in cells]
    return Grid(midnights, cells, windows, rolling)


def _last_day(end: datetime, zone: ZoneInfo) -> date:
    """The local day that a bucket ends in."""
    return local_day(end - timedelta(microseconds=1), zone)
