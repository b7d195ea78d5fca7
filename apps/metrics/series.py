"""The engine: a query in, a series of points out. Pages, API and alerts all come through `run`."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from apps.accounts.models import Organization
from apps.core.time_buckets import days_between, edges, local_day, local_midnight
from apps.metrics import deflection, rollup
from apps.metrics.catalogue import Metric
from apps.metrics.formulas import (
    Deflection,
    DistinctUsers,
    Percentile,
    PercentileRatio,
    PerUser,
    ShareOfWhole,
    Value,
)
from apps.metrics.query import OTHER, Point, Query, Series
from apps.metrics.rollup import Cell, Group, Slice

DEFLECTION_DAYS = 30

__all__ = ["Point", "Query", "Series", "run"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells that the database adds up, and which of them make each point."""

    edges: list[datetime]
    cells_of: list[range]
    windows: list[tuple[datetime, datetime]]
    days: int = 0


def run(organization: Organization, query: Query, now: datetime) -> dict[str, Series]:
    """Compute every metric of the query for the active organisation; raises `BadQuery`."""
    query.check()
    zone = organization.zone
    starts = edges(query.start, query.end, query.interval, zone)
    answer: dict[str, Series] = {}
    for rolling, metrics in _by_window(query).items():
        grid = _grid(starts, zone, rolling)
        piece = _slice(query, grid, now)
        for metric, points in _evaluate(metrics, grid, piece, query, zone, starts).items():
            answer[metric.key] = Series(metric, organization.timezone, points)
    answer = {key: answer[key] for key in query.metrics}
    if query.compare:
        _add_previous(answer, run(organization, query.previous(), now))
    return answer


def _by_window(query: Query) -> dict[int, list[Metric]]:
    """Metrics by the days of their rolling window; 0 where a point is its own bucket."""
    groups: dict[int, list[Metric]] = defaultdict(list)
    for metric in dict.fromkeys(query.declared()):
        rolling = query.rolling_days or 0
        if isinstance(metric.formula, Deflection) and metric.formula.is_rolling:
            rolling = rolling or DEFLECTION_DAYS
        if isinstance(metric.formula, DistinctUsers) and metric.formula.days:
            rolling = rolling or metric.formula.days
        groups[rolling].append(metric)
    return groups


def _last_day(end: datetime, zone: ZoneInfo) -> date:
    """The local day that a bucket ends in."""
    return local_day(end - timedelta(microseconds=1), zone)


def _grid(starts: list[datetime], zone: ZoneInfo, rolling: int) -> Grid:
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


def _slice(query: Query, grid: Grid, now: datetime) -> Slice:
    needs_runs = "agent_runs" in query.metrics
    return Slice(
        edges=grid.edges,
        group_by=query.group_by,
        filters=query.filters,
        now=now,
        agent_projects=rollup.projects_with_agent_runs() if needs_runs else [],
    )


Points = dict[int, dict[Group, dict[Any, Any]]]


def _evaluate(
    metrics: list[Metric], grid: Grid, piece: Slice, query: Query, zone: ZoneInfo, starts: list[datetime]
) -> dict[Metric, list[Point]]:
    formulas = [metric.formula for metric in metrics]
    cells: dict[Cell, dict[Any, Any]] = defaultdict(dict)
    parts: list[dict[Cell, dict[Any, Any]]] = [
        rollup.sums((one for formula in formulas for one in formula.measures()), piece),
        rollup.slots((one for formula in formulas for one in formula.histograms()), piece),
        deflection.tariffs([one for one in formulas if isinstance(one, Deflection)], piece, zone),
    ]
    for part in parts:
        for cell, held in part.items():
            cells[cell].update(held)
    merged = _merge(cells, grid)
    return {metric: _points(metric, merged, grid, piece, query, zone, starts) for metric in metrics}


def _merge(cells: dict[Cell, dict[Any, Any]], grid: Grid) -> Points:
    """Sums by point and group: additive measures add, slots add slot by slot."""
    by_index: dict[int, list[tuple[Group, dict[Any, Any]]]] = defaultdict(list)
    for (index, group), held in cells.items():
        by_index[index].append((group, held))
    merged: Points = {}
    for number, indexes in enumerate(grid.cells_of):
        point: dict[Group, dict[Any, Any]] = {}
        for index in indexes:
            for group, held in by_index.get(index, ()):
                add_into(point.setdefault(group, {}), held)
        merged[number] = point
    return merged


def add_into(target: dict[Any, Any], held: dict[Any, Any]) -> None:
    """Add one cell's sums to another's."""
    for key, value in held.items():
        if isinstance(value, dict):
            slots = target.setdefault(key, {})
            for slot, count in value.items():
                slots[slot] = slots.get(slot, 0) + count
        else:
            target[key] = target.get(key, 0) + value


class _Sums(dict[Any, Any]):
    """What a formula reads: 0 (or no slots) for everything that no row contributed to."""

    def __init__(self, metric: Metric, held: dict[Any, Any]) -> None:
        formula = metric.formula
        super().__init__(dict.fromkeys(formula.measures(), 0))
        self.update({histogram: {} for histogram in formula.histograms()})
        if isinstance(formula, Deflection):
            self["tariff", formula.counted] = Decimal(0)
        self.update(held)


