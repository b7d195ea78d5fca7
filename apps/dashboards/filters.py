"""The filter bar: what can be chosen, and what is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import Organization, Project
from apps.dashboards.selection import CHART_INTERVALS, PERIODS, Selection
from apps.metrics.query import NONE, Query
from apps.metrics.series import run

CHOICES = 200


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a select box."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A select box; the empty value means everything."""

    name: str
    label: str
    options: list[Option]


@dataclass(frozen=True, slots=True)
class FilterForm:
    """Periods, intervals and one box a filter."""

    periods: list[Option]
    interval: Select
    selects: list[Select]


def filter_form(organization: Organization, selection: Selection, now: datetime) -> FilterForm:
    """The bar for the active organisation: values that occur in the period, and those chosen already."""
    projects = list(Project.objects.order_by("name").values_list("name", flat=True))
    environments = _values(organization, selection, "sessions", "environment", now)
    models = _values(organization, selection, "generations", "model", now)
    return FilterForm(
        periods=[
            *(Option(period, f"{period} days", selection.period == period) for period in PERIODS),
            Option("custom", "Custom", not selection.is_preset),
        ],
        interval=Select(
            "interval",
            "By",
            [Option(one, one.capitalize(), selection.interval == one) for one in CHART_INTERVALS],
        ),
        selects=[
            _select("project", "Project", "All projects", projects, selection),
            _select("environment", "Environment", "All but test", [*environments, "test"], selection),
            _select("model", "Model", "All models", models, selection),
        ],
    )


def _values(
    organization: Organization, selection: Selection, metric: str, dimension: str, now: datetime
) -> list[str]:
    """Values of a dimension that were seen between the period's start and now."""
    over = selection.over_time((metric,), "day")
    query = Query((metric,), over.start, over.end, "total", group_by=(dimension,), limit=CHOICES)
    points = run(organization, query, now)[metric].points
    return sorted({point.group[dimension] for point in points} - {NONE, ""})


def _select(name: str, label: str, everything: str, values: list[str], selection: Selection) -> Select:
    chosen = selection.filters.get(name, ())
    known = list(dict.fromkeys([*values, *chosen]))
    options = [Option("", everything, not chosen), *(Option(one, one, one in chosen) for one in known)]
    return Select(name, label, options)
