"""A small line as SVG points: geometry only, so that it shows before any script runs and prints."""

from __future__ import annotations

from dataclasses import dataclass

from apps.dashboards.display import amount, bucket
from apps.metrics.query import Point, Series

WIDTH, HEIGHT, MARGIN = 100.0, 32.0, 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """A run of points without a gap; the last stretch, to an unfinished day, is its own line."""

    points: str
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Lines in a box of 100 × 32, the target's height where it lies inside, and the line in words."""

    lines: list[Line]
    target_y: str | None
    summary: str


def sparkline(series: Series) -> Sparkline | None:
    """The course of a series, None where nothing has a value."""
    values = [float(point.value) for point in series.points if point.value is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    target = series.metric.target
    spots = _spots(series.points, low, high)
    return Sparkline(
        lines=_lines(spots, series.points),
        target_y=f"{_height(target, low, high):.2f}"
        if target is not None and low <= target <= high
        else None,
        summary=_summary(series, low, high),
    )


def _spots(points: list[Point], low: float, high: float) -> list[tuple[float, float] | None]:
    step = WIDTH / max(1, len(points) - 1)
    return [
        None if point.value is None else (number * step, _height(float(point.value), low, high))
        for number, point in enumerate(points)
    ]


def _height(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)


def _lines(spots: list[tuple[float, float] | None], points: list[Point]) -> list[Line]:
    lines: list[Line] = []
    run: list[tuple[float, float]] = []
    for spot, point in zip(spots, points, strict=True):
        if spot is not None and point.provisional and run:
            lines.append(_line(run))
            lines.append(_line([run[-1], spot], is_provisional=True))
            run = []
        elif spot is not None:
            run.append(spot)
        elif run:
            lines.append(_line(run))
            run = []
    return [*lines, _line(run)] if run else lines


def _line(run: list[tuple[float, float]], *, is_provisional: bool = False) -> Line:
    ends = run if len(run) > 1 else run * 2  # A line of no length is drawn as a dot by its round caps.
    return Line(" ".join(f"{x:.2f},{y:.2f}" for x, y in ends), is_provisional)


def _summary(series: Series, low: float, high: float) -> str:
    unit = series.metric.unit
    first, last = series.points[0].start, series.points[-1].start
    return (
        f"By day from {bucket(first, 'day')} to {bucket(last, 'day')}: "
        f"lowest {amount(low, unit)}, highest {amount(high, unit)}."
    )
