"""The page of re-pricings: proposing, seeing the difference, deciding; for owners and admins only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, Role
from apps.conversations.tasks import reprice_pending
from apps.core.tenancy import tenant
from apps.pricing.models import Repricing, RepricingState
from tests.conftest import Sender
from tests.pricing.test_contract_prices import call, costs, enter

PAGE = "/settings/repricing/"


@pytest.fixture
def priced(sender: Sender, organization: Any, now: datetime) -> Any:
    sender.send(call(now - timedelta(days=1), "s1"))
    sender.digest()
    enter(organization, created_at=now)
    return organization


def propose(owner: Client, now: datetime, **changed: str) -> str:
    day = (now - timedelta(days=1)).date().isoformat()
    form = {"first_day": day, "last_day": day, "note": "New contract", **changed}
    return owner.post(PAGE, form, follow=True).content.decode()


def row_of(provisioned: Any) -> Repricing:
    with tenant(provisioned.organization.id):
        found: Repricing = Repricing.objects.get()
    return found


def test_shows_the_difference_and_changes_history_only_when_applied(
    priced: Any, owner: Client, now: datetime
) -> None:
    before = costs(priced)
    assert "0 of 1 days done" in propose(owner, now)
    reprice_pending()
    shown = owner.get(PAGE).content.decode()
    assert "gpt-4o" in shown
    assert "New contract" in shown
    assert "Apply:" in shown
    assert costs(priced) == before
    owner.post(f"{PAGE}{row_of(priced).pk}/apply/")
    reprice_pending()
    assert costs(priced) != before
    assert row_of(priced).state == RepricingState.APPLIED
    assert "Applied" in owner.get(PAGE).content.decode()
    with tenant(priced.organization.id):
        actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"repricing.created", "repricing.applied"} <= actions


def test_a_discarded_one_changes_nothing_and_can_not_be_applied(
    priced: Any, owner: Client, now: datetime
) -> None:
    before = costs(priced)
    propose(owner, now)
    number = row_of(priced).pk
    owner.post(f"{PAGE}{number}/discard/")
    answer = owner.post(f"{PAGE}{number}/apply/", follow=True)
    assert "decided upon already" in answer.content.decode()
    reprice_pending()
    assert costs(priced) == before
    assert row_of(priced).state == RepricingState.DISCARDED


def test_refuses_days_in_the_wrong_order_and_a_second_one(priced: Any, owner: Client, now: datetime) -> None:
    early = (now - timedelta(days=9)).date().isoformat()
    assert "must not be before first_day" in propose(owner, now, last_day=early)
    assert "must not lie in the future" in propose(owner, now, last_day="2099-01-01")
    propose(owner, now)
    assert "not finished" in propose(owner, now)


@pytest.mark.parametrize("role", [Role.PRODUCT, Role.ENGINEERING, Role.FINANCE, Role.EXECUTIVE])
def test_other_roles_do_not_find_it(as_role: Callable[[str], Client], role: Role) -> None:
    client = as_role(role)
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}1/apply/").status_code == 404
