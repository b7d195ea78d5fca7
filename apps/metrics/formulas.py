"""How a metric's value follows from its measures, with sample size and 95 % interval.

A formula sees the summed measures of one point; it never sees rows, so a rate over any window is
the sum of numerators over the sum of denominators.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Protocol

from apps.metrics.measures import Histogram, Measure

Z95 = 1.96
EXACT = Context(prec=60)
NANO = 10**9
# Slots grow by 2 %, so the middle of a slot is within 0.99 % of everything in it.
GROWTH = 1.02
LOG_GROWTH = math.log(GROWTH)

Number = int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's value at one point. Money is Decimal, counts int, everything else float."""

    value: Number
    numerator: Number
    denominator: int | float | None
    n: int
    low: Number = None
    high: Number = None


Sums = Mapping[Any, Any]


class Formula(Protocol):
    """What a metric declares: which measures it needs and how they become a `Value`."""

    def measures(self) -> tuple[Measure, ...]: ...

    def histograms(self) -> tuple[Histogram, ...]: ...

    def evaluate(self, sums: Sums) -> Value: ...


class Additive:
    """Default parts of a formula."""

    def measures(self) -> tuple[Measure, ...]:
        return ()

    def histograms(self) -> tuple[Histogram, ...]:
        return ()


def money(nano: int | Decimal) -> Decimal:
    """Nano-dollars as dollars, exact."""
    return EXACT.divide(Decimal(nano), Decimal(NANO))


@dataclass(frozen=True)
class Count(Additive):
    """A plain sum; 0 where there is nothing. `is_money` sums are nano-dollars."""

    measure: Measure
    observations: Measure | None = None
    is_money: bool = False

    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,) if self.observations is None else (self.measure, self.observations)

    def evaluate(self, sums: Sums) -> Value:
        total = int(sums[self.measure])
        value: Number = money(total) if self.is_money else total
        return Value(value, value, None, int(sums[self.observations or self.measure]))


@dataclass(frozen=True)
class Share(Additive):
    """Counts ÷ counts with a Wilson interval; null where the denominator is empty."""

    part: Measure
    whole: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.part, self.whole)

    def evaluate(self, sums: Sums) -> Value:
        part, whole = int(sums[self.part]), int(sums[self.whole])
        if not whole:
            return Value(None, part, whole, 0)
        low, high = wilson(part, whole)
        return Value(part / whole, part, whole, whole, low, high)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share (Wilson 1927)."""
    share = part / whole
    spread = Z95 * math.sqrt(share * (1 - share) / whole + Z95**2 / (4 * whole**2))
    scale = 1 + Z95**2 / whole
    centre = share + Z95**2 / (2 * whole)
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True)
class Mean(Additive):
    """Σ ÷ n with ±1.96·s/√n. `divisor` turns the stored unit into the shown one."""

    total: Measure
    squares: Measure
    n: Measure
    divisor: int = 1
    squares_divisor: int = 0
    is_money: bool = False

    def measures(self) -> tuple[Measure, ...]:
        return (self.total, self.squares, self.n)

    def evaluate(self, sums: Sums) -> Value:
        total, n = Decimal(sums[self.total]), int(sums[self.n])
        numerator = EXACT.divide(total, Decimal(self.divisor))
        if not n:
            return Value(None, self._form(numerator), 0, 0)
        mean = EXACT.divide(numerator, Decimal(n))
        spread = self._spread(total, Decimal(sums[self.squares]), n)
        low = high = None
        if spread is not None:
            low, high = self._form(mean - spread), self._form(mean + spread)
        return Value(self._form(mean), self._form(numerator), n, n, low, high)

    def _spread(self, total: Decimal, squared: Decimal, n: int) -> Decimal | None:
        if n < 2:
            return None
        divisor = Decimal(self.squares_divisor or self.divisor**2)
        mean_square = EXACT.divide(squared, divisor)
        mean = EXACT.divide(total, Decimal(self.divisor))
        variance = max(Decimal(0), mean_square - EXACT.divide(mean * mean, Decimal(n))) / (n - 1)
        return Decimal(str(Z95)) * EXACT.sqrt(EXACT.divide(variance, Decimal(n)))

    def _form(self, number: Decimal) -> Number:
        return number if self.is_money else float(number)


@dataclass(frozen=True)
class Percentile(Additive):
    """The ⌈p·n⌉-th smallest value (nearest rank) within 1 %, from merged slots."""

    histogram: Histogram
    p: float

    def histograms(self) -> tuple[Histogram, ...]:
        return (self.histogram,)

    def evaluate(self, sums: Sums) -> Value:
        slots: Mapping[int, int] = sums[self.histogram]
        n = sum(slots.values())
        value = percentile(slots, self.p)
        return Value(None if value is None else value / self.histogram.divisor, None, n, n)


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


@dataclass(frozen=True)
class PercentileRatio(Additive):
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


@dataclass(frozen=True)
class ShareOfWhole(Additive):
    """A group's sum ÷ the sum of all groups of the same point."""

    measure: Measure
    is_counted: bool = True

    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)

    def evaluate(self, sums: Sums) -> Value:
        part, whole = int(sums[self.measure]), int(sums["whole", self.measure])
        if not whole:
            return Value(None, part, whole, 0)
        low, high = wilson(part, whole) if self.is_counted else (None, None)
        return Value(part / whole, part, whole, whole if self.is_counted else 0, low, high)


