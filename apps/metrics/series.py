"""The engine: a query in, a series of points out. Pages, API and alerts all come through `run`."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.accounts.models import Organization
from apps.core.time_buckets import edges, local_day
from apps.metrics import adding, deflection, facts, people
from apps.metrics.adding import Points
from apps.metrics.catalogue import Metric
from apps.metrics.facts import Cell, Group, Slice
from apps.metrics.formulas import Deflection, Formula, ShareOfWhole, Value
from apps.metrics.grid import Grid, make_grid
from apps.metrics.groups import fold, largest
from apps.metrics.measures import events
from apps.metrics.people import Crowd
from apps.metrics.query import OTHER, Point, Query, Series
from apps.metrics.rollups import combinations, keep, values

__all__ = ["Point", "Query", "Series", "run"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One pass of the engine: what was asked, over which grid, as of when."""

    query: Query
    grid: Grid
    piece: Slice
    zone: ZoneInfo
    starts: list[datetime]

    @property
    def notices(self) -> list[str]:
        """Dimensions grouped by that keep only their first values apart."""
        return [
            f"{name}: only the {values.MAX_VALUES:,} values that were seen first are kept apart; all others are in {OTHER}."
            for name in self.query.group_by
            if name in self.piece.full
        ]


def run(organization: Organization, query: Query, now: datetime) -> dict[str, Series]:
    """Compute every metric of the query for the active organisation; raises `BadQuery`."""
    query.check()
    zone = organization.zone
    starts = edges(query.start, query.end, query.interval, zone)
    answer: dict[str, Series] = {}
    for rolling, metrics in _by_window(query).items():
        grid = make_grid(starts, zone, rolling)
        asked = Asked(query, grid, slice_of(query, grid, now, zone), zone, starts)
        for metric, points in _evaluate(metrics, asked).items():
            answer[metric.key] = Series(metric, organization.timezone, points, asked.notices)
        adding.note_combination([metric.formula for metric in metrics], asked.piece)
    answer = {key: answer[key] for key in query.metrics}
    if query.compare:
        before = query.previous()
        starts_before = edges(before.start, before.end, before.interval, zone)
        _add_previous(answer, starts, run(organization, before, now), starts_before)
    return answer


def _by_window(query: Query) -> dict[int, list[Metric]]:
    """Metrics by the days of their rolling window; 0 where a point is its own bucket."""
    groups: dict[int, list[Metric]] = defaultdict(list)
    for metric in dict.fromkeys(query.declared()):
        own = metric.formula.window_days()
        groups[query.rolling_days or own].append(metric)
    return groups


def slice_of(query: Query, grid: Grid, now: datetime, zone: ZoneInfo) -> Slice:
    """Which rows count, and whether rollups may answer."""
    needs_runs = any(events.agent_runs in metric.formula.measures() for metric in query.declared())
    names = {*query.group_by, *query.filters}
    full = values.full_dimensions() & names
    days = _days(query, grid, zone, full)
    return Slice(
        edges=grid.edges,
        group_by=query.group_by,
        filters=query.filters,
        now=now,
        agent_projects=facts.projects_with_agent_runs() if needs_runs else [],
        days=days,
        full=full,
        combined=combinations.serving(names) if days else {},
    )


def _days(query: Query, grid: Grid, zone: ZoneInfo, full: frozenset[str]) -> list[date] | None:
    """The grid in local days where rollups may answer: hours, and values that are not kept apart, are read from
    the facts."""
    if (query.interval == "hour" and not grid.days) or values.names_left_out(query.filters, full):
        return None
    return [local_day(edge, zone) for edge in grid.edges] if keep.is_current() else None


def _evaluate(metrics: list[Metric], asked: Asked) -> dict[Metric, list[Point]]:
    if len(metrics) == 1:
        keep = largest(metrics[0], asked.query, asked.piece, is_rolling=bool(asked.grid.days))
        asked = replace(asked, piece=replace(asked.piece, keep=keep))
    formulas = [metric.formula for metric in metrics]
    cells: dict[Cell, dict[Any, Any]] = {}
    parts: list[dict[Cell, dict[Any, Any]]] = [
        adding.sums((one for formula in formulas for one in formula.measures()), asked.piece),
        adding.slots((one for formula in formulas for one in formula.histograms()), asked.piece),
        deflection.tariffs([one for one in formulas if isinstance(one, Deflection)], asked.piece, asked.zone),
    ]
    for part in parts:
        adding.join(cells, part)
    merged = _merge(cells, asked.grid)
    return {metric: _points(metric, merged, asked) for metric in metrics}


