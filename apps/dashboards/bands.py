"""A band's tiles and charts for a selection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.accounts.access import Member
from apps.alerts.evaluate import states
from apps.alerts.presets import Effective, effective_thresholds
from apps.dashboards.charts import Chart, chart
from apps.dashboards.panels import OVERVIEW, Band
from apps.dashboards.selection import Selection
from apps.dashboards.sessions_links import point_paths
from apps.dashboards.tiles import metric_path, tiles, unfiltered
from apps.metrics.catalogue import METRICS
from apps.metrics.series import run


def thresholds() -> dict[str, Effective]:
    """Thresholds in force for the whole organisation, by metric."""
    return {one.metric.key: one for one in effective_thresholds() if one.project is None}


def band_context(member: Member, band: Band, selection: Selection, now: datetime) -> dict[str, Any]:
    """The tiles of a band; the first band of a home also lists what is breached, of any band."""
    judged = states(member.organization, now)
    return {
        "band": band,
        "is_first": band is OVERVIEW.bands[0],
        "breaches": [(one, metric_path(one.metric.key)) for one in judged if one.is_breached],
        "tiles": tiles(member.organization, selection, band.metrics, judged, now),
        "may_configure": member.may_configure,
    }


def band_charts(member: Member, band: Band, selection: Selection, now: datetime) -> list[Chart]:
    """A chart for each metric of the band that has the filtered dimensions."""
    able = tuple(key for key in band.metrics if not unfiltered(METRICS[key], selection))
    if not able:
        return []
    in_force = thresholds()
    return [
        chart(
            series,
            selection.interval,
            in_force.get(key),
            href=selection.address(metric_path(key)),
            behind=point_paths(key, selection),
        )
        for key, series in run(member.organization, selection.over_time(able), now).items()
    ]