def _points(
    metric: Metric,
    merged: Points,
    grid: Grid,
    piece: Slice,
    query: Query,
    zone: ZoneInfo,
    starts: list[datetime],
) -> list[Point]:
    users = _users_formula(metric)
    folded, keep, other = _fold(metric, merged, query) if query.group_by else (merged, None, ())
    distinct: dict[Cell, int] = {}
    if users is not None:
        distinct, folded = _count_users(metric, folded, grid, piece, query, keep, other)
    points: list[Point] = []
    for number, groups in folded.items():
        whole = _whole(metric, groups)
        listed: Iterable[Group] = sorted(groups) if query.group_by else [()]
        for group in listed:
            held = _Sums(metric, groups.get(group, {}))
            held["days"] = grid.days
            held.update(whole)
            if users is not None:
                held[users] = distinct.get((number, group), 0)
            value = metric.formula.evaluate(held)
            if query.group_by and not is_observed(value):
                continue
            points.append(_point(value, group, number, grid, query, piece.now, zone, starts))
    return points


def _users_formula(metric: Metric) -> DistinctUsers | None:
    formula = metric.formula
    if isinstance(formula, DistinctUsers):
        return formula
    return formula.users if isinstance(formula, PerUser) else None


def is_observed(value: Value) -> bool:
    """Whether a group has anything to show at a point."""
    return value.n > 0 or bool(value.value)


def _whole(metric: Metric, groups: dict[Group, dict[Any, Any]]) -> dict[Any, Any]:
    if not isinstance(metric.formula, ShareOfWhole):
        return {}
    measure = metric.formula.measure
    return {("whole", measure): sum(held.get(measure, 0) for held in groups.values())}


def _fold(metric: Metric, merged: Points, query: Query) -> tuple[Points, list[Group] | None, Group]:
    """Keep the groups with most observations, up to the limit; the rest becomes `(other)`."""
    totals: dict[Group, dict[Any, Any]] = {}
    for groups in merged.values():
        for group, held in groups.items():
            add_into(totals.setdefault(group, {}), held)
    other = tuple(OTHER for _ in query.group_by)
    if len(totals) <= query.limit or _users_formula(metric) is metric.formula:
        return merged, None, other
    ranked = sorted(totals, key=lambda group: (-_weight(metric, totals[group]), group))
    keep = set(ranked[: query.limit])
    folded: Points = {}
    for number, groups in merged.items():
        point: dict[Group, dict[Any, Any]] = {}
        for group, held in groups.items():
            add_into(point.setdefault(group if group in keep else other, {}), held)
        folded[number] = point
    return folded, sorted(keep), other


def _weight(metric: Metric, held: dict[Any, Any]) -> int:
    """How much a group counts when groups are ranked: its observations."""
    if isinstance(metric.formula, Percentile | PercentileRatio):
        return sum(held.get(metric.formula.histogram, {}).values())
    measures = metric.formula.measures()
    return int(held.get(measures[-1], 0)) if measures else 0


def _count_users(
    metric: Metric,
    merged: Points,
    grid: Grid,
    piece: Slice,
    query: Query,
    keep: list[Group] | None,
    other: Group,
) -> tuple[dict[Cell, int], Points]:
    """Distinct users of every point; for a purely distinct metric these are also the groups."""
    distinct = rollup.distinct_users(grid.windows, piece, keep, other)
    is_pure = isinstance(metric.formula, DistinctUsers)
    if not is_pure:
        return distinct, merged
    if query.group_by:
        totals: dict[Group, int] = defaultdict(int)
        for (_, group), users in distinct.items():
            totals[group] += users
        if len(totals) > query.limit:
            ranked = sorted(totals, key=lambda group: (-totals[group], group))[: query.limit]
            distinct = rollup.distinct_users(grid.windows, piece, sorted(ranked), other)
    points: Points = {number: {} for number in range(len(grid.windows))}
    for number, group in distinct:
        points[number][group] = {}
    return distinct, points


def _point(
    value: Value,
    group: Group,
    number: int,
    grid: Grid,
    query: Query,
    now: datetime,
    zone: ZoneInfo,
    starts: list[datetime],
) -> Point:
    return Point(
        start=starts[number].astimezone(zone),
        group=dict(zip(query.group_by, group, strict=True)),
        value=value.value,
        numerator=value.numerator,
        denominator=value.denominator,
        n=value.n,
        low=value.low,
        high=value.high,
        provisional=grid.windows[number][1] > now,
    )


def _add_previous(answer: dict[str, Series], before: dict[str, Series]) -> None:
    """Attach to each point the one at the same place in the period before."""
    for key, series in answer.items():
        places = _places(before[key].points)
        for place, point in _places(series.points).items():
            point.previous = places.get(place)


def _places(points: list[Point]) -> dict[tuple[int, tuple[tuple[str, str], ...]], Point]:
    starts = sorted({point.start.astimezone(UTC) for point in points})
    return {
        (bisect_left(starts, point.start.astimezone(UTC)), tuple(sorted(point.group.items()))): point
        for point in points
    }


def default_range(organization: Organization, now: datetime) -> tuple[date, date]:
    """The last 30 complete local days and today, as `start ≤ day < end`."""
    today = local_day(now, organization.zone)
    return today - timedelta(days=30), today + timedelta(days=1)


def window_ending_yesterday(query: Query, organization: Organization, now: datetime, days: int) -> Query:
    """The same question as one point over the `days` complete local days that ended yesterday."""
    today = local_day(now, organization.zone)
    return replace(query, start=today - timedelta(days=days), end=today, interval="total", rolling_days=None)
