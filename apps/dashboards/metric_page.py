"""One metric's page: its course, its parts at every point, what it is broken down by, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from apps.accounts.access import Member
from apps.accounts.models import Organization
from apps.alerts.evaluate import states
from apps.dashboards.bands import thresholds
from apps.dashboards.budgets import budget_rows
from apps.dashboards.charts import Row, chart, group_name, row
from apps.dashboards.corrected import corrected
from apps.dashboards.display import Change, change
from apps.dashboards.filters import Option, Select, filter_form
from apps.dashboards.selection import ROLLING_DAYS, Selection, default_selection
from apps.dashboards.sessions_links import group_path, links, point_paths
from apps.dashboards.tiles import metric_path, target_of, tiles
from apps.metrics.budgets import SPEND
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.explain import explain
from apps.metrics.filled import filled
from apps.metrics.query import BadQuery, Query, Series
from apps.metrics.series import run

DRAWN_GROUPS = 5
LISTED_GROUPS = 50


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of the break-down."""

    name: str
    row: Row
    change: Change | None


def catalogue() -> list[tuple[str, list[tuple[Metric, str]]]]:
    """Metrics by lens, each with its address."""
    by_lens = groupby(METRICS.values(), key=lambda metric: metric.lens)
    return [(lens, [(metric, metric_path(metric.key)) for metric in found]) for lens, found in by_lens]


def course_query(metric: Metric, selection: Selection) -> Query:
    """The question behind the chart and its table."""
    query = selection.over_time((metric.key,))
    if not selection.by:
        return query
    return Query(
        query.metrics,
        query.start,
        query.end,
        query.interval,
        group_by=(selection.by,),
        filters=query.filters,
        rolling_days=query.rolling_days,
        limit=DRAWN_GROUPS,
    )


def exported(
    organization: Organization, metric: Metric, selection: Selection, table: str, now: datetime
) -> Series:
    """The series behind the page's table of points, or behind its break-down."""
    if table == "breakdown" and selection.by:
        query = selection.breakdown((metric.key,), LISTED_GROUPS)
    else:
        query = course_query(metric, selection)
    return run(organization, query, now)[metric.key]


def metric_context(
    member: Member, metric: Metric, selection: Selection, now: datetime
) -> tuple[dict[str, Any], BadQuery | None]:
    """Everything that the page shows; for the default selection, with the reason, where it was refused."""
    organization, refused = member.organization, None
    try:
        course = run(organization, course_query(metric, selection), now)[metric.key]
    except BadQuery as error:
        refused, selection = error, default_selection(organization, now)
        course = run(organization, course_query(metric, selection), now)[metric.key]
    path = metric_path(metric.key)
    threshold = thresholds().get(metric.key)
    context = {
        "metric": metric,
        "selection": selection,
        "tile": tiles(organization, selection, [metric.key], states(organization, now), now)[0],
        "chart": chart(
            course,
            selection.interval,
            threshold,
            is_big=True,
            note=" ".join([_note(selection), *course.notices]),
            behind=point_paths(metric.key, selection),
        ),
        "form": filter_form(organization, selection, now),
        "by": _by(metric, selection),
        "groups": _groups(organization, metric, selection, now) if selection.by else [],
        "explained": explain(metric),
        "filled": filled(organization, metric, selection.over_time((metric.key,)), now),
        "corrected": corrected(organization, metric, selection, now),
        "budgets": budget_rows(organization, now) if metric.key == SPEND else None,
        "target": target_of(metric, threshold),
        "path": path,
        "behind": links(metric.key, selection),
        "csv": selection.address(f"{path}csv/"),
        "breakdown_csv": selection.address(f"{path}csv/", table="breakdown"),
        "crumbs": [{"title": "Metrics", "path": "/metrics/"}, {"title": metric.title, "path": ""}],
        "may_configure": member.may_configure,
    }
    return context, refused


def _note(selection: Selection) -> str:
    rolling = (
        f", each point the {ROLLING_DAYS} complete days that end with it" if selection.is_rolling else ""
    )
    today = "; today is unfinished" if selection.is_preset else ""
    return f"By {selection.interval}{rolling}{today}."


def _by(metric: Metric, selection: Selection) -> Select:
    options = [Option("", "No break-down", not selection.by)]
    options += [Option(name, name.replace("_", " "), selection.by == name) for name in metric.dimensions]
    return Select("by", "Break down by", options)


def _groups(
    organization: Organization, metric: Metric, selection: Selection, now: datetime
) -> list[GroupRow]:
    """Groups of the period, those with most observations first."""
    query = selection.breakdown((metric.key,), LISTED_GROUPS)
    before = run(organization, query.previous(), now)[metric.key].points
    earlier = {group_name(point): point.value for point in before}
    points = run(organization, query, now)[metric.key].points
    return [
        GroupRow(
            group_name(point),
            row(point, metric, "total", group_path(metric.key, selection, point)),
            change(metric, point.value, earlier.get(group_name(point)), selection.against),
        )
        for point in sorted(points, key=lambda point: -point.n)
    ]
