"""How far the current month's budgets are used, and where the month will end at this pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from apps.accounts.models import Organization
from apps.core.time_buckets import local_day, local_midnight
from apps.metrics.query import Query
from apps.metrics.series import run
from apps.pricing.models import Budget, BudgetScope

SPEND: Final = "cost_total"
CENT: Final = Decimal("0.01")
# A few hours say nothing about a month.
EARLIEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget in the local calendar month that contains `now`.

    `projected_usd` is the spending so far ÷ the elapsed part of the month; None on its first day.
    """

    budget: Budget
    month: date
    spent_usd: Decimal
    projected_usd: Decimal | None

    @property
    def used_share(self) -> float:
        """Spending so far ÷ the budget."""
        return float(self.spent_usd / self.budget.monthly_usd)

    @property
    def projected_share(self) -> float | None:
        """The projection ÷ the budget."""
        return None if self.projected_usd is None else float(self.projected_usd / self.budget.monthly_usd)


def budget_states(organization: Organization, now: datetime) -> list[BudgetState]:
    """Every budget of the active organisation with its use to date."""
    today = local_day(now, organization.zone)
    month = today.replace(day=1)
    begun = local_midnight(month, organization.zone)
    ends = local_midnight((month + timedelta(days=32)).replace(day=1), organization.zone)
    elapsed = now - begun
    share = Decimal(elapsed // timedelta(seconds=1)) / Decimal((ends - begun) // timedelta(seconds=1))
    found: list[BudgetState] = []
    for budget in Budget.objects.all():
        spent = _spent(organization, budget, month, today, now)
        projected = None if elapsed < EARLIEST else (spent / share).quantize(CENT)
        found.append(BudgetState(budget, month, spent, projected))
    return found


def _spent(organization: Organization, budget: Budget, month: date, today: date, now: datetime) -> Decimal:
    """What the calls of the month cost, today's included."""
    is_whole = budget.scope == BudgetScope.ORGANIZATION
    query = Query(
        (SPEND,),
        month,
        today + timedelta(days=1),
        interval="total",
        filters={} if is_whole else {budget.scope: (budget.value,)},
    )
    (point,) = run(organization, query, now)[SPEND].points
    return Decimal(str(point.value or 0))
