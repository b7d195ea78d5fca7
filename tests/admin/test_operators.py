"""The operators' site: staff only, reads only, and every request is on record."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import ProgrammingError, connection, connections
from django.test import Client
from django.urls import reverse

from apps.accounts.models import OperatorAccess, User
from apps.accounts.people import verified_user
from llmmetrics.admin_sites import operator_site
from tests.admin.conftest import signed_in
from tests.conftest import Sender, query, unique

LISTS = (
    "accounts_organization",
    "accounts_membership",
    "accounts_project",
    "events_batch",
    "accounts_operatoraccess",
)


def address(name: str) -> str:
    return reverse(f"admin:{name}_changelist", current_app="operator")


@pytest.fixture
def staff() -> User:
    user = verified_user(f"{unique('staff')}@example.com", "correct horse battery")
    user.is_staff = True
    user.save()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


@pytest.fixture
def operator(staff: User) -> Client:
    return signed_in(staff)


def test_the_lists_are_all_that_the_site_shows() -> None:
    shown = {f"{model._meta.app_label}_{model._meta.model_name}" for model in operator_site._registry}
    assert shown == set(LISTS)


def test_lists_every_organization_without_being_a_member(operator: Client, organization: Any) -> None:
    page = operator.get(address("accounts_organization") + f"?q={organization.organization.public_id}")
    assert organization.organization.public_id in page.content.decode()
    for name in LISTS:
        assert operator.get(address(name)).status_code == 200, name


def test_shows_the_ledger_and_no_text(operator: Client, sender: Sender, now: Any) -> None:
    sender.send(query(now, text="the canary sings"))
    page = operator.get(address("events_batch")).content.decode()
    assert str(sender.provisioned.organization.id) in page
    assert "canary" not in page


def test_writes_down_every_request(operator: Client, staff: User) -> None:
    operator.get(address("accounts_project") + "?q=x")
    operator.get("/operator/no/such/page/")
    found = list(OperatorAccess.objects.filter(user=staff).values_list("method", "path"))
    assert ("GET", "/operator/accounts/project/?q=x") in found
    assert ("GET", "/operator/no/such/page/") in found


@pytest.mark.parametrize("verb", ["add", "change", "delete"])
def test_changes_nothing(operator: Client, organization: Any, verb: str) -> None:
    args = [] if verb == "add" else [organization.organization.id]
    target = reverse(f"admin:accounts_organization_{verb}", args=args, current_app="operator")
    assert operator.post(target, {"name": "Taken"}).status_code in (302, 403, 404)
    page = operator.get(address("accounts_organization") + f"?q={organization.organization.public_id}")
    assert "Taken" not in page.content.decode()


def test_hides_from_members_tells_staff_of_the_second_factor_and_sends_others_to_sign_in(
    owner: Client, staff: User
) -> None:
    assert owner.get("/operator/").status_code == 404
    Authenticator.objects.filter(user=staff).delete()
    assert signed_in(staff).get("/operator/").status_code == 403
    assert Client().get("/operator/")["Location"].startswith("/accounts/login/?next=/operator/")


def test_staff_have_no_way_into_an_organizations_admin(operator: Client) -> None:
    assert operator.get(reverse("admin:index")).status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_organization SET name = 'x'",
        "DELETE FROM events_batch",
        "SELECT * FROM events_event",
        "SELECT * FROM accounts_apikey",
        "SELECT password FROM accounts_user",
        "SELECT * FROM alerts_threshold",
    ],
)
def test_the_operators_role_may_only_read_its_tables(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        connections["operator"].cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_record_can_not_be_rewritten(operator: Client) -> None:
    operator.get("/operator/")
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_operatoraccess")
