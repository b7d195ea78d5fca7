"""Rules of keys hold on both surfaces, and a new key is nowhere in the clear."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import handover
from apps.accounts.forms import KeyForm
from apps.accounts.keys import ROTATION_OVERLAP, identify
from apps.accounts.models import ApiKey, Membership, Role
from apps.core.tenancy import tenant
from tests.accounts.test_sign_up import member

SURFACES = ("settings", "admin")
KEY = re.compile(r"lmk_live_\w{38}")


def make_key(client: Client, organization: Any, surface: str, **fields: Any) -> str:
    """The page that answers a new key."""
    sent = {"name": "ci", "project": organization.project.id, "scopes": ["read"], **fields}
    address = "/settings/keys/" if surface == "settings" else reverse("admin:accounts_apikey_add")
    return str(client.post(address, sent, follow=True).content.decode())


def expiry(surface: str, day: str) -> dict[str, str]:
    return {"expires_at": day} if surface == "settings" else {"expires_at_0": day, "expires_at_1": "00:00:00"}


def rotate(client: Client, key_id: int, surface: str) -> str:
    name = "key-rotate" if surface == "settings" else "admin:accounts_apikey_rotate"
    return str(client.post(reverse(name, args=[key_id]), follow=True).content.decode())


@pytest.mark.parametrize("surface", SURFACES)
def test_a_key_can_not_end_in_the_past(organization: Any, surface: str) -> None:
    page = make_key(member(organization, Role.OWNER), organization, surface, **expiry(surface, "2020-01-01"))
    assert "expires_at: must be in the future" in page
    assert not KEY.search(page)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_rotated_key_ends_after_a_day_and_its_follower_lives_as_long(
    organization: Any, surface: str
) -> None:
    owner = member(organization, Role.OWNER)
    with tenant(organization.organization.id):
        old = ApiKey.objects.get(name="read key")
        ApiKey.objects.filter(pk=old.pk).update(
            created_at=timezone.now() - timedelta(days=80), expires_at=timezone.now() + timedelta(days=10)
        )
    (text,) = set(KEY.findall(rotate(owner, old.pk, surface)))
    new = identify(text)
    assert new is not None
    assert new.scopes == {"read"}
    with tenant(organization.organization.id):
        old.refresh_from_db()
        row = ApiKey.objects.get(pk=new.key_id)
    now = datetime.now(UTC)
    assert timedelta(0) < old.expires_at - now <= ROTATION_OVERLAP
    assert timedelta(days=89) < row.expires_at - now <= timedelta(days=90)
    assert identify(organization.keys["read_key"]) is not None


@pytest.mark.parametrize("surface", SURFACES)
def test_rotating_does_not_lengthen_a_key_that_ends_sooner(organization: Any, surface: str) -> None:
    owner = member(organization, Role.OWNER)
    ends_at = timezone.now() + timedelta(hours=2)
    with tenant(organization.organization.id):
        old = ApiKey.objects.get(name="read key")
        ApiKey.objects.filter(pk=old.pk).update(expires_at=ends_at)
    rotate(owner, old.pk, surface)
    with tenant(organization.organization.id):
        old.refresh_from_db()
    assert old.expires_at == ends_at


def test_the_settings_form_refuses_a_scope_beyond_the_members_rights(organization: Any) -> None:
    with tenant(organization.organization.id):
        form = KeyForm(
            Membership(role=Role.FINANCE),
            {"name": "x", "project": organization.project.id, "scopes": ["read", "text", "admin"]},
        )
        assert form.errors["scopes"] == ["scopes: your role may not grant admin, text."]


def test_a_new_key_waits_encrypted_and_is_gone_once_shown(organization: Any) -> None:
    owner = member(organization, Role.OWNER)
    sent = {"name": "ci", "project": organization.project.id, "scopes": ["read"]}
    assert owner.post("/settings/keys/", sent).status_code == 302
    row = Session.objects.get(session_key=owner.session.session_key)
    assert handover.NEW_KEY in row.get_decoded()
    assert "lmk_" not in str(row.get_decoded())
    assert len(set(KEY.findall(owner.get("/settings/keys/").content.decode()))) == 1
    row.refresh_from_db()
    assert handover.NEW_KEY not in row.get_decoded()
    assert not KEY.search(owner.get("/settings/keys/").content.decode())


def test_a_key_that_nobody_looked_at_can_not_be_shown_after_an_hour(
    organization: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = member(organization, Role.OWNER)
    sent = {"name": "ci", "project": organization.project.id, "scopes": ["read"]}
    owner.post("/settings/keys/", sent)
    monkeypatch.setattr(handover, "VALID_SECONDS", -1)
    assert not KEY.search(owner.get("/settings/keys/").content.decode())


def test_a_waiting_key_survives_a_change_of_the_secret_key(organization: Any, settings: Any) -> None:
    request = type("Request", (), {"session": {}})()
    handover.keep(request, "x", "canary")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-for-all-of-the-checks"
    assert handover.take(request, "x") == "canary"
    assert handover.take(request, "x") is None
