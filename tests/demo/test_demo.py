"""The demo in the database: loaded once, resumed, and removed without a trace."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEntry, Membership, Organization, Project, Role
from apps.accounts.provision import Provisioned
from apps.conversations.models import Session
from apps.core.tenancy import tenant
from apps.dashboards.demo import calendar
from apps.dashboards.demo.load import load_demo_data, loaded
from apps.dashboards.demo.organization import demo_organization_id, make_demo_organization
from apps.events.models import Batch
from tests.conftest import Sender, query, response

DERIVED = ("conversations_session", "conversations_generation", "conversations_assignment")
STORED = ("events_event", "events_identity", "events_text", "events_batch", "events_rejectedevent")


@pytest.fixture(autouse=True)
def _little_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "SESSIONS_ON_A_WEEKDAY", 6)


def quiet(done: int, whole: int) -> None:
    """No progress is shown."""


def rows(organization_id: int, tables: tuple[str, ...]) -> dict[str, int]:
    """How many rows the organisation has in each table."""
    counts = {}
    with tenant(organization_id), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = (cursor.fetchone() or (0,))[0]
    return counts


@pytest.fixture
def demo(organization: Provisioned) -> Project:
    """A demo project beside the organisation's own one."""
    with tenant(organization.organization.id):
        project = Project(name="Demo", is_demo=True)
        project.save()
    return project


@pytest.fixture
def owner(organization: Provisioned) -> Client:
    client = Client()
    with tenant(organization.organization.id):
        client.force_login(Membership.objects.get().user)
    return client


def test_is_loaded_through_the_ledger_and_digested(organization: Provisioned, demo: Project) -> None:
    organization_id = organization.organization.id
    shown: list[tuple[int, int]] = []
    sent = load_demo_data(organization_id, lambda done, whole: shown.append((done, whole)))
    assert shown[-1] == (sent, sent)
    with tenant(organization_id):
        state = loaded(demo, demo.created_at)
        batches = list(Batch.objects.values_list("project_id", "source", "state", "rejected").distinct())
        sessions = Session.objects.filter(project_id=demo.pk).count()
    assert (state.events, state.is_complete, state.percent) == (sent, True, 100)
    assert batches == [(demo.pk, "demo", "done", 0)]
    assert sessions > 200


def test_frustration_is_found_in_the_words_and_followed_to_its_recovery(
    organization: Provisioned, demo: Project
) -> None:
    organization_id = organization.organization.id
    load_demo_data(organization_id, quiet)
    with tenant(organization_id):
        told = Session.objects.filter(frustrated_turns__gt=0).values_list("evidence", flat=True)
        spikes = [spike for evidence in told for spike in evidence["spikes"]]
    reasons = Counter(spike["reason"] for spike in spikes)
    assert reasons["detected in its words"] > 0.8 * len(spikes) > 8
    assert {spike["recovered"] for spike in spikes} == {True, False}
    assert len({spike["intervention"] for spike in spikes}) >= 3


def test_loading_again_adds_nothing(organization: Provisioned, demo: Project) -> None:
    organization_id = organization.organization.id
    assert load_demo_data(organization_id, quiet) > 0
    before = rows(organization_id, STORED + DERIVED)
    assert load_demo_data(organization_id, quiet) == 0
    assert rows(organization_id, STORED + DERIVED) == before


def test_goes_on_where_it_was_interrupted(organization: Provisioned, demo: Project) -> None:
    organization_id = organization.organization.id

    def interrupt(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_demo_data(organization_id, interrupt)
    with tenant(organization_id):
        begun = loaded(demo, demo.created_at)
    assert (begun.events, begun.is_complete) == (1_000, False)
    rest = load_demo_data(organization_id, quiet)
    with tenant(organization_id):
        whole = loaded(demo, demo.created_at)
        assert not Batch.objects.filter(duplicate__gt=0).exists()
    assert (whole.events, whole.is_complete) == (1_000 + rest, True)


def test_is_removed_without_a_trace_and_leaves_other_projects_alone(
    organization: Provisioned, demo: Project, owner: Client, sender: Sender
) -> None:
    organization_id = organization.organization.id
    sender.send(query(sender.now), response(sender.now))
    sender.digest()
    own = rows(organization_id, STORED + DERIVED)
    load_demo_data(organization_id, quiet)
    answer = owner.post("/demo/remove/")
    assert answer.status_code == 302
    assert rows(organization_id, STORED + DERIVED) == own
    with tenant(organization_id):
        assert not Project.objects.filter(is_demo=True).exists()
        assert AuditEntry.objects.filter(action="demo.removed").count() == 1


def test_only_who_may_configure_removes_it(organization: Provisioned, demo: Project, owner: Client) -> None:
    with tenant(organization.organization.id):
        Membership.objects.update(role=Role.PRODUCT)
    assert owner.post("/demo/remove/").status_code == 404
    assert owner.post("/demo/load/").status_code == 404
    with tenant(organization.organization.id):
        assert Project.objects.filter(is_demo=True).exists()


def test_is_not_removed_by_following_a_link(owner: Client) -> None:
    assert owner.get("/demo/remove/").status_code == 405


def test_the_demo_organization_is_made_once_and_stays_empty_after_removal() -> None:
    first = make_demo_organization()
    organization_id = demo_organization_id()
    assert organization_id is not None
    again = make_demo_organization()
    assert again["organization"] == first["organization"]
    assert again["read_key"] != first["read_key"]
    out = StringIO()
    call_command("load_demo", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue()) == {"login": first["login"], "organization": first["organization"]}
    client = Client()
    assert client.login(email=again["login"], password=again["password"])
    client.post("/demo/remove/")
    with tenant(organization_id):
        assert not Organization.objects.get().is_demo
        assert Project.objects.count() == 1
    assert set(rows(organization_id, STORED + DERIVED).values()) == {0}
    assert load_demo_data(organization_id, quiet) == 0
    assert demo_organization_id() is None


def test_the_page_tells_how_far_loading_is(organization: Provisioned, owner: Client, demo: Project) -> None:
    begun: Any = owner.get("/demo/")
    assert b"Loading" in begun.content
    load_demo_data(organization.organization.id, quiet)
    assert b"Loaded" in owner.get("/demo/").content
