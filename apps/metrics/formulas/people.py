"""Formulas over people: distinct users, cohorts, and money a user."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.metrics.formulas.base import EXACT, WILSON, Formula, Part, Sums, Value, money, share
from apps.metrics.measures.measure import Measure
from apps.metrics.measures.people import People, active

LTV_DAYS = 30


@dataclass(frozen=True)
class DistinctUsers(Formula):
    """Distinct users of the last `days` local days of the point (0: of the whole point)."""

    days: int

    def people(self) -> tuple[People, ...]:
        return (active,)

    def evaluate(self, sums: Sums) -> Value:
        users = int(sums[active])
        return Value(users, users, None, users)

    def words(self) -> str:
        return f"{active.title} of {self.days} local day{'s' if self.days > 1 else ''}"

    def window_days(self) -> int:
        return self.days


@dataclass(frozen=True)
class PeopleCount(Formula):
    """People of one kind."""

    counted: People

    def people(self) -> tuple[People, ...]:
        return (self.counted,)

    def evaluate(self, sums: Sums) -> Value:
        users = int(sums[self.counted])
        return Value(users, users, None, users)

    def words(self) -> str:
        return self.counted.title


@dataclass(frozen=True)
class PeopleShare(Formula):
    """People ÷ people that they are part of. `rolling_days` is the window that each point looks at,
    `matures_in_days` how long after a point its people are still watched."""

    part: People
    whole: People
    rolling_days: int = 0
    matures_in_days: int = 0

    def people(self) -> tuple[People, ...]:
        return (self.part, self.whole)

    def evaluate(self, sums: Sums) -> Value:
        return share(int(sums[self.part]), int(sums[self.whole]))

    def words(self) -> str:
        return f"{self.part.title} ÷ {self.whole.title}"

    def interval(self) -> str:
        return WILSON

    def window_days(self) -> int:
        return self.rolling_days

    def lag_days(self) -> int:
        return self.matures_in_days


@dataclass(frozen=True)
class PerUser(Formula):
    """Nano-dollars ÷ the distinct users active in the same window."""

    measure: Measure

    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)

    def people(self) -> tuple[People, ...]:
        return (active,)

    def evaluate(self, sums: Sums) -> Value:
        numerator, users = money(int(sums[self.measure])), int(sums[active])
        if not users:
            return Value(None, numerator, 0, 0)
        return Value(EXACT.divide(numerator, Decimal(users)), numerator, users, users)

    def words(self) -> str:
        return f"{self.measure.title} ÷ {active.title}"

    def behind(self) -> tuple[Part | None, Part | None]:
        return self.measure, active


@dataclass(frozen=True)
class LifetimeValue(Formula):
    """Revenue per user in 30 days × margin ÷ churn rate, which is (revenue − cost) ÷ users ÷ churn.

    Null without users, revenue or churn: who never leaves has no finite lifetime.
    """

    revenue: Measure
    cost: Measure
    lost: People
    before: People

    def measures(self) -> tuple[Measure, ...]:
        return (self.cost, self.revenue)

    def people(self) -> tuple[People, ...]:
        return (active, self.lost, self.before)

    def evaluate(self, sums: Sums) -> Value:
        revenue, cost = money(int(sums[self.revenue])), money(int(sums[self.cost]))
        users, lost, before = (int(sums[part]) for part in self.people())
        if not users or not lost or revenue <= 0:
            return Value(None, revenue - cost, None, users)
        denominator = EXACT.divide(Decimal(users * lost), Decimal(before))
        value = EXACT.divide(EXACT.multiply(revenue - cost, Decimal(before)), Decimal(users * lost))
        return Value(value, revenue - cost, denominator, users)

    def words(self) -> str:
        return f"({self.revenue.title} ÷ {active.title}) × margin ÷ ({self.lost.title} ÷ {self.before.title})"

    def behind(self) -> tuple[Part | None, Part | None]:
        return self.revenue, None

    def window_days(self) -> int:
        return LTV_DAYS
