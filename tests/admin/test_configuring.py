"""What configuring does: validation in sentences, the audit trail, keys, members, presets."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse

from apps.accounts.key_admin import ApiKeyForm
from apps.accounts.keys import grantable_scopes, identify
from apps.accounts.models import ApiKey, Membership, Organization, Project, Role
from apps.alerts.models import Threshold
from apps.core.tenancy import tenant
from apps.pricing.models import CostSetting
from tests.admin.conftest import add_member, signed_in

Trail = Callable[[str], list[Any]]
FORM = {"metric": "frustration_spike_rate", "window_days": 7, "minimum_sample": 30, "is_enabled": "on"}


def save_threshold(client: Client, **fields: Any) -> Any:
    return client.post(reverse("admin:alerts_threshold_add"), {**FORM, **fields})


def test_the_wrong_side_is_refused_with_a_sentence_that_names_the_field(owner: Client) -> None:
    response = save_threshold(owner, warning="0.10", critical="0.05")
    assert response.status_code == 200
    assert (
        "critical: 0.05 is better than warning 0.1; frustration_spike_rate is better when lower, "
        "so critical must be at least warning." in response.content.decode()
    )


def test_a_second_threshold_for_a_metric_is_refused_with_a_sentence(owner: Client) -> None:
    assert save_threshold(owner, warning="0.10").status_code == 302
    response = save_threshold(owner, warning="0.20")
    assert response.status_code == 200
    assert "this metric has a threshold for this project already" in response.content.decode()


def test_a_change_is_audited_with_the_values_before_and_after(
    owner: Client, organization: Any, trail: Trail
) -> None:
    save_threshold(owner, warning="0.10")
    with tenant(organization.organization.id):
        row = Threshold.objects.get()
    owner.post(reverse("admin:alerts_threshold_change", args=[row.pk]), {**FORM, "warning": "0.12"})
    (made,), (changed,) = trail("threshold.created"), trail("threshold.changed")
    assert (made.before, Decimal(made.after["warning"])) == (None, Decimal("0.10"))
    assert (Decimal(changed.before["warning"]), Decimal(changed.after["warning"])) == (
        Decimal("0.10"),
        Decimal("0.12"),
    )
    assert changed.actor_label.startswith("owner-")
    assert changed.address == "127.0.0.1"
    owner.post(reverse("admin:alerts_threshold_delete", args=[row.pk]), {"post": "yes"})
    (deleted,) = trail("threshold.deleted")
    assert (Decimal(deleted.before["warning"]), deleted.after) == (Decimal("0.12"), None)


def test_saving_without_a_change_leaves_no_entry(owner: Client, organization: Any, trail: Trail) -> None:
    save_threshold(owner, warning="0.10")
    with tenant(organization.organization.id):
        row = Threshold.objects.get()
    owner.post(reverse("admin:alerts_threshold_change", args=[row.pk]), {**FORM, "warning": "0.10"})
    assert trail("threshold.changed") == []


def test_deleting_several_writes_an_entry_for_each(owner: Client, organization: Any, trail: Trail) -> None:
    save_threshold(owner, warning="0.10")
    save_threshold(owner, warning="0.10", metric="error_rate")
    with tenant(organization.organization.id):
        ids = [row.pk for row in Threshold.objects.all()]
    chosen = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert owner.post(reverse("admin:alerts_threshold_changelist"), chosen).status_code == 302
    assert len(trail("threshold.deleted")) == 2


def test_changed_figures_are_no_presets_figures_any_more(owner: Client, organization: Any) -> None:
    owner.post(reverse("admin:alerts_threshold_preset", args=["normal"]))
    with tenant(organization.organization.id):
        row = Threshold.objects.get(metric="frustration_spike_rate")
    fields = {**FORM, "target": "0.1", "warning": "0.11", "critical": "0.15", "source": row.source}
    owner.post(reverse("admin:alerts_threshold_change", args=[row.pk]), fields)
    with tenant(organization.organization.id):
        row = Threshold.objects.get(pk=row.pk)
    assert row.preset == ""
    assert row.source.startswith("Set by owner-")


def test_a_preset_shows_what_changes_and_then_applies_it(
    owner: Client, organization: Any, trail: Trail
) -> None:
    save_threshold(owner, warning="0.30")
    page = owner.get(reverse("admin:alerts_threshold_preset", args=["strict"])).content.decode()
    assert "<del>30 %</del> 8 %" in page
    with tenant(organization.organization.id):
        assert Threshold.objects.count() == 1, "looking changes nothing"
    assert owner.post(reverse("admin:alerts_threshold_preset", args=["strict"])).status_code == 302
    with tenant(organization.organization.id):
        assert Threshold.objects.get(metric="frustration_spike_rate").warning == Decimal("0.08")
    assert len(trail("threshold.preset_applied")) == 10


def test_an_unknown_preset_is_not_found(owner: Client) -> None:
    assert owner.get(reverse("admin:alerts_threshold_preset", args=["lenient"])).status_code == 404


def test_the_list_shows_the_shipped_thresholds_with_their_source(owner: Client) -> None:
    page = owner.get(reverse("admin:alerts_threshold_changelist")).content.decode()
    assert "The 5 LLM Metrics You&#x27;re Not Tracking (and Should Be)" in page
    assert "metric=frustration_spike_rate" in page


def test_the_form_is_filled_with_the_shipped_figures(owner: Client) -> None:
    page = owner.get(reverse("admin:alerts_threshold_changelist")).content.decode()
    found = re.search(r'href="([^"]*metric=frustration_spike_rate[^"]*)"', page)
    assert found is not None
    form = owner.get(found.group(1).replace("&amp;", "&")).content.decode()
    assert re.search(r'name="critical" value="0.15"', form)


def test_a_cost_setting_is_saved_audited_and_checked(owner: Client, organization: Any, trail: Trail) -> None:
    fields = {"effective_from": "2026-01-01", "cost_per_escalation": "15.50", "baseline_share": "0.8"}
    address = reverse("admin:pricing_costsetting_add")
    assert owner.post(address, fields).status_code == 302
    assert "already exists" in owner.post(address, fields).content.decode()
    bad = owner.post(address, {**fields, "effective_from": "2026-02-01", "baseline_share": "1.2"})
    assert "less than or equal to 1" in bad.content.decode()
    with tenant(organization.organization.id):
        row = CostSetting.objects.select_related("created_by").get()
    assert row.created_by.email.startswith("owner-")
    (entry,) = trail("cost_setting.created")
    assert Decimal(entry.after["cost_per_escalation"]) == Decimal("15.5")


def test_the_organization_can_be_changed_but_not_its_time_zone_to_nonsense(
    owner: Client, organization: Any, trail: Trail
) -> None:
    address = reverse("admin:accounts_organization_change", args=[organization.organization.id])
    bad = owner.post(address, {"name": "Acme", "timezone": "Mars/Base", "return_window_hours": 24})
    assert "timezone: &#x27;Mars/Base&#x27; is not an IANA time zone." in bad.content.decode()
    fields = {"name": "Acme", "timezone": "Asia/Kathmandu", "return_window_hours": 48}
    assert owner.post(address, fields).status_code == 302
    with tenant(organization.organization.id):
        assert Organization.objects.get().timezone == "Asia/Kathmandu"
    (entry,) = trail("organization.changed")
    assert (entry.before["timezone"], entry.after["timezone"]) == ("UTC", "Asia/Kathmandu")


def test_history_is_computed_anew_after_a_setting_that_facts_rest_on(
    owner: Client, organization: Any
) -> None:
    address = reverse("admin:accounts_project_change", args=[organization.project.id])
    fields = {"name": "Assistant", "privacy_mode": "redact", "idle_gap_minutes": 30}
    owner.post(address, {**fields, "name": "Renamed"})
    with tenant(organization.organization.id):
        assert Organization.objects.get().recompute_requested_at is None
    owner.post(address, {**fields, "idle_gap_minutes": 45})
    with tenant(organization.organization.id):
        assert Organization.objects.get().recompute_requested_at is not None


def test_a_project_is_added_and_its_name_is_unique(owner: Client, organization: Any) -> None:
    fields = {"name": "Second", "privacy_mode": "redact", "idle_gap_minutes": 30}
    address = reverse("admin:accounts_project_add")
    assert owner.post(address, fields).status_code == 302
    assert owner.post(address, fields).status_code == 200
    with tenant(organization.organization.id):
        assert Project.objects.filter(name="Second").count() == 1


def make_key(client: Client, organization: Any, **fields: Any) -> Any:
    return client.post(
        reverse("admin:accounts_apikey_add"),
        {"project": organization.project.id, "name": "CI", "scopes": ["ingest"], **fields},
    )


def key_on(page: str) -> str:
    found = re.search(r'id="new-key">(lmk_(?:live|test)_\w+)<', page)
    assert found is not None
    return found.group(1)


def test_a_new_key_works_and_is_shown_once(owner: Client, organization: Any, trail: Trail) -> None:
    response = make_key(owner, organization, for_tests="on")
    key = key_on(response.content.decode())
    assert "no-store" in response["Cache-Control"]
    identity = identify(key)
    assert identity is not None
    assert (identity.project_id, identity.scopes, identity.is_test) == (
        organization.project.id,
        {"ingest"},
        True,
    )
    for name, args in (("changelist", []), ("change", [identity.key_id])):
        assert key not in owner.get(reverse(f"admin:accounts_apikey_{name}", args=args)).content.decode()
    (entry,) = trail("key.created")
    assert key not in str(entry.after)
    assert "digest" not in entry.after


def test_a_revoked_key_is_refused_on_the_next_request(owner: Client, organization: Any, trail: Trail) -> None:
    key = key_on(make_key(owner, organization).content.decode())
    identity = identify(key)
    assert identity is not None
    address = reverse("admin:accounts_apikey_revoke", args=[identity.key_id])
    assert owner.get(address).status_code == 200
    assert identify(key) is not None, "asking revokes nothing"
    assert owner.post(address).status_code == 302
    assert identify(key) is None
    assert owner.post(address).status_code == 403
    (entry,) = trail("key.revoked")
    assert entry.before["revoked_at"] is None
    assert entry.after["revoked_at"]


def test_a_rotated_key_goes_on_working_beside_the_new_one(owner: Client, organization: Any) -> None:
    old = key_on(make_key(owner, organization).content.decode())
    identity = identify(old)
    assert identity is not None
    page = owner.post(reverse("admin:accounts_apikey_rotate", args=[identity.key_id])).content.decode()
    new = identify(key_on(page))
    assert new is not None
    assert new.scopes == identity.scopes
    assert identify(old) is not None
    with tenant(organization.organization.id):
        assert ApiKey.objects.get(pk=identity.key_id).expires_at is not None


def test_a_key_can_not_expire_in_the_past_or_have_no_scope(owner: Client, organization: Any) -> None:
    past = make_key(owner, organization, expires_at_0="2020-01-01", expires_at_1="00:00:00")
    assert "expires_at: must be in the future" in past.content.decode()
    assert make_key(owner, organization, scopes=[]).status_code == 200


def test_nobody_grants_a_scope_beyond_their_own_rights() -> None:
    """Also for roles that do not reach the form today."""
    found = {role: grantable_scopes(Membership(role=role)) for role in Role}
    everything, reading = {"ingest", "read", "text", "admin"}, {"ingest", "read"}
    assert found == {
        Role.OWNER: everything,
        Role.ADMIN: everything,
        Role.PRODUCT: {*reading, "text"},
        Role.ENGINEERING: {*reading, "text"},
        Role.FINANCE: reading,
        Role.EXECUTIVE: reading,
    }


def test_the_form_refuses_a_scope_beyond_the_members_rights(organization: Any) -> None:
    with tenant(organization.organization.id):
        form_class = type("Form", (ApiKeyForm,), {"membership": Membership(role=Role.FINANCE)})
        form = form_class({"name": "x", "scopes": ["read", "text", "admin"]})
        assert form.errors["scopes"] == ["scopes: your role may not grant admin, text."]


def membership(organization: Any, role: str) -> Any:
    with tenant(organization.organization.id):
        return Membership.objects.filter(role=role).first()


def change_role(client: Client, row: Any, role: str) -> Any:
    return client.post(reverse("admin:accounts_membership_change", args=[row.pk]), {"role": role})


def test_an_admin_can_neither_make_nor_touch_an_owner(admin: Client, organization: Any) -> None:
    add_member(organization, Role.PRODUCT)
    assert change_role(admin, membership(organization, Role.PRODUCT), Role.OWNER).status_code == 200
    assert membership(organization, Role.PRODUCT) is not None
    owner_row = membership(organization, Role.OWNER)
    assert change_role(admin, owner_row, Role.PRODUCT).status_code == 403
    address = reverse("admin:accounts_membership_delete", args=[owner_row.pk])
    assert admin.post(address, {"post": "yes"}).status_code == 403


def test_an_admin_changes_other_roles_with_an_entry_in_the_trail(
    admin: Client, organization: Any, trail: Trail
) -> None:
    add_member(organization, Role.PRODUCT)
    assert change_role(admin, membership(organization, Role.PRODUCT), Role.FINANCE).status_code == 302
    (entry,) = trail("member.changed")
    assert (entry.before["role"], entry.after["role"]) == ("product", "finance")


def test_the_last_owner_can_be_neither_lowered_nor_removed(owner: Client, organization: Any) -> None:
    row = membership(organization, Role.OWNER)
    assert "the last owner stays" in change_role(owner, row, Role.ADMIN).content.decode()
    address = reverse("admin:accounts_membership_delete", args=[row.pk])
    assert owner.post(address, {"post": "yes"}).status_code == 403
    add_member(organization, Role.OWNER)
    assert change_role(owner, row, Role.ADMIN).status_code == 302


def test_a_removed_member_is_out_on_the_next_request(owner: Client, organization: Any) -> None:
    user = add_member(organization, Role.ADMIN)
    client = signed_in(user)
    assert client.get(reverse("admin:index")).status_code == 200
    row = membership(organization, Role.ADMIN)
    owner.post(reverse("admin:accounts_membership_delete", args=[row.pk]), {"post": "yes"})
    assert client.get(reverse("admin:index")).status_code == 403


def test_a_rows_history_is_its_part_of_the_trail(owner: Client, organization: Any) -> None:
    save_threshold(owner, warning="0.10")
    save_threshold(owner, warning="0.10", metric="error_rate")
    with tenant(organization.organization.id):
        row = Threshold.objects.get(metric="error_rate")
    page = owner.get(reverse("admin:alerts_threshold_history", args=[row.pk]), follow=True).content.decode()
    assert f"threshold {row.pk}: Error rate</td>" in page
    assert ": Frustration spike rate</td>" not in page


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditentry SET action = ''", "DELETE FROM accounts_auditentry"]
)
def test_the_trail_can_not_be_rewritten(organization: Any, statement: str) -> None:
    with pytest.raises(ProgrammingError), tenant(organization.organization.id), connection.cursor() as cursor:
        cursor.execute(statement)


def test_hostile_names_are_shown_as_text(owner: Client, organization: Any) -> None:
    evil = '"><script>alert(1)</script>'
    owner.post(
        reverse("admin:accounts_project_add"),
        {"name": evil, "privacy_mode": "redact", "idle_gap_minutes": 30},
    )
    for name in ("accounts_project", "accounts_auditentry"):
        assert evil not in owner.get(reverse(f"admin:{name}_changelist")).content.decode()
    assert "<script>alert" not in owner.get(reverse("admin:alerts_threshold_add")).content.decode()


def test_a_second_contract_price_of_the_same_day_and_model_is_refused_with_a_sentence(owner: Client) -> None:
    price = {
        "effective_from": "2026-01-01",
        "provider": "openai",
        "model": "gpt-4o",
        "input_usd_per_million": "1",
        "output_usd_per_million": "2",
    }
    address = reverse("admin:pricing_contractprice_add")
    assert owner.post(address, price).status_code == 302
    again = owner.post(address, price)
    assert again.status_code == 200
    assert "withdraw that one first" in again.content.decode()


def test_a_second_budget_of_the_same_scope_is_refused_with_a_sentence(owner: Client) -> None:
    address = reverse("admin:pricing_budget_add")
    assert owner.post(address, {"scope": "organization", "monthly_usd": "10"}).status_code == 302
    assert "already" in owner.post(address, {"scope": "organization", "monthly_usd": "20"}).content.decode()
    assert "Name the project" in owner.post(address, {"scope": "team", "monthly_usd": "1"}).content.decode()
