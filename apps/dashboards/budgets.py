"""Budgets as the page of costs shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import Organization, Project
from apps.dashboards.display import amount
from apps.metrics.budgets import BudgetState, budget_states
from apps.pricing.models import BudgetScope

NONE = "–"


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A budget in words."""

    title: str
    state: str
    amount: str
    spent: str
    used: str
    projected: str


def budget_rows(organization: Organization, now: datetime) -> list[BudgetRow]:
    """The organisation's budgets, those first that are used or heading furthest."""
    names = {project.public_id: project.name for project in Project.objects.all()}
    states = sorted(
        budget_states(organization, now),
        key=lambda one: max(one.used_share, one.projected_share or 0),
        reverse=True,
    )
    return [_row(state, names) for state in states]


def _row(state: BudgetState, names: dict[str, str]) -> BudgetRow:
    budget = state.budget
    value = names.get(budget.value, budget.value) if budget.scope == BudgetScope.PROJECT else budget.value
    return BudgetRow(
        title=f"{budget.get_scope_display()} {value}".strip(),
        state=_state(state),
        amount=amount(budget.monthly_usd, "usd"),
        spent=amount(state.spent_usd, "usd"),
        used=amount(state.used_share, "ratio"),
        projected=NONE if state.projected_usd is None else amount(state.projected_usd, "usd"),
    )


def _state(state: BudgetState) -> str:
    if state.used_share > 1:
        return "Exceeded"
    if (state.projected_share or 0) > 1:
        return "Heading over"
    return "Within"
