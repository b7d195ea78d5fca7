"""Which thresholds hold now. Values come from the same engine as every page and the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from apps.accounts.models import Organization, Project
from apps.alerts import wording
from apps.alerts.models import is_better
from apps.alerts.presets import Effective, effective_thresholds
from apps.core.time_buckets import local_day
from apps.metrics.catalogue import Metric
from apps.metrics.query import MAX_METRICS, Point, Query
from apps.metrics.series import run

State = Literal["ok", "warning", "critical", "no_data", "small_sample"]
SEVERITY: dict[State, int] = {"critical": 0, "warning": 1, "small_sample": 2, "no_data": 3, "ok": 4}


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """One threshold and the value it was held against.

    `value` is None where there is no data, never 0. `is_provisional`: the window includes today,
    because the complete days alone had too few observations.
    """

    metric: Metric
    threshold: Effective
    state: State
    value: Decimal | None
    n: int
    is_provisional: bool
    sentence: str

    @property
    def is_breached(self) -> bool:
        return self.state in ("warning", "critical")

    @property
    def window_days(self) -> int:
        return self.threshold.window_days

    @property
    def project(self) -> Project | None:
        return self.threshold.project


def states(organization: Organization, now: datetime) -> list[ThresholdState]:
    """The state of every threshold in force, the worst first; inside an open `tenant()`.

    Judged over complete local days. Where these have too few observations, the window that ends
    with today is judged instead, so that a new organisation sees a breach at once.
    """
    thresholds = effective_thresholds()
    today = local_day(now, organization.zone)
    complete = _values(organization, thresholds, today, now)
    thin = [one for one in thresholds if _is_thin(one, complete.get(_key(one)))]
    with_today = _values(organization, thin, today + timedelta(days=1), now)
    found = [_judge(one, complete.get(_key(one)), with_today.get(_key(one))) for one in thresholds]
    return sorted(found, key=lambda one: SEVERITY[one.state])


Key = tuple[str, int | None]


def _key(threshold: Effective) -> Key:
    return threshold.metric.key, threshold.project.pk if threshold.project else None


def _values(
    organization: Organization, thresholds: Sequence[Effective], end: date, now: datetime
) -> dict[Key, Point]:
    """One point a threshold, over the days of its window before `end`: one query a window and project."""
    groups: dict[tuple[int, Project | None], list[Effective]] = defaultdict(list)
    for one in thresholds:
        groups[one.window_days, one.project].append(one)
    found: dict[Key, Point] = {}
    for (days, project), members in groups.items():
        filters = {"project": (project.name,)} if project else {}
        for metrics in _chunks([one.metric.key for one in members], MAX_METRICS):
            query = Query(metrics, end - timedelta(days=days), end, interval="total", filters=filters)
            for key, series in run(organization, query, now).items():
                found[key, project.pk if project else None] = series.points[0]
    return found


def _chunks(keys: list[str], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), size):
        yield tuple(keys[start : start + size])


def _is_thin(threshold: Effective, point: Point | None) -> bool:
    return point is None or point.value is None or point.n < threshold.minimum_sample


def _judge(threshold: Effective, complete: Point | None, with_today: Point | None) -> ThresholdState:
    """The complete days decide, unless they are thin and the window with today is not."""
    is_provisional = _is_thin(threshold, complete) and with_today is not None and with_today.value is not None
    point = with_today if is_provisional else complete
    over = wording.window(threshold.window_days, is_provisional=is_provisional)
    value = None if point is None or point.value is None else Decimal(str(point.value))
    n = point.n if point else 0
    if value is None:
        state: State = "no_data"
        sentence = wording.missing(threshold, over)
    elif n < threshold.minimum_sample:
        state, sentence = "small_sample", wording.small(threshold, value, n, over)
    else:
        state, sentence = _against_levels(threshold, value, n, over)
    return ThresholdState(threshold.metric, threshold, state, value, n, is_provisional, sentence)


def _against_levels(threshold: Effective, value: Decimal, n: int, over: str) -> tuple[State, str]:
    metric = threshold.metric
    if threshold.critical is not None and is_better(metric, threshold.critical, value):
        return "critical", wording.breach(threshold, "critical", value, n, over)
    if threshold.warning is not None and is_better(metric, threshold.warning, value):
        return "warning", wording.breach(threshold, "warning", value, n, over)
    return "ok", wording.kept(threshold, value, n, over)
