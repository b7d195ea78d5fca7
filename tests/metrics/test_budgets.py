"""Budgets: use to date and projection in the local month, by scope; over HTTP and on the page of costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, Organization
from apps.core.tenancy import tenant
from apps.metrics.budgets import BudgetState, budget_states
from apps.pricing.models import Budget
from tests.conftest import Sender, response


@pytest.fixture
def spent(sender: Sender, organization: Any, now: datetime) -> Any:
    """Three dollars this month, one of them by the checkout; forty dollars in the month before."""
    month = now.replace(day=1, hour=0)
    for number, (at, dollars, feature) in enumerate(
        (
            (month - timedelta(seconds=1), 40, "checkout"),
            (month, 1, "checkout"),
            (now - timedelta(hours=1), 2, "search"),
        )
    ):
        sender.send(response(at, f"s{number}", model="m", cost_usd=dollars, feature=feature))
    sender.digest()
    return organization


def states(provisioned: Any, now: datetime, **budget: Any) -> list[BudgetState]:
    with tenant(provisioned.organization.id):
        Budget.new(**budget).save()
        return budget_states(Organization.objects.get(), now)


def test_a_month_is_projected_by_its_elapsed_part(spent: Any, now: datetime) -> None:
    (state,) = states(spent, now, monthly_usd=Decimal(6))
    elapsed = Decimal(int((now - now.replace(day=1, hour=0)).total_seconds())) / (30 * 86400)
    assert now.month == 11
    assert state.spent_usd == 3
    assert state.used_share == 0.5
    assert state.projected_usd == (3 / elapsed).quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("scope", "value", "dollars"),
    [
        ("feature", "checkout", 1),
        ("feature", "nobody", 0),
        ("project", "Assistant", 3),
        ("team", "x", 0),
    ],
)
def test_a_budget_counts_its_own_calls_only(
    spent: Any, now: datetime, scope: str, value: str, dollars: int
) -> None:
    (state,) = states(spent, now, scope=scope, value=value, monthly_usd=Decimal(10))
    assert state.spent_usd == dollars


def test_the_first_day_has_no_projection(spent: Any, now: datetime) -> None:
    (state,) = states(spent, now.replace(day=1, hour=12), monthly_usd=Decimal(10))
    assert state.spent_usd == 1
    assert state.projected_usd is None


def test_is_set_replaced_and_removed_over_http(organization: Any) -> None:
    client = Client(headers={"Authorization": f"Bearer {organization.keys['admin_key']}"})
    for dollars in ("100", "250.50"):
        answer = client.post("/api/v1/budgets", {"monthly_usd": dollars}, content_type="application/json")
        assert answer.status_code == 201
    (row,) = client.get("/api/v1/budgets").json()["budgets"]
    assert (row["scope"], row["monthly_usd"], row["spent_usd"]) == ("organization", "250.50", "0")
    assert client.delete(f"/api/v1/budgets/{row['id']}").status_code == 204
    assert client.delete(f"/api/v1/budgets/{row['id']}").status_code == 404
    with tenant(organization.organization.id):
        actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[-3:] == ["budget.created", "budget.changed", "budget.deleted"]


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"monthly_usd": "0"}, "monthly_usd"),
        ({"monthly_usd": "10", "scope": "planet"}, "scope"),
        ({"monthly_usd": "10", "scope": "team"}, "value"),
        ({"monthly_usd": "10", "value": "x"}, "value"),
        ({"monthly_usd": "10", "scope": "project", "value": "nobody"}, "value"),
        ({}, "monthly_usd"),
    ],
)
def test_a_wrong_budget_is_refused_with_the_field(
    organization: Any, sent: dict[str, str], named: str
) -> None:
    client = Client(headers={"Authorization": f"Bearer {organization.keys['admin_key']}"})
    answer = client.post("/api/v1/budgets", sent, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert named in answer.content.decode()


def test_only_an_admin_key_sets_budgets(organization: Any) -> None:
    client = Client(headers={"Authorization": f"Bearer {organization.keys['read_key']}"})
    answer = client.post("/api/v1/budgets", {"monthly_usd": "1"}, content_type="application/json")
    assert answer.status_code == 403
