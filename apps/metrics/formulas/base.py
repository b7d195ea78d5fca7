"""What every formula is: measures in, one value with sample size and 95 % interval out.

A formula sees the summed measures of one point; it never sees rows, so a rate over any window is
the sum of numerators over the sum of denominators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from apps.core.intervals import wilson
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.measures.people import People

EXACT = Context(prec=60)
NANO = 10**9

Number = int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's value at one point. Money is Decimal, counts int, everything else float."""

    value: Number
    numerator: Number
    denominator: int | float | Decimal | None
    n: int
    low: Number = None
    high: Number = None


Sums = Mapping[Any, Any]
Part = Measure | Histogram | People


WILSON = "Wilson score interval (Wilson 1927), 95 %"


class Formula:
    """What a metric declares: which parts it needs and how they become a `Value`."""

    def measures(self) -> tuple[Measure, ...]:
        """Additive parts, the number of observations last: groups are ranked by it."""
        return ()

    def histograms(self) -> tuple[Histogram, ...]:
        return ()

    def people(self) -> tuple[People, ...]:
        """Parts that count people, which do not add up over time or groups."""
        return ()

    def evaluate(self, sums: Sums) -> Value:
        raise NotImplementedError

    def words(self) -> str:
        """The formula as people read it, each part by its title."""
        raise NotImplementedError

    def interval(self) -> str:
        """The method of the 95 % interval; empty where a value has none."""
        return ""

    def weights(self) -> dict[str, float]:
        """What each part counts for, where the formula weighs them."""
        return {}

    def behind(self) -> tuple[Part | None, Part | None]:
        """Whose rows (or people) stand behind the numerator and behind the denominator."""
        parts = self.measures() or self.people()
        return (parts[0] if parts else None), (parts[-1] if len(parts) > 1 else None)

    def window_days(self) -> int:
        """Local days that each point looks back over; 0 where a point is its own bucket."""
        return 0

    def lag_days(self) -> int:
        """Days after a point's end until its value is final."""
        return 0

    def parts(self) -> Iterator[Part]:
        yield from self.measures()
        yield from self.histograms()
        yield from self.people()


def money(nano: int | Decimal) -> Decimal:
    """Nano-dollars as dollars, exact."""
    return EXACT.divide(Decimal(nano), Decimal(NANO))


def share(part: int, whole: int) -> Value:
    """Counts ÷ counts; null where the denominator is empty."""
    if not whole:
        return Value(None, part, whole, 0)
    low, high = wilson(part, whole)
    return Value(part / whole, part, whole, whole, low, high)
