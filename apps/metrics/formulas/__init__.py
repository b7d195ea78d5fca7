"""How a metric's value follows from its measures."""

from __future__ import annotations

from apps.core.intervals import wilson
from apps.metrics.formulas.base import NANO, Formula, Number, Value, money
from apps.metrics.formulas.people import DistinctUsers, LifetimeValue, PeopleCount, PeopleShare, PerUser
from apps.metrics.formulas.percentiles import (
    LOG_GROWTH,
    PeoplePercentile,
    Percentile,
    PercentileRatio,
    percentile,
    slot_of,
)
from apps.metrics.formulas.plain import (
    CostPer,
    Count,
    Largest,
    Margin,
    Mean,
    PerMinute,
    Ratio,
    Share,
    ShareOfWhole,
)
from apps.metrics.formulas.weighted import DEFLECTION_DAYS, Deflection, TokenEfficiency

__all__ = [
    "DEFLECTION_DAYS",
    "LOG_GROWTH",
    "NANO",
    "CostPer",
    "Count",
    "Deflection",
    "DistinctUsers",
    "Formula",
    "Largest",
    "LifetimeValue",
    "Margin",
    "Mean",
    "Number",
    "PeopleCount",
    "PeoplePercentile",
    "PeopleShare",
    "PerMinute",
    "PerUser",
    "Percentile",
    "PercentileRatio",
    "Ratio",
    "Share",
    "ShareOfWhole",
    "TokenEfficiency",
    "Value",
    "money",
    "percentile",
    "slot_of",
    "wilson",
]
