"""Tiles: a metric's value over the period, its change, its recent course and whether its threshold holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.accounts.models import Organization
from apps.alerts.evaluate import ThresholdState
from apps.alerts.models import is_better
from apps.alerts.presets import Effective
from apps.dashboards.display import SMALL_SAMPLE, Change, amount, change, interval
from apps.dashboards.panels import EXAMPLES
from apps.dashboards.selection import Selection
from apps.dashboards.sessions_links import links
from apps.dashboards.sparkline import Sparkline, sparkline
from apps.metrics.answers import number_json
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.formulas import DEFLECTION_DAYS, Deflection
from apps.metrics.query import Point, Series
from apps.metrics.series import run

WORDS = {
    "on": "On target",
    "off": "Off target",
    "ok": "Within limits",
    "warning": "Warning",
    "critical": "Critical",
    "small_sample": "Small sample",
    "no_data": "No data",
}


@dataclass(frozen=True, slots=True)
class State:
    """Whether the threshold holds, as a word."""

    key: str
    word: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A line under a tile's value."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    """What the template shows; `raw` is the unrounded value as the API gives it."""

    key: str
    title: str
    href: str
    value: str
    raw: str
    is_small: bool
    is_empty: bool
    state: State | None
    change: Change | None = None
    sparkline: Sparkline | None = None
    missing: str = ""
    snippet: str = ""
    facts: list[Fact] = field(default_factory=list)
    source: str = ""
    sessions: str = ""

    @property
    def snippet_id(self) -> str:
        return f"snippet-{self.key}"


def tiles(
    organization: Organization,
    selection: Selection,
    keys: Sequence[str],
    states: Sequence[ThresholdState],
    now: datetime,
) -> list[Tile]:
    """A tile for each metric; those that lack a filtered dimension say so instead of a number."""
    able = tuple(key for key in keys if not unfiltered(METRICS[key], selection))
    totals = run(organization, selection.total(able), now) if able else {}
    course = run(organization, selection.over_time(able, "day"), now) if able else {}
    by_key = {one.metric.key: one for one in states if one.project is None}
    return [
        _tile(selection, totals[key].points[0], course[key], by_key.get(key))
        if key in totals
        else _unanswerable(METRICS[key], selection)
        for key in keys
    ]


def unfiltered(metric: Metric, selection: Selection) -> list[str]:
    """Filters of the selection that the metric has no dimension for."""
    return [name for name in selection.filters if name not in metric.dimensions]


def metric_path(key: str) -> str:
    return f"/metrics/{key}/"


def _tile(selection: Selection, point: Point, course: Series, threshold: ThresholdState | None) -> Tile:
    metric = course.metric
    today = course.points[-1] if selection.is_preset else None
    is_first_day = point.n == 0 and today is not None and today.n > 0
    shown = today if is_first_day and today is not None else point
    is_empty = shown.value is None or (shown.n == 0 and metric.unit not in ("count", "tokens", "usd"))
    target = target_of(metric, threshold.threshold if threshold else None)
    previous = point.previous.value if point.previous is not None and not is_first_day else None
    return Tile(
        key=metric.key,
        title=metric.title,
        href=selection.address(metric_path(metric.key)),
        value=amount(shown.value, metric.unit),
        raw=str(number_json(shown.value)) if shown.value is not None else "",
        is_small=not is_empty and shown.n < SMALL_SAMPLE,
        is_empty=is_empty,
        state=_state(selection, threshold),
        change=change(metric, point.value, previous, selection.against),
        sparkline=None if is_empty else sparkline(course),
        missing=_missing(metric, selection) if is_empty else "",
        snippet=_snippet(metric) if is_empty else "",
        facts=_facts(metric, selection, shown, today, target, is_first_day=is_first_day),
        source=target.source,
        sessions="" if is_empty or is_first_day else links(metric.key, selection)[0].path,
    )


def _state(selection: Selection, threshold: ThresholdState | None) -> State | None:
    """Thresholds are held against the whole organisation, so that a filtered tile shows no state."""
    if threshold is None or selection.filters:
        return None
    target, value = threshold.threshold.target, threshold.value
    if threshold.state == "ok" and target is not None and value is not None:
        key = "off" if is_better(threshold.metric, target, value) else "ok"
        return State(key, WORDS["off"] if key == "off" else WORDS["on"])
    return State(threshold.state, WORDS[threshold.state])


def _facts(
    metric: Metric,
    selection: Selection,
    shown: Point,
    today: Point | None,
    target: Target,
    *,
    is_first_day: bool,
) -> list[Fact]:
    period = "today so far, the first day" if is_first_day else window_words(metric, selection)
    facts = [Fact("Period", period)]
    if today is not None and not is_first_day and today.value is not None:
        facts.append(Fact("Today", f"{amount(today.value, metric.unit)}, n = {today.n:,}"))
    if target.text:
        facts.append(Fact("Target", target.text))
    small = ", small sample" if 0 < shown.n < SMALL_SAMPLE else ""
    facts.append(Fact("n", f"{shown.n:,}{small}"))
    if shown.low is not None:
        facts.append(Fact("95 %", interval(shown, metric.unit)))
    return facts


def window_words(metric: Metric, selection: Selection) -> str:
    """The days that the value of a period stands for: some metrics look at a window of their own."""
    formula = metric.formula
    if isinstance(formula, Deflection) and formula.is_rolling:
        return f"a day, {DEFLECTION_DAYS}-day mean"
    if days := formula.window_days():
        last = "yesterday" if selection.is_preset else "the last day"
        return last if days == 1 else f"{days} days to {last}"
    return f"{selection.days} days to yesterday" if selection.is_preset else selection.span


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed for, and who says so."""

    text: str
    source: str


def target_of(metric: Metric, threshold: Effective | None) -> Target:
    """The target in force: the organisation's, else the catalogue's; a trend where there is no figure."""
    if threshold is not None and threshold.target is not None:
        return Target(_bound(metric, threshold.target), threshold.source)
    if metric.target is not None:
        return Target(_bound(metric, metric.target), metric.target_source)
    if metric.target_source:
        return Target(
            "the trend must rise" if metric.direction == "up" else "see source", metric.target_source
        )
    return Target("", "")


def _bound(metric: Metric, value: float | Decimal) -> str:
    return f"{'≤' if metric.direction == 'down' else '≥'} {amount(value, metric.unit)}"


def _missing(metric: Metric, selection: Selection) -> str:
    need = f" It needs {metric.needs}." if metric.needs else ""
    return f"Nothing in {selection.span}.{need}"


def _snippet(metric: Metric) -> str:
    events = EXAMPLES.get(metric.key)
    return (
        json.dumps({"events": [{**one, "timestamp": "…now…"} for one in events]}, indent=1) if events else ""
    )


def _unanswerable(metric: Metric, selection: Selection) -> Tile:
    names = ", ".join(unfiltered(metric, selection))
    return Tile(
        key=metric.key,
        title=metric.title,
        href=metric_path(metric.key),
        value="Not filtered",
        raw="",
        is_small=False,
        is_empty=True,
        state=None,
        missing=f"This metric has no {names}; clear that filter to see it.",
    )
