"""A formula with its numbers filled in, and the prices that its money comes from."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.accounts.models import Organization
from apps.metrics import deflection, facts
from apps.metrics.behind import Whole, parts, titled, whole_of
from apps.metrics.catalogue import Metric
from apps.metrics.formulas import Deflection, Number
from apps.metrics.formulas.plain import MINUTES_PASSED
from apps.metrics.formulas.weighted import WINDOW_DAYS
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.measures.people import People
from apps.metrics.query import Query
from apps.metrics.series import run
from apps.metrics.sources import GENERATION, SESSION

MARKS = {"usd": "${}", "ms": "{} ms"}


def filled(organization: Organization, metric: Metric, query: Query, now: datetime) -> dict[str, Any]:
    """Parts, the calculation in numbers, where they were read and at which prices: over all days of the question,
    ungrouped (of the last point's window, where points look back). Raises `BadQuery`."""
    whole = whole_of(organization, metric, query, now)
    found = [{**one, "words": in_words(one["value"], one["unit"])} for one in parts(metric, whole)]
    total = replace(query, metrics=(metric.key,), interval="total", group_by=(), compare=False)
    point = run(organization, total, now)[metric.key].points[0]
    return {
        "parts": found,
        "calculation": f"{_calculation(metric, found, whole)} = {in_words(point.value, metric.unit)}",
        "answered_from": sorted({part["answered_from"] for part in found}),
        "prices": _prices(metric, whole),
    }


def in_words(number: Number | str, unit: str = "") -> str:
    """A number with its unit, at most six digits after the point."""
    if number is None:
        return "no value"
    exact = Decimal(str(number))
    text = f"{exact:,.0f}" if exact == exact.to_integral_value() else f"{exact:,.6f}".rstrip("0")
    return MARKS.get(unit, "{}").format(text)


def _calculation(metric: Metric, found: list[dict[str, Any]], whole: Whole) -> str:
    """The formula's words with each part's title replaced by its number."""
    texts = {MINUTES_PASSED: in_words(whole.minutes), WINDOW_DAYS: str(whole.days)}
    for part, told in zip(titled(metric), found, strict=True):
        number = in_words(told["value"], told["unit"])
        is_spread = isinstance(part, Histogram) or (isinstance(part, People) and part.is_slotted)
        texts[part.title] = f"{number} values" if is_spread else number
    if isinstance(metric.formula, Deflection):
        texts[metric.formula.earned] = in_words(_earned(metric.formula, whole), "usd")
    longest_first = sorted(texts, key=len, reverse=True)
    named = re.compile("|".join(map(re.escape, longest_first)))
    return named.sub(lambda match: texts[match[0]], metric.formula.words())


def _earned(formula: Deflection, whole: Whole) -> Decimal:
    held = deflection.tariffs([formula], whole.piece, whole.zone).get((0, ()), {})
    return Decimal(held.get(("tariff", formula.counted), 0))


def _prices(metric: Metric, whole: Whole) -> list[dict[str, Any]]:
    """How many model calls of the period were priced how, where the metric counts their cost."""
    costs = [one for one in metric.formula.measures() if isinstance(one, Measure) and one.unit == "usd"]
    if not any(one.source in (GENERATION, SESSION) for one in costs):
        return []
    filters = {name: held for name, held in whole.piece.filters.items() if name in GENERATION.dimensions}
    piece = replace(whole.piece, filters=filters)
    parameters = piece.parameters()
    rows = facts.fetch(
        f"SELECT f.cost_source, f.price_version, count(*) FROM {GENERATION.table} f "
        f"WHERE {facts.where(GENERATION, piece, parameters)} AND f.cost_nano IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        parameters,
    )
    return [{"source": source, "version": version, "calls": calls} for source, version, calls in rows]
