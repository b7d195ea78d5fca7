"""Who may do what at /admin/: role by model by action, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import ApiKey, AuditEntry, Invitation, Membership, Role
from apps.alerts.models import Threshold
from apps.core.tenancy import tenant
from apps.pricing.models import Budget, ContractPrice, CostSetting
from llmmetrics.admin_sites import organization_site
from tests.admin.conftest import add_member, signed_in

CONFIGURING = (Role.OWNER, Role.ADMIN)
OTHERS = (Role.PRODUCT, Role.ENGINEERING, Role.FINANCE, Role.EXECUTIVE)
# What owners and admins get: add, change (GET of the form), delete (GET of the question).
TABLE = {
    "alerts_threshold": (200, 200, 200),
    "pricing_costsetting": (200, 200, 200),
    "pricing_contractprice": (200, 200, 200),
    "pricing_budget": (200, 200, 200),
    "accounts_organization": (403, 200, 403),
    "accounts_project": (200, 200, 403),
    "accounts_apikey": (200, 200, 403),
    "accounts_membership": (403, 200, 200),
    "accounts_invitation": (403, 200, 403),
    "accounts_auditentry": (403, 200, 403),
}


def rows_of(provisioned: Any) -> dict[str, int]:
    """One row of every model that the site shows, by the name of its addresses."""
    with tenant(provisioned.organization.id):
        threshold = Threshold.new(metric="error_rate", warning=Decimal("0.1"))
        threshold.save()
        setting = CostSetting.new(effective_from=date(2026, 1, 1))
        setting.save()
        price = ContractPrice.new(
            model="gpt-4o",
            effective_from=date(2026, 1, 1),
            input_usd_per_million=Decimal(1),
            output_usd_per_million=Decimal(2),
        )
        price.save()
        budget = Budget.new(monthly_usd=Decimal(100))
        budget.save()
        invitation = Invitation(
            email="guest@example.com",
            role=Role.PRODUCT,
            digest=str(provisioned.organization.id).encode().rjust(32, b"i"),
            expires_at=timezone.now() + timedelta(days=7),
        )
        invitation.save()
        entry = AuditEntry(actor_label="system", action="made.up", target="nothing 1: x")
        entry.save()
    member = add_member(provisioned, Role.FINANCE)
    with tenant(provisioned.organization.id):
        return {
            "alerts_threshold": threshold.pk,
            "pricing_costsetting": setting.pk,
            "pricing_contractprice": price.pk,
            "pricing_budget": budget.pk,
            "accounts_organization": provisioned.organization.id,
            "accounts_project": provisioned.project.id,
            "accounts_apikey": ApiKey.objects.order_by("pk").values_list("pk", flat=True)[0],
            "accounts_membership": Membership.objects.get(user=member).pk,
            "accounts_invitation": invitation.pk,
            "accounts_auditentry": entry.pk,
        }


def actions(name: str, pk: int) -> tuple[str, str, str]:
    return (
        reverse(f"admin:{name}_add"),
        reverse(f"admin:{name}_change", args=[pk]),
        reverse(f"admin:{name}_delete", args=[pk]),
    )


def all_pages(rows: dict[str, int]) -> list[str]:
    """Every address of the site that takes a row or none."""
    key = rows["accounts_apikey"]
    return [
        reverse("admin:index"),
        *(reverse("admin:app_list", args=[label]) for label in ("alerts", "pricing", "accounts")),
        *(reverse(f"admin:{name}_changelist") for name in rows),
        *(address for name, pk in rows.items() for address in actions(name, pk)),
        *(reverse(f"admin:{name}_history", args=[pk]) for name, pk in rows.items()),
        *(
            reverse("admin:alerts_threshold_preset", args=[preset])
            for preset in ("strict", "normal", "relaxed")
        ),
        reverse("admin:accounts_apikey_revoke", args=[key]),
        reverse("admin:accounts_apikey_rotate", args=[key]),
        reverse("admin:jsi18n"),
    ]


def test_the_table_names_every_model_of_the_site() -> None:
    shown = {f"{model._meta.app_label}_{model._meta.model_name}" for model in organization_site._registry}
    assert shown == set(TABLE)


@pytest.mark.parametrize("role", CONFIGURING)
def test_owners_and_admins_may_do_what_the_table_says(organization: Any, role: str) -> None:
    rows = rows_of(organization)
    client = signed_in(add_member(organization, role))
    found = {
        name: tuple(client.get(address).status_code for address in actions(name, pk))
        for name, pk in rows.items()
    }
    assert found == TABLE


@pytest.mark.parametrize("role", OTHERS)
def test_every_other_role_finds_no_page_as_at_the_settings(organization: Any, role: str) -> None:
    client = signed_in(add_member(organization, role))
    for address in all_pages(rows_of(organization)):
        for method in (client.get, client.post):
            response = method(address)
            assert response.status_code == 404, address
    assert client.get("/settings/").status_code == 404


def test_a_signed_out_visitor_is_sent_to_the_ordinary_sign_in(organization: Any) -> None:
    for address in all_pages(rows_of(organization)):
        response = Client().get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith("/accounts/login/?next=/admin/"), address


def test_a_staff_user_without_an_organization_is_refused_and_told_why() -> None:
    from apps.accounts.models import User

    user = User.objects.create_superuser(
        f"root-{timezone.now().timestamp()}@example.com", "correct horse battery"
    )
    assert signed_in(user).get(reverse("admin:index")).status_code == 403


def test_a_foreign_id_answers_like_a_random_one(owner: Client, make_organization: Callable[..., Any]) -> None:
    foreign = rows_of(make_organization(name="Other canary"))
    for name, pk in foreign.items():
        for mine, random in zip(actions(name, pk)[1:], actions(name, 2**60)[1:], strict=True):
            for method in (owner.get, owner.post):
                one, other = method(mine), method(random)
                assert one.status_code == other.status_code, mine
                assert one.status_code in (403, 404), mine
                assert b"canary" not in one.content
    for verb in ("revoke", "rotate"):
        assert (
            owner.post(
                reverse(f"admin:accounts_apikey_{verb}", args=[foreign["accounts_apikey"]])
            ).status_code
            == 404
        )


def test_lists_and_choices_show_nothing_of_another_organization(
    owner: Client, make_organization: Callable[..., Any]
) -> None:
    other = make_organization(name="Other canary")
    rows_of(other)
    with tenant(other.organization.id):
        type(other.project)(name="Project canary").save()
    for name in TABLE:
        page = owner.get(reverse(f"admin:{name}_changelist"), follow=True)
        assert b"canary" not in page.content
    for name in ("alerts_threshold", "pricing_costsetting", "accounts_apikey"):
        assert b"canary" not in owner.get(reverse(f"admin:{name}_add")).content


def test_a_foreign_project_can_not_be_chosen(
    owner: Client, organization: Any, make_organization: Callable[..., Any]
) -> None:
    response = owner.post(
        reverse("admin:alerts_threshold_add"),
        {
            "metric": "error_rate",
            "project": make_organization().project.id,
            "warning": "0.1",
            "window_days": 7,
            "minimum_sample": 30,
        },
    )
    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    with tenant(organization.organization.id):
        assert not Threshold.objects.exists()
