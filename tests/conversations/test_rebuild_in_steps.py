"""A changed setting has history computed anew in steps: beside the digest, from where it ended, and told on pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.accounts.models import Organization, Project, Role
from apps.accounts.projects import request_recompute
from apps.conversations import digest
from apps.conversations import rebuild as rebuilding
from apps.core.tenancy import tenant
from tests.accounts.test_sign_up import member
from tests.conftest import Sender
from tests.metrics.test_order_of_arrival import tables, traffic


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "EVENTS_A_STEP", 7)


def change_gap(sender: Sender, minutes: int) -> None:
    with tenant(sender.provisioned.organization.id):
        Project.objects.update(idle_gap_minutes=minutes)
        request_recompute()


def state(sender: Sender) -> tuple[Any, Any]:
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
    return organization.recompute_requested_at, organization.recomputed_to


def whole(sender: Sender) -> dict[str, list[str]]:
    """The tables that a rebuild from nothing leaves."""
    with tenant(sender.provisioned.organization.id):
        rebuilding.rebuild()
    return tables(sender.provisioned.organization.id)


@pytest.mark.parametrize("minutes", [2, 45])
@pytest.mark.parametrize("seed", [31, 32, 33])
def test_steps_leave_the_tables_that_a_rebuild_from_nothing_leaves(
    minutes: int, seed: int, sender: Sender, now: datetime
) -> None:
    sender.send(*traffic(seed, now))
    sender.digest()
    before = tables(sender.provisioned.organization.id)
    change_gap(sender, minutes)
    assert rebuilding.rebuild_if_requested(sender.provisioned.organization.id) is False
    assert state(sender) == (None, None)
    found = tables(sender.provisioned.organization.id)
    assert found != before
    assert found == whole(sender)


def test_new_events_are_digested_between_steps(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = traffic(34, now)
    sender.send(*events[::2])
    sender.digest()
    change_gap(sender, 3)
    monkeypatch.setattr(digest, "TURN_S", 0.0)
    organization_id = sender.provisioned.organization.id
    rest = events[1::2]
    turns = 0
    while rebuilding.rebuild_if_requested(organization_id):
        turns += 1
        sender.send(*rest[:5])
        sender.digest()
        rest = rest[5:]
    assert turns > 5
    sender.send(*rest)
    sender.digest()
    assert tables(organization_id) == whole(sender)


def test_a_setting_changed_meanwhile_begins_anew(sender: Sender, now: datetime) -> None:
    sender.send(*traffic(35, now))
    sender.digest()
    change_gap(sender, 3)
    organization_id = sender.provisioned.organization.id
    assert rebuilding._rebuild_step(organization_id)
    assert state(sender)[1] is not None
    change_gap(sender, 29)
    assert state(sender)[1] is None
    assert rebuilding.rebuild_if_requested(organization_id) is False
    assert tables(organization_id) == whole(sender)


def test_many_events_of_one_moment_stay_together(sender: Sender, now: datetime) -> None:
    events = [{**event, "timestamp": now.isoformat()} for event in traffic(36, now)]
    sender.send(*events)
    sender.digest()
    change_gap(sender, 3)
    assert rebuilding.rebuild_if_requested(sender.provisioned.organization.id) is False
    assert state(sender) == (None, None)


def test_pages_say_how_far_it_is(sender: Sender, now: datetime) -> None:
    sender.send(*traffic(37, now))
    sender.digest()
    owner = member(sender.provisioned, Role.OWNER)
    badge = "/freshness/?seen=x"
    assert "computed anew" not in owner.get(badge).content.decode()
    change_gap(sender, 3)
    rebuilding._rebuild_step(sender.provisioned.organization.id)
    assert "History is computed anew: 0 of 3 days done" in owner.get(badge).content.decode()
    rebuilding.rebuild_if_requested(sender.provisioned.organization.id)
    assert "computed anew" not in owner.get(badge).content.decode()
