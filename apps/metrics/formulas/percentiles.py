"""Nearest-rank percentiles from merged log-spaced slots, within 1 % relative."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from apps.metrics.formulas.base import Formula, Sums, Value
from apps.metrics.measures.measure import Histogram
from apps.metrics.measures.people import People

# Slots grow by 2 %, so the middle of a slot is within 0.99 % of everything in it.
GROWTH = 1.02
LOG_GROWTH = math.log(GROWTH)


@dataclass(frozen=True)
class Percentile(Formula):
    """The ⌈p·n⌉-th smallest value (nearest rank)."""

    histogram: Histogram
    p: float

    def histograms(self) -> tuple[Histogram, ...]:
        return (self.histogram,)

    def evaluate(self, sums: Sums) -> Value:
        return of_slots(sums[self.histogram], self.p, self.histogram.divisor)

    def words(self) -> str:
        return f"{ordinal(self.p)} percentile of {self.histogram.title}"

    def behind(self) -> tuple[Histogram | None, Histogram | None]:
        return self.histogram, None


@dataclass(frozen=True)
class PercentileRatio(Formula):
    """One percentile ÷ another of the same values."""

    histogram: Histogram
    p: float
    q: float

    def histograms(self) -> tuple[Histogram, ...]:
        return (self.histogram,)

    def evaluate(self, sums: Sums) -> Value:
        slots: Mapping[int, int] = sums[self.histogram]
        top, bottom = percentile(slots, self.p), percentile(slots, self.q)
        if top is None or not bottom:
            return Value(None, None, None, 0)
        divisor = self.histogram.divisor
        return Value(top / bottom, top / divisor, bottom / divisor, sum(slots.values()))

    def words(self) -> str:
        return f"{ordinal(self.p)} ÷ {ordinal(self.q)} percentile of {self.histogram.title}"

    def behind(self) -> tuple[Histogram | None, Histogram | None]:
        return self.histogram, None


@dataclass(frozen=True)
class PeoplePercentile(Formula):
    """A percentile of something that is measured once a person."""

    slots: People
    p: float
    divisor: int

    def people(self) -> tuple[People, ...]:
        return (self.slots,)

    def evaluate(self, sums: Sums) -> Value:
        return of_slots(sums[self.slots], self.p, self.divisor)

    def words(self) -> str:
        return f"{ordinal(self.p)} percentile of {self.slots.title}"


def of_slots(slots: Mapping[int, int], p: float, divisor: int) -> Value:
    n = sum(slots.values())
    found = percentile(slots, p)
    return Value(None if found is None else found / divisor, None, n, n)


def ordinal(p: float) -> str:
    return f"{p * 100:g}th"


def percentile(slots: Mapping[int, int], p: float) -> float | None:
    """Nearest-rank percentile of slotted values; None without any."""
    n = sum(slots.values())
    if not n:
        return None
    rank = max(1, math.ceil(round(p * n, 9)))
    seen = 0
    for slot in sorted(slots):
        seen += slots[slot]
        if seen >= rank:
            return middle(slot)
    raise AssertionError("the rank lies within the observations")


def middle(slot: int) -> float:
    """The value that is at most 0.99 % off everything in the slot; slot -1 holds zero."""
    return 0.0 if slot < 0 else 2 * GROWTH**slot / (GROWTH + 1)


def slot_of(value: int) -> int:
    """The slot of a value in micro-units."""
    return math.ceil(math.log(value) / LOG_GROWTH) if value > 0 else -1