@dataclass(frozen=True)
class TokenEfficiency(Additive):
    """Σ(weight × tokens) ÷ Σ tokens over labelled responses; weights in tenths."""

    resolved: Measure
    follow_up: Measure
    unresolved: Measure
    n: Measure
    weights_tenths: tuple[int, int, int] = (10, 5, 2)

    def measures(self) -> tuple[Measure, ...]:
        return (self.resolved, self.follow_up, self.unresolved, self.n)

    def evaluate(self, sums: Sums) -> Value:
        tokens = [int(sums[measure]) for measure in (self.resolved, self.follow_up, self.unresolved)]
        weighted = sum(weight * count for weight, count in zip(self.weights_tenths, tokens, strict=True))
        whole, n = sum(tokens), int(sums[self.n])
        if not whole:
            return Value(None, weighted / 10, whole, n)
        return Value(weighted / (10 * whole), weighted / 10, whole, n)


@dataclass(frozen=True)
class DistinctUsers(Additive):
    """Distinct users of the last `days` local days of the point (0: of the whole point)."""

    days: int

    def evaluate(self, sums: Sums) -> Value:
        users = int(sums[self])
        return Value(users, users, None, users)


@dataclass(frozen=True)
class PerUser(Additive):
    """A sum ÷ the distinct users active in the same window."""

    measure: Measure
    users: DistinctUsers
    is_money: bool = True

    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)

    def evaluate(self, sums: Sums) -> Value:
        total, users = int(sums[self.measure]), int(sums[self.users])
        numerator = money(total) if self.is_money else Decimal(total)
        if not users:
            return Value(None, numerator, 0, 0)
        value = EXACT.divide(numerator, Decimal(users))
        return Value(value if self.is_money else float(value), numerator, users, users)


@dataclass(frozen=True)
class Deflection(Additive):
    """Value of deflected sessions: tariff × sessions − their LLM cost, in USD.

    `counted` and `spent` are the sessions and the cost taken off; `daily` divides by the days of
    a rolling window, and is null where the window has no closed session.
    """

    counted: Measure
    spent: Measure
    closed: Measure
    is_rolling: bool = False

    def measures(self) -> tuple[Measure, ...]:
        return (self.counted, self.spent, self.closed)

    def evaluate(self, sums: Sums) -> Value:
        earned: Decimal = sums["tariff", self.counted]
        value = earned - money(int(sums[self.spent]))
        n = int(sums[self.closed])
        if not self.is_rolling:
            return Value(value, value, None, n)
        days = int(sums["days"])
        if not n:
            return Value(None, value, days, 0)
        return Value(EXACT.divide(value, Decimal(days)), value, days, n)
