"""From a stranger to the first chart, and what members may do to an organisation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.keys import identify, is_well_formed
from apps.accounts.middleware import memberships_of
from apps.accounts.models import ApiKey, AuditEntry, Membership, Organization, Project, Role, User
from apps.accounts.people import verified_user
from apps.core.tenancy import tenant
from tests.conftest import Stack, unique, wait_for

PASSWORD = "correct horse battery"


def sign_up(client: Client, email: str, **fields: str) -> Any:
    return client.post(
        "/accounts/signup/",
        {
            "email": email,
            "password1": PASSWORD,
            "organization_name": "",
            "timezone": "Asia/Kolkata",
            **fields,
        },
    )


def member(organization: Any, role: str) -> Client:
    user = verified_user(f"{unique(role)}@example.com", PASSWORD)
    with tenant(organization.organization.id):
        Membership(user=user, role=role).save()
    client = Client()
    client.force_login(user)
    return client


def test_sign_up_makes_user_organisation_project_and_key(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    client, email = Client(), f"{unique('ann')}@acme-corp.example"
    answer = sign_up(client, email)
    assert answer.status_code == 302, answer.content
    assert answer["Location"] == "/start/"
    user = User.objects.get(email=email)
    assert user.password.startswith("argon2$argon2id")
    (organization_id,) = memberships_of(user.pk)
    with tenant(organization_id):
        organization = Organization.objects.get()
        assert (organization.name, organization.timezone) == ("Acme Corp", "Asia/Kolkata")
        assert Membership.objects.get().role == Role.OWNER
        assert Project.objects.count() == 1
        key = ApiKey.objects.get()
    page = client.get("/start/").content.decode()
    shown = set(re.findall(r"lmk_live_\w+", page))
    assert len(shown) == 1
    (text,) = shown
    assert is_well_formed(text)
    identity = identify(text)
    assert identity is not None
    assert identity.key_id == key.pk
    assert "lmk_live_" not in client.get("/start/").content.decode()


@pytest.mark.parametrize("field", ["timezone", "password1", "email"])
def test_sign_up_refuses_bad_input_at_its_field(field: str) -> None:
    bad = {"timezone": "Mars/Olympus", "password1": "short", "email": "nobody"}[field]
    email = f"{unique('bob')}@example.com"
    answer = sign_up(Client(), **{"email": email, field: bad})
    assert answer.status_code == 200
    assert answer.context["form"].errors[field]
    assert not User.objects.filter(email=email).exists()


def test_an_invitation_makes_a_member_once(organization: Any, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    owner = member(organization, Role.OWNER)
    email = f"{unique('eve')}@example.com"
    assert owner.post("/settings/members/invite/", {"email": email, "role": "finance"}).status_code == 302
    link = re.search(r"/invitations/\S+/", str(mail.outbox[-1].body))
    assert link
    guest = Client()
    assert guest.post(link.group()).status_code == 302
    joined = sign_up(guest, email)
    assert (joined.status_code, joined["Location"]) == (302, "/dashboard/")
    assert memberships_of(User.objects.get(email=email).pk) == [organization.organization.id]
    assert Client().get(link.group()).status_code == 410
    with tenant(organization.organization.id):
        assert Membership.objects.get(user__email=email).role == "finance"
        assert AuditEntry.objects.filter(action="member.joined").exists()


def test_an_invitation_fits_only_its_address(organization: Any, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    owner = member(organization, Role.OWNER)
    owner.post("/settings/members/invite/", {"email": f"{unique('eve')}@example.com", "role": "product"})
    link = re.search(r"/invitations/\S+/", str(mail.outbox[-1].body))
    assert link
    stranger, email = Client(), f"{unique('mallory')}@example.com"
    stranger.post(link.group())
    refused = sign_up(stranger, email)
    assert "the invitation is for" in str(refused.context["form"].errors["email"])
    assert not User.objects.filter(email=email).exists()


@pytest.mark.parametrize("role", [Role.PRODUCT, Role.ENGINEERING, Role.FINANCE, Role.EXECUTIVE])
def test_settings_are_for_owners_and_admins(organization: Any, role: str) -> None:
    client = member(organization, role)
    for address in (
        "/settings/",
        "/settings/members/",
        "/settings/projects/",
        "/settings/keys/",
        "/settings/audit/",
    ):
        assert client.get(address).status_code == 404
    assert member(organization, Role.ADMIN).get("/settings/").status_code == 200


def test_the_last_owner_can_not_be_removed_or_lowered(organization: Any) -> None:
    with tenant(organization.organization.id):
        row = Membership.objects.get(role=Role.OWNER)
        client = Client()
        user = row.user
    client.force_login(user)
    client.post(f"/settings/members/{row.pk}/remove/")
    client.post(f"/settings/members/{row.pk}/role/", {"role": "product"})
    with tenant(organization.organization.id):
        assert Membership.objects.get(pk=row.pk).role == Role.OWNER


def test_an_admin_can_not_make_owners(organization: Any) -> None:
    admin = member(organization, Role.ADMIN)
    with tenant(organization.organization.id):
        row = Membership.objects.get(role=Role.ADMIN)
    admin.post(f"/settings/members/{row.pk}/role/", {"role": "owner"})
    answer = admin.post("/settings/members/invite/", {"email": "x@example.com", "role": "owner"})
    assert answer.status_code == 400
    with tenant(organization.organization.id):
        assert Membership.objects.get(pk=row.pk).role == Role.ADMIN


def test_a_removed_member_has_no_access_on_the_next_request(organization: Any) -> None:
    client = member(organization, Role.PRODUCT)
    assert client.get("/dashboard/").status_code == 200
    with tenant(organization.organization.id):
        Membership.objects.filter(role=Role.PRODUCT).delete()
    assert client.get("/dashboard/").status_code == 403


def test_a_key_is_made_rotated_and_revoked(organization: Any) -> None:
    owner = member(organization, Role.OWNER)
    with tenant(organization.organization.id):
        project = Project.objects.get()
    sent = {"name": "ci", "project": project.pk, "scopes": ["read"], "expires_at": "2090-01-01"}
    assert owner.post("/settings/keys/", sent).status_code == 302
    (first,) = set(re.findall(r"lmk_live_\w{38}", owner.get("/settings/keys/").content.decode()))
    assert "lmk_live_" + "x" not in first
    assert not re.findall(r"lmk_live_\w{38}", owner.get("/settings/keys/").content.decode())
    identity = identify(first)
    assert identity is not None
    owner.post(f"/settings/keys/{identity.key_id}/rotate/")
    (second,) = set(re.findall(r"lmk_live_\w{38}", owner.get("/settings/keys/").content.decode()))
    assert identify(first) is not None
    owner.post(f"/settings/keys/{identity.key_id}/revoke/")
    assert identify(first) is None
    assert identify(second) is not None


def test_an_expired_key_is_unknown(organization: Any) -> None:
    with tenant(organization.organization.id):
        ApiKey.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert identify(organization.keys["read_key"]) is None


def test_signed_in_pages_are_kept_out_of_caches(organization: Any) -> None:
    client = member(organization, Role.OWNER)
    assert client.get("/dashboard/")["Cache-Control"] == "no-store"
    assert "Clear-Site-Data" in client.post("/accounts/logout/")


def test_a_changed_idle_gap_has_the_facts_rebuilt(organization: Any) -> None:
    owner = member(organization, Role.OWNER)
    with tenant(organization.organization.id):
        project = Project.objects.get()
    sent = {"name": project.name, "privacy_mode": "keep", "idle_gap_minutes": 5}
    assert owner.post(f"/settings/projects/{project.public_id}/", sent).status_code == 302
    from apps.conversations.rebuild import rebuild_if_requested

    with tenant(organization.organization.id):
        assert Organization.objects.get().recompute_requested_at is not None
    assert rebuild_if_requested(organization.organization.id) is False
    with tenant(organization.organization.id):
        assert Organization.objects.get().recompute_requested_at is None
        entry = AuditEntry.objects.get(action="project.changed")
    assert (entry.before["idle_gap_minutes"], entry.after["idle_gap_minutes"]) == (30, 5)


def test_the_command_prints_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    email = f"{unique('cli')}@example.com"
    call_command(
        "create_organization", name="Shop", email=email, password=PASSWORD, timezone="Asia/Kathmandu"
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    facts = json.loads(lines[0])
    assert sorted(facts) == ["admin_key", "ingest_key", "organization", "project", "read_key"]
    identity = identify(facts["read_key"])
    assert identity is not None
    assert identity.scopes == {"read"}


def test_the_command_names_what_is_wrong() -> None:
    email = f"{unique('cli')}@example.com"
    with pytest.raises(CommandError, match="timezone: 'Nowhere' is not an IANA time zone"):
        call_command("create_organization", name="Shop", email=email, password=PASSWORD, timezone="Nowhere")
    with pytest.raises(CommandError, match="password: "):
        call_command("create_organization", name="Shop", email=email, password="short")
    assert not User.objects.filter(email=email).exists()


@pytest.mark.xdist_group("stack")
@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_the_snippets_run_as_they_stand(stack: Stack, language: str) -> None:
    from apps.dashboards.snippets import snippets

    tabs = {tab.title.lower(): tab.text for tab in snippets(stack.url, stack.facts["ingest_key"])}
    commands = {"curl": ["bash", "-c"], "python": [sys.executable, "-c"], "javascript": ["node", "-e"]}
    done = subprocess.run(
        [*commands[language], tabs[language]], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.search(r"accepted\W+2", done.stdout), done.stdout


@pytest.mark.xdist_group("stack")
def test_what_is_sent_shows_within_seconds(stack: Stack) -> None:
    import urllib.request

    facts = stack.facts

    def ask(path: str, key: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            f"{stack.url}/api/v1/{path}",
            data=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    name = unique("tool")
    event = {
        "event": "tool_call",
        "timestamp": datetime.now(UTC).isoformat(),
        "tool_name": name,
        "session_id": name,
    }
    assert ask("events", facts["ingest_key"], json.dumps([event]).encode())["accepted"] == 1

    def is_shown() -> bool:
        points = ask(
            f"metrics/tool_calls?interval=total&group_by=tool&filter.tool={name}", facts["read_key"]
        )["points"]
        return [point["value"] for point in points] == [1]

    assert wait_for(is_shown, 30)
    assert wait_for(lambda: ask("freshness", facts["read_key"])["pending_batches"] == 0, 30)
