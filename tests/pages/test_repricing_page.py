"""The page of re-pricings: proposing, seeing the difference, deciding; for owners and admins only."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import expect

from apps.accounts.models import AuditEntry, Role, User
from apps.conversations.tasks import reprice_pending
from apps.core.tenancy import tenant
from apps.pricing import contracts
from apps.pricing.models import Repricing, RepricingState
from llmmetrics.stack.processes import wait_for
from tests.browser import WIDTHS, Witness, axe_faults, browser, faults, open_context, serving
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


def blocks_another() -> bool:
    """Whether another connection waits for this one's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' "
            "AND transactionid = pg_current_xact_id()::xid)"
        )
        found: bool = (cursor.fetchone() or (False,))[0]
        return found


def test_of_two_proposed_at_the_same_moment_one_wins_and_the_other_is_told(
    priced: Any, owner: Client, now: datetime
) -> None:
    def second() -> str:
        try:
            return propose(owner, now, note="The second")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with tenant(priced.organization.id):
            assert contracts.propose(Repricing.new(first_day=now.date(), last_day=now.date(), note="First"))
            answer = pool.submit(second)
            assert wait_for(blocks_another, 20)
        shown = answer.result()
    assert "not finished: apply or discard it first" in shown
    assert row_of(priced).note == "First"
    assert "First" in shown


def test_the_history_says_who_decided_and_when(
    priced: Any, owner: Client, as_role: Callable[[str], Client], now: datetime
) -> None:
    other = as_role(Role.ADMIN)
    for client, decision in ((owner, "discard"), (other, "apply")):
        propose(owner, now)
        reprice_pending()
        with tenant(priced.organization.id):
            number = Repricing.objects.latest("id").pk
        client.post(f"{PAGE}{number}/{decision}/")
    assert f'by <span class="bidi">{email_of(other)}</span>.' in owner.get(PAGE).content.decode()
    reprice_pending()
    text = owner.get(PAGE).content.decode()
    applied, discarded = re.findall(r'data-label="Decided">(.*?)</td>', text)
    with tenant(priced.organization.id):
        decided = Repricing.objects.latest("id").decided_at
    assert applied == f'{decided:%-d %b %Y %H:%M} UTC by <span class="bidi">{email_of(other)}</span>'
    assert email_of(owner) in discarded


@pytest.mark.usefixtures("forget_event_loop")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_history_is_sound_in_a_browser(priced: Any, owner: Client, now: datetime, width: int) -> None:
    propose(owner, now)
    reprice_pending()
    owner.post(f"{PAGE}{row_of(priced).pk}/apply/")
    reprice_pending()
    with serving() as url, browser() as opened:
        page = open_context(opened, url, width=width, session=owner.cookies["session"].value).new_page()
        witness = Witness(url)
        witness.listen(page)
        page.goto(PAGE)
        expect(page.locator('[data-label="Decided"]')).to_contain_text(email_of(owner))
        assert faults(page, witness) + axe_faults(page) == []


def email_of(client: Client) -> str:
    return str(User.objects.get(pk=client.session["_auth_user_id"]).email)


@pytest.mark.parametrize("role", [Role.PRODUCT, Role.ENGINEERING, Role.FINANCE, Role.EXECUTIVE])
def test_other_roles_do_not_find_it(as_role: Callable[[str], Client], role: Role) -> None:
    client = as_role(role)
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}1/apply/").status_code == 404
