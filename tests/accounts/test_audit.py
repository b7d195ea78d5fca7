"""The audit trail: one vocabulary wherever a change is made, read as sentences."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts import audit
from apps.accounts.models import ApiKey, AuditEntry, Membership, Role
from apps.core.tenancy import tenant
from llmmetrics.admin_sites import organization_site
from tests.accounts.test_sign_up import member
from tests.conftest import ROOT


def recorded_names() -> Iterator[tuple[str, str]]:
    """Every literal name of an action in the source, with the file that records it."""
    for file in (ROOT / "apps").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if getattr(node.func, "attr", getattr(node.func, "id", "")) != "record":
                continue
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value[1:]:
                    yield str(file.relative_to(ROOT)), part.value


def test_every_recorded_action_is_in_the_vocabulary() -> None:
    found = list(recorded_names())
    assert len(found) > 8
    for file, action in found:
        thing, _, verb = action.partition(".")
        assert thing in audit.THINGS, f"{file}: {action}"
        assert verb in audit.VERBS, f"{file}: {action}"


def test_every_model_that_the_admin_can_change_is_in_the_vocabulary() -> None:
    for model, its_admin in organization_site._registry.items():
        if any(getattr(its_admin, name) for name in ("may_add", "may_change", "may_delete")):
            assert audit.thing_of(model) in audit.THINGS, model


@pytest.mark.parametrize("surface", ["settings", "admin"])
def test_both_surfaces_write_the_same_names_and_targets(organization: Any, surface: str) -> None:
    owner = member(organization, Role.OWNER)
    member(organization, Role.PRODUCT)
    with tenant(organization.organization.id):
        row = Membership.objects.get(role=Role.PRODUCT)
        key = ApiKey.objects.get(name="read key")
    if surface == "settings":
        owner.post(f"/settings/members/{row.pk}/role/", {"role": "finance"})
        owner.post(f"/settings/keys/{key.pk}/rotate/")
        owner.post(f"/settings/keys/{key.pk}/revoke/")
        owner.post(f"/settings/members/{row.pk}/remove/")
    else:
        owner.post(reverse("admin:accounts_membership_change", args=[row.pk]), {"role": "finance"})
        owner.post(reverse("admin:accounts_apikey_rotate", args=[key.pk]))
        owner.post(reverse("admin:accounts_apikey_revoke", args=[key.pk]))
        owner.post(reverse("admin:accounts_membership_delete", args=[row.pk]), {"post": "yes"})
    with tenant(organization.organization.id):
        entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == [
        "member.changed",
        "key.created",
        "key.rotated",
        "key.revoked",
        "member.deleted",
    ]
    assert entries[0].target == f"member {row.pk}: {row.user.email} (Finance)"
    assert (entries[0].before["role"], entries[0].after["role"]) == ("product", "finance")
    assert entries[2].target.startswith(f"key {key.pk}: read key")


def test_the_page_reads_as_sentences_with_only_what_differs(organization: Any) -> None:
    owner = member(organization, Role.OWNER)
    address = f"/settings/projects/{organization.project.public_id}/"
    owner.post(address, {"name": "Helpdesk", "privacy_mode": "redact", "idle_gap_minutes": 30})
    with tenant(organization.organization.id):
        line = audit.line(AuditEntry.objects.get())
    assert (line.deed, line.name) == ("changed project", "Helpdesk")
    assert line.changes == [audit.FieldChange("name", "Assistant", "Helpdesk")]
    page = owner.get("/settings/audit/").content.decode()
    assert "changed project" in page
    assert "idle gap minutes" not in page


def test_a_name_from_outside_the_vocabulary_is_still_readable() -> None:
    line = audit.line(AuditEntry(actor_label="system", action="made_up.thought_of", target="nothing 1: x"))
    assert (line.deed, line.name, line.changes) == ("thought of made up", "nothing 1: x", [])


def test_hostile_values_are_shown_as_text(organization: Any) -> None:
    evil = "<script>alert(1)</script>"
    with tenant(organization.organization.id):
        audit.record("project.changed", f"project 1: {evil}", before={evil: 1}, after={evil: evil})
        owner = Membership.objects.get(role=Role.OWNER).user
    client = Client()
    client.force_login(owner)
    page = client.get("/settings/audit/").content.decode()
    assert evil not in page
    assert "&lt;script&gt;" in page
