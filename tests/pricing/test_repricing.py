"""Re-pricing: the difference is shown from the facts, and only applying it changes them, for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import AuditEntry, Organization
from apps.conversations.rebuild import rebuild
from apps.conversations.repricing import COUNTS, organizations_with_work, work_on
from apps.conversations.tasks import reprice_pending
from apps.core.tenancy import tenant
from apps.metrics.rollups.keep import is_current
from apps.pricing import contracts
from apps.pricing.models import Repricing, RepricingState
from tests.conftest import Sender
from tests.pricing.test_contract_prices import call, costs, enter

OLD, NEW = 3_500_000, 2_100_000  # gpt-4o by the list and by the contract, in nano-dollars


@pytest.fixture
def priced(sender: Sender, organization: Any, now: datetime) -> Any:
    """Three days with a call each, by the list price, and a contract price entered afterwards."""
    sender.send(
        call(now - timedelta(days=2), "s1"),
        call(now - timedelta(days=1), "s2"),
        call(now - timedelta(days=1), "s3", model="mine"),
        call(now - timedelta(days=1), "s4", cost_usd=1),
        call(now, "s5"),
    )
    sender.digest()
    enter(organization, created_at=now + timedelta(hours=1))
    enter(organization, created_at=now + timedelta(hours=1), model="mine*")
    return organization


def propose(provisioned: Any, first: datetime, last: datetime, known_at: datetime) -> Repricing:
    with tenant(provisioned.organization.id):
        row = Repricing.new(first_day=first.date(), last_day=last.date(), created_at=known_at)
        contracts.propose(row)
    return row


def again(provisioned: Any, row: Repricing) -> Repricing:
    with tenant(provisioned.organization.id):
        found: Repricing = Repricing.objects.get(pk=row.pk)
    return found


def decide(provisioned: Any, row: Repricing, decision: Any) -> bool:
    with tenant(provisioned.organization.id):
        return bool(decision(again(provisioned, row)))


def nanos(provisioned: Any) -> list[int | None]:
    return [cost for cost, _, _ in costs(provisioned)]


def test_the_difference_is_shown_and_changes_nothing(priced: Any, now: datetime) -> None:
    before = costs(priced)
    row = propose(priced, now - timedelta(days=2), now - timedelta(days=1), now + timedelta(hours=2))
    assert priced.organization.id in organizations_with_work()
    reprice_pending()
    row = again(priced, row)
    assert row.state == RepricingState.READY
    assert row.computed_at is not None
    shown = {one["model"]: tuple(one[name] for name in COUNTS) for one in row.by_model}
    assert shown == {
        "gpt-4o": (2, 2, 2 * OLD, 2 * NEW, 0, 0),
        "mine": (1, 1, 0, NEW, 1, 0),
    }
    assert costs(priced) == before
    assert priced.organization.id not in organizations_with_work()


def test_applying_changes_its_days_for_good_and_the_metrics_with_them(
    priced: Any, sender: Sender, now: datetime
) -> None:
    assert sender.value("cost_total").value == Decimal("1.010500000")
    row = propose(priced, now - timedelta(days=2), now - timedelta(days=1), now + timedelta(hours=2))
    work_on(priced.organization.id)
    assert decide(priced, row, contracts.apply)
    work_on(priced.organization.id)
    row = again(priced, row)
    assert (row.state, contracts.total(row, "after_nano")) == (RepricingState.APPLIED, 3 * NEW)
    after = costs(priced)
    assert sorted(cost for cost, _, _ in after if cost) == [NEW, NEW, NEW, OLD, 1_000_000_000]
    assert after[-1][1] == "list"
    with tenant(priced.organization.id):
        assert is_current()
    for group_by in ((), ("model", "provider")):
        found = sender.points("cost_total", interval="total", group_by=group_by)
        assert sum(point.value for point in found) == Decimal("1.009800000")
    with tenant(priced.organization.id):
        rebuild()
    assert costs(priced) == after


def test_later_prices_do_not_reach_what_was_re_priced(priced: Any, now: datetime) -> None:
    row = propose(priced, now - timedelta(days=2), now, now + timedelta(hours=2))
    work_on(priced.organization.id)
    decide(priced, row, contracts.apply)
    work_on(priced.organization.id)
    after = costs(priced)
    enter(priced, created_at=now + timedelta(hours=3), model="gpt-4o", provider="openai")
    with tenant(priced.organization.id):
        rebuild()
    assert costs(priced) == after


def test_while_it_is_applied_a_rebuild_gives_what_the_tables_show(
    priced: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = propose(priced, now - timedelta(days=2), now, now + timedelta(hours=2))
    work_on(priced.organization.id)
    decide(priced, row, contracts.apply)
    monkeypatch.setattr("apps.conversations.repricing.LONGEST_S", 0.0)
    work_on(priced.organization.id)
    assert again(priced, row).state == RepricingState.APPLYING
    between = costs(priced)
    assert (nanos(priced)[0], nanos(priced)[-1]) == (NEW, OLD)
    with tenant(priced.organization.id):
        rebuild()
    assert costs(priced) == between
    work_on(priced.organization.id)
    work_on(priced.organization.id)
    assert again(priced, row).state == RepricingState.APPLIED
    assert nanos(priced)[-1] == NEW


def test_what_is_discarded_changes_nothing_and_can_not_be_applied(priced: Any, now: datetime) -> None:
    before = costs(priced)
    row = propose(priced, now - timedelta(days=2), now, now + timedelta(hours=2))
    assert not decide(priced, row, contracts.apply)
    work_on(priced.organization.id)
    assert decide(priced, row, contracts.discard)
    assert not decide(priced, row, contracts.apply)
    assert not decide(priced, row, contracts.discard)
    work_on(priced.organization.id)
    with tenant(priced.organization.id):
        rebuild()
    assert costs(priced) == before


def test_every_decision_is_in_the_audit_trail(priced: Any, now: datetime) -> None:
    row = propose(priced, now - timedelta(days=2), now, now + timedelta(hours=2))
    work_on(priced.organization.id)
    decide(priced, row, contracts.apply)
    with tenant(priced.organization.id):
        trail = list(AuditEntry.objects.filter(action__startswith="repricing.").order_by("id"))
        assert Organization.objects.count() == 1
    assert [one.action for one in trail] == ["repricing.created", "repricing.applied"]
    assert trail[-1].before == {"cost_nano": 3 * OLD}
    assert trail[-1].after == {"cost_nano": 4 * NEW, "calls_changed": 4}


def test_one_at_a_time_and_days_in_order(priced: Any, now: datetime) -> None:
    with pytest.raises(ValidationError, match="must not be before"):
        propose(priced, now, now - timedelta(days=1), now)
    propose(priced, now, now, now)
    with pytest.raises(ValidationError, match="not finished"):
        propose(priced, now, now, now)
