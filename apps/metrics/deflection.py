"""What deflected sessions earned: sessions by start day and tariff, times the setting in force that day."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.time_buckets import days_between, local_midnight
from apps.metrics import adding, facts
from apps.metrics.facts import Cell, Slice
from apps.metrics.formulas import Deflection
from apps.metrics.measures.measure import Measure
from apps.metrics.sources import SESSION
from apps.pricing.deflection import Tariff


def tariffs(formulas: list[Deflection], piece: Slice, zone: ZoneInfo) -> dict[Cell, dict[Any, Any]]:
    """Earned USD by cell under `("tariff", measure)` for each counted measure.

    Cells longer than a day are split at local midnights in SQL, because a setting takes effect on a
    day; channel and intent are split only where a setting names one.
    """
    counted = list(dict.fromkeys(formula.counted for formula in formulas))
    if not counted:
        return {}
    tariff = Tariff.load()
    if tariff.is_uniform and all(adding.is_rolled(measure, piece) for measure in counted):
        return _by_day(counted, piece, tariff, zone)
    parameters = {**piece.parameters(), "zone": zone.key}
    condition = facts.where(SESSION, piece, parameters)
    channel = "coalesce(f.channel, '')" if tariff.splits_by_channel else "''"
    intent = "coalesce(f.intent, '')" if tariff.splits_by_intent else "''"
    columns = ", ".join(measure.sql for measure in counted)
    grouping = ", ".join(str(number + 1) for number in range(5 + len(piece.group_by)))
    sql = (
        "SELECT width_bucket(f.started_at, %(edges)s::timestamptz[]) - 1, "
        f"(f.started_at AT TIME ZONE %(zone)s)::date, f.project_id, {channel}, {intent}"
        f"{facts.groups_sql(SESSION, piece)}, {columns} FROM {SESSION.table} f WHERE {condition} GROUP BY {grouping}"
    )
    cells: dict[Cell, dict[Any, Any]] = defaultdict(lambda: defaultdict(Decimal))
    width = 5 + len(piece.group_by)
    for row in facts.fetch(sql, parameters):
        value = tariff.value_of(row[1], row[2], row[3], row[4])
        held = cells[row[0], tuple(row[5:width])]
        for measure, count in zip(counted, row[width:], strict=True):
            held["tariff", measure] += value * count
    return {cell: dict(held) for cell, held in cells.items()}


def _by_day(
    counted: list[Measure], piece: Slice, tariff: Tariff, zone: ZoneInfo
) -> dict[Cell, dict[Any, Any]]:
    """The same where a day has one value, from the sums of whole local days."""
    starts = piece.days or []
    days = [*days_between(starts[0], starts[-1]), starts[-1]]
    daily = replace(piece, edges=[local_midnight(day, zone) for day in days], days=days)
    cells: dict[Cell, dict[Any, Any]] = defaultdict(lambda: defaultdict(Decimal))
    for (number, group), held in adding.sums(counted, daily).items():
        value = tariff.value_of(days[number], 0, "", "")
        earned = cells[bisect_right(starts, days[number]) - 1, group]
        for measure in counted:
            earned["tariff", measure] += value * int(held[measure])
    return {cell: dict(held) for cell, held in cells.items()}
