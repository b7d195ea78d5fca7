"""Sums, shares and means."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core.intervals import Z95, wilson
from apps.metrics.formulas.base import (
    EXACT,
    NANO,
    WILSON,
    Formula,
    Number,
    Sums,
    Value,
    money,
    share,
)
from apps.metrics.measures.measure import Measure

MINUTES_PASSED = "minutes passed"


@dataclass(frozen=True)
class Count(Formula):
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

    def words(self) -> str:
        return self.measure.title

    def behind(self) -> tuple[Measure | None, Measure | None]:
        return self.measure, None


@dataclass(frozen=True)
class Largest(Formula):
    """The largest value of any of the peaks; null without observations."""

    peaks: tuple[Measure, ...]
    observations: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (*self.peaks, self.observations)

    def evaluate(self, sums: Sums) -> Value:
        found = [int(sums[peak]) for peak in self.peaks if sums[peak] is not None]
        value = max(found, default=None)
        return Value(value, value, None, int(sums[self.observations]) if found else 0)

    def words(self) -> str:
        return f"largest {self.peaks[0].title}"

    def behind(self) -> tuple[Measure | None, Measure | None]:
        return self.observations, None


@dataclass(frozen=True)
class Share(Formula):
    """Counts ÷ counts with a Wilson interval; null where the denominator is empty."""

    part: Measure
    whole: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.part, self.whole)

    def evaluate(self, sums: Sums) -> Value:
        return share(int(sums[self.part]), int(sums[self.whole]))

    def words(self) -> str:
        return f"{self.part.title} ÷ {self.whole.title}"

    def interval(self) -> str:
        return WILSON


@dataclass(frozen=True)
class Ratio(Formula):
    """A count ÷ another that it is no part of, so without an interval."""

    part: Measure
    whole: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.part, self.whole)

    def evaluate(self, sums: Sums) -> Value:
        part, whole = int(sums[self.part]), int(sums[self.whole])
        return Value(part / whole if whole else None, part, whole, whole)

    def words(self) -> str:
        return f"{self.part.title} ÷ {self.whole.title}"


@dataclass(frozen=True)
class ShareOfWhole(Formula):
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

    def words(self) -> str:
        return f"{self.measure.title} of the group ÷ {self.measure.title} of all groups"

    def interval(self) -> str:
        return WILSON if self.is_counted else ""


@dataclass(frozen=True)
class Mean(Formula):
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

    def words(self) -> str:
        return f"{self.total.title} ÷ {self.n.title}"

    def interval(self) -> str:
        return "mean ± 1.96 standard errors (s ÷ √n), 95 %"

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
class PerMinute(Formula):
    """A count ÷ the minutes of the point that have passed; null before the point begins."""

    measure: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)

    def evaluate(self, sums: Sums) -> Value:
        count, minutes = int(sums[self.measure]), sums["minutes"]
        return Value(count / minutes if minutes else None, count, minutes, count)

    def words(self) -> str:
        return f"{self.measure.title} ÷ {MINUTES_PASSED}"

    def behind(self) -> tuple[Measure | None, Measure | None]:
        return self.measure, None


@dataclass(frozen=True)
class CostPer(Formula):
    """Nano-dollars ÷ a count that the money is not one observation of each."""

    total: Measure
    n: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.total, self.n)

    def evaluate(self, sums: Sums) -> Value:
        total, n = money(int(sums[self.total])), int(sums[self.n])
        return Value(EXACT.divide(total, Decimal(n)) if n else None, total, n, n)

    def words(self) -> str:
        return f"{self.total.title} ÷ {self.n.title}"


@dataclass(frozen=True)
class Margin(Formula):
    """(revenue − cost) ÷ revenue, both nano-dollars; null without revenue."""

    revenue: Measure
    cost: Measure
    payments: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.revenue, self.cost, self.payments)

    def evaluate(self, sums: Sums) -> Value:
        revenue, cost = int(sums[self.revenue]), int(sums[self.cost])
        n = int(sums[self.payments])
        numerator, denominator = (revenue - cost) / NANO, revenue / NANO
        if revenue <= 0:
            return Value(None, numerator, denominator, n)
        return Value((revenue - cost) / revenue, numerator, denominator, n)

    def words(self) -> str:
        return f"({self.revenue.title} − {self.cost.title}) ÷ {self.revenue.title}"

    def behind(self) -> tuple[Measure | None, Measure | None]:
        return self.payments, self.payments
