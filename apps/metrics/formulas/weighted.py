"""Token efficiency and the value of deflected escalations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.metrics.formulas.base import EXACT, Formula, Sums, Value, money
from apps.metrics.measures.measure import Measure

DEFLECTION_DAYS = 30
WINDOW_DAYS = "days of the window"


@dataclass(frozen=True)
class TokenEfficiency(Formula):
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

    def weights(self) -> dict[str, float]:
        names = (part.title for part in self.measures())
        return {name: weight / 10 for name, weight in zip(names, self.weights_tenths, strict=False)}

    def words(self) -> str:
        pairs = zip(self.weights_tenths, self.measures(), strict=False)
        weighted = " + ".join(f"{weight / 10:g} × {part.title}" for weight, part in pairs)
        return f"({weighted}) ÷ all these tokens"


@dataclass(frozen=True)
class Deflection(Formula):
    """Value of deflected sessions: tariff × sessions − their LLM cost, in USD.

    `counted` and `spent` are the sessions and the cost taken off; `is_rolling` divides by the days of
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

    def words(self) -> str:
        whole = f"{self.earned} − {self.spent.title}"
        return f"({whole}) ÷ {WINDOW_DAYS}" if self.is_rolling else whole

    @property
    def earned(self) -> str:
        """What the deflected sessions saved, in words."""
        return f"{self.counted.title} × cost per escalation × baseline escalation share"

    def window_days(self) -> int:
        return DEFLECTION_DAYS if self.is_rolling else 0