def _merge(cells: dict[Cell, dict[Any, Any]], grid: Grid) -> Points:
    """Sums by point and group: additive measures add, slots add slot by slot."""
    by_index: dict[int, list[tuple[Group, dict[Any, Any]]]] = defaultdict(list)
    for (index, group), held in cells.items():
        by_index[index].append((group, held))
    merged: Points = {}
    for number, indexes in enumerate(grid.cells_of):
        if len(indexes) == 1:
            merged[number] = dict(by_index.get(indexes[0], ()))
            continue
        point: dict[Group, dict[Any, Any]] = {}
        for index in indexes:
            for group, held in by_index.get(index, ()):
                adding.add_into(point.setdefault(group, {}), held)
        merged[number] = point
    return merged


def _nothing(formula: Formula) -> dict[Any, Any]:
    """What a formula reads where no row contributed: 0, no peak, no slots."""
    found: dict[Any, Any] = {measure: None if measure.is_peak else 0 for measure in formula.measures()}
    found |= {histogram: {} for histogram in formula.histograms()}
    found |= {part: {} if part.is_slotted else 0 for part in formula.people()}
    if isinstance(formula, Deflection):
        found["tariff", formula.counted] = Decimal(0)
    return found


def _points(metric: Metric, merged: Points, asked: Asked) -> list[Point]:
    query, formula = asked.query, metric.formula
    crowd = Crowd(asked.grid.windows, asked.piece, asked.zone, None)
    folded = _with_people(metric, merged, crowd)
    if query.group_by:
        folded, keep = fold(metric, folded, query, asked.piece.keep)
        if keep is not None and formula.people():
            folded = _with_people(metric, folded, replace(crowd, keep=keep))
    points: list[Point] = []
    nothing = _nothing(formula)
    for number, groups in folded.items():
        shared = {**nothing, **_whole(metric, groups), "days": asked.grid.days}
        shared["minutes"] = asked.grid.minutes(number, asked.piece.now)
        start = asked.starts[number].astimezone(asked.zone)
        is_final = asked.grid.windows[number][1] + timedelta(days=formula.lag_days()) <= asked.piece.now
        listed: Iterable[Group] = sorted(groups) if query.group_by else [()]
        for group in listed:
            value = formula.evaluate({**shared, **groups.get(group, {})})
            if query.group_by and not is_observed(value):
                continue
            named = dict(zip(query.group_by, group, strict=True))
            points.append(Point.of(value, start, named, provisional=not is_final))
    return points


def _with_people(metric: Metric, merged: Points, crowd: Crowd) -> Points:
    """The points with what the formula counts about people, which brings groups of its own."""
    parts = metric.formula.people()
    if not parts:
        return merged
    points = {
        number: {group: dict(held) for group, held in groups.items()} for number, groups in merged.items()
    }
    for part in parts:
        for (number, group), found in people.count(part, crowd).items():
            points[number].setdefault(group, {})[part] = found
    return points


def is_observed(value: Value) -> bool:
    """Whether a group has anything to show at a point."""
    return value.n > 0 or bool(value.value)


def _whole(metric: Metric, groups: dict[Group, dict[Any, Any]]) -> dict[Any, Any]:
    if not isinstance(metric.formula, ShareOfWhole):
        return {}
    measure = metric.formula.measure
    return {("whole", measure): sum(held.get(measure, 0) for held in groups.values())}


def _add_previous(
    answer: dict[str, Series],
    starts: list[datetime],
    before: dict[str, Series],
    starts_before: list[datetime],
) -> None:
    """Attach to each point the one of the same bucket and group in the period before."""
    for key, series in answer.items():
        places = _places(before[key].points, starts_before)
        for place, point in _places(series.points, starts).items():
            point.previous = places.get(place)


def _places(
    points: list[Point], starts: list[datetime]
) -> dict[tuple[int, tuple[tuple[str, str], ...]], Point]:
    """Points by the number of their bucket and their group."""
    return {(bisect_left(starts, point.start), tuple(sorted(point.group.items()))): point for point in points}


def default_range(organization: Organization, now: datetime) -> tuple[date, date]:
    """The last 30 complete local days and today, as `start ≤ day < end`."""
    today = local_day(now, organization.zone)
    return today - timedelta(days=30), today + timedelta(days=1)


def window_ending_yesterday(query: Query, organization: Organization, now: datetime, days: int) -> Query:
    """The same question as one point over the `days` complete local days that ended yesterday."""
    today = local_day(now, organization.zone)
    return replace(query, start=today - timedelta(days=days), end=today, interval="total", rolling_days=None)
