"""Charts: a series as data for the script, the same points as rows of a table, and one sentence about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from apps.alerts.presets import Effective
from apps.dashboards.display import SMALL_SAMPLE, amount, bucket, bucket_title, exact, interval
from apps.metrics.answers import number_json
from apps.metrics.catalogue import Metric
from apps.metrics.query import Point, Series

# Amounts are drawn as bars; rates, scores and times as lines.
BAR_UNITS = frozenset({"count", "tokens"})


@dataclass(frozen=True, slots=True)
class Row:
    """A point in words; `raw` is the unrounded value as the API gives it."""

    start: str
    group: str
    value: str
    raw: str
    numerator: str
    denominator: str
    n: str
    interval: str
    is_small: bool
    is_provisional: bool
    path: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: `data` goes to the page as JSON, `rows` into its table."""

    id: str
    key: str
    title: str
    note: str
    summary: str
    data: dict[str, Any]
    rows: list[Row]
    is_empty: bool
    has_groups: bool = False
    is_big: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line: the target, or a threshold where `is_limit`."""

    label: str
    value: float
    is_limit: bool


def chart(
    series: Series,
    interval_name: str,
    threshold: Effective | None = None,
    *,
    href: str = "",
    is_big: bool = False,
    note: str = "",
    behind: Callable[[Point], str] | None = None,
) -> Chart:
    """A figure for one metric; grouped points become a line a group.

    `behind` gives the address of what a point counts; its rows and the points of the picture lead there.
    """
    path_of = behind or (lambda point: "")
    metric = series.metric
    has_groups = any(point.group for point in series.points)
    return Chart(
        id=f"chart-{metric.key}",
        key=metric.key,
        title=metric.title,
        note=note or metric.about,
        summary=summary(series, interval_name),
        data=_data(series, interval_name, levels(metric, threshold), path_of, has_groups=has_groups),
        rows=[row(point, metric, interval_name, path_of(point)) for point in series.points],
        is_empty=all(point.value is None for point in series.points),
        has_groups=has_groups,
        is_big=is_big,
        href=href,
    )


def row(point: Point, metric: Metric, interval_name: str, path: str = "") -> Row:
    return Row(
        start=bucket_title(point.start, interval_name),
        group=group_name(point),
        value=amount(point.value, metric.unit),
        raw=str(number_json(point.value)) if point.value is not None else "",
        numerator=exact(point.numerator),
        denominator=exact(point.denominator),
        n=f"{point.n:,}",
        interval=interval(point, metric.unit),
        is_small=point.n < SMALL_SAMPLE,
        is_provisional=point.provisional,
        path=path,
    )


def group_name(point: Point) -> str:
    return ", ".join(value or "(none)" for value in point.group.values())


def summary(series: Series, interval_name: str) -> str:
    """What the picture shows, for those who do not see it."""
    metric, points = series.metric, series.points
    told = [point for point in points if point.value is not None]
    if not told:
        need = f" It needs {metric.needs}." if metric.needs else ""
        return f"{metric.title}: no data in this period.{need}"
    lowest = min(told, key=lambda point: point.value or 0)
    highest = max(told, key=lambda point: point.value or 0)
    gaps = len(points) - len(told)
    sentence = (
        f"{metric.title} by {interval_name}, {bucket(points[0].start, interval_name)} to "
        f"{bucket(points[-1].start, interval_name)}: lowest {_at(lowest, metric, interval_name)}, "
        f"highest {_at(highest, metric, interval_name)}, last {amount(told[-1].value, metric.unit)}"
    )
    sentence += " so far" if told[-1].provisional else ""
    return f"{sentence}; {gaps} without data." if gaps else f"{sentence}."


def _at(point: Point, metric: Metric, interval_name: str) -> str:
    group = f" ({group_name(point)})" if point.group else ""
    return f"{amount(point.value, metric.unit)}{group} on {bucket(point.start, interval_name)}"


def _data(
    series: Series,
    interval_name: str,
    lines: list[Level],
    path_of: Callable[[Point], str],
    *,
    has_groups: bool,
) -> dict[str, Any]:
    metric = series.metric
    starts = sorted({point.start for point in series.points})
    provisional = {point.start: point.provisional for point in series.points}
    names = list(dict.fromkeys(group_name(point) for point in series.points))
    groups = {name: {p.start: p for p in series.points if group_name(p) == name} for name in names}
    return {
        "kind": "bar" if metric.unit in BAR_UNITS and not has_groups else "line",
        "unit": metric.unit,
        "labels": [bucket(start, interval_name) for start in starts],
        "titles": [bucket_title(start, interval_name) for start in starts],
        "provisional": [provisional[start] for start in starts],
        "series": [
            {
                "name": name if has_groups else metric.title,
                "values": [_drawn(points.get(start)) for start in starts],
                "texts": [_text(points.get(start), metric) for start in starts],
                "paths": [path_of(points[start]) if start in points else "" for start in starts],
            }
            for name, points in groups.items()
        ],
        "lines": [asdict(line) for line in lines],
    }


def _drawn(point: Point | None) -> float | None:
    return None if point is None or point.value is None else float(point.value)


def _text(point: Point | None, metric: Metric) -> str:
    if point is None or point.value is None:
        return "No data"
    return f"{amount(point.value, metric.unit)} (n = {point.n:,})"


def levels(metric: Metric, threshold: Effective | None) -> list[Level]:
    """The target in force and, where set, the critical value."""
    target = threshold.target if threshold else metric.target
    found = (
        [Level(f"Target {amount(target, metric.unit)}", float(target), False)] if target is not None else []
    )
    if threshold and threshold.critical is not None and threshold.critical != target:
        critical = threshold.critical
        found.append(Level(f"Critical {amount(critical, metric.unit)}", float(critical), True))
    return found
