"""Rollups answer what the facts answer: every metric, every dimension, open sessions and changes included."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.events import ledger
from apps.metrics import facts
from apps.metrics.catalogue import METRICS
from apps.metrics.rollups import bitmap, cube, keep
from apps.metrics.series import Query, run
from tests.conftest import Sender, query
from tests.metrics.test_order_of_arrival import traffic

ROLLED = ("metrics_rollup", "metrics_rollupslots")


def rich_traffic(seed: int, now: datetime) -> list[dict[str, Any]]:
    """The hard sessions, with dimensions, latencies, tools and runs."""
    dice = random.Random(seed)
    events = traffic(seed, now)
    for event in events:
        event["channel"] = dice.choice(["web", "mail"])
        event["environment"] = dice.choice(["production", "staging", "test"])
        if dice.random() < 0.5:
            event["feature"] = dice.choice(["search", "billing"])
        if event["event"] == "llm_response_generated":
            event |= {
                "latency_ms": round(dice.lognormvariate(6, 1), 3),
                "ttft_ms": dice.choice([0, 3.5, 250]),
                "status": dice.choice(["ok", "ok", "error"]),
                "cited_sentences": dice.randint(0, 3),
                "total_sentences": 3,
                "grounding_expected": True,
            }
    for number in range(25):
        at = now - timedelta(hours=dice.uniform(0, 60))
        base = {"timestamp": at.isoformat(), "session_id": f"session-{number % 14}", "id": f"x{number}"}
        kind = dice.choice(["tool_call", "agent_run", "step"])
        own = {
            "tool_call": {"tool_name": dice.choice(["a", "b"]), "status": dice.choice(["ok", "error"])},
            "agent_run": {"agent_name": "planner", "depth": dice.randint(1, 4)},
            "step": {"stage": dice.choice(["retrieval", "model"])},
        }
        events.append({"event": kind, **base, "duration_ms": dice.randint(1, 4000), **own[kind]})
    return events


def answers(sender: Sender, at: datetime, start: Any, end: Any) -> dict[str, Any]:
    """Every metric in every form that rollups can serve, by a name of the question."""
    found: dict[str, Any] = {}
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        for metric in METRICS.values():
            asked: list[dict[str, Any]] = [{"interval": "total"}, {"interval": "day"}, {"interval": "week"}]
            asked += [{"interval": "total", "group_by": (name,)} for name in metric.dimensions]
            if {"channel", "environment"} <= set(metric.dimensions):
                asked.append({"interval": "day", "group_by": ("environment", "channel")})
                asked.append({"interval": "day", "filters": {"channel": ("web",)}, "group_by": ("channel",)})
                asked.append({"interval": "total", "filters": {"environment": ("test",)}})
            for one in asked:
                query = Query((metric.key,), start, end, **one)
                found[f"{metric.key} {one}"] = run(organization, query, at)[metric.key].points
    return found


def compare(sender: Sender, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    start, end = sender.now.date() - timedelta(days=4), sender.now.date() + timedelta(days=2)
    with tenant(sender.provisioned.organization.id):
        assert keep.is_current()
    rolled = answers(sender, at, start, end)
    with monkeypatch.context() as patch:
        patch.setattr(keep, "is_current", lambda: False)
        plain = answers(sender, at, start, end)
    different = [name for name in rolled if rolled[name] != plain[name]]
    assert different == [], (rolled[different[0]], plain[different[0]])


def stored(sender: Sender) -> dict[str, list[str]]:
    organization_id = sender.provisioned.organization.id
    found = {}
    with tenant(organization_id), connection.cursor() as cursor:
        for table in ROLLED:
            cursor.execute(f"SELECT t::text FROM {table} t WHERE organization_id = %s", [organization_id])
            found[table] = sorted(text for (text,) in cursor.fetchall())
        found["users"] = active_users(cursor)
    return found


def active_users(cursor: Any) -> list[str]:
    """The stored sets with the ids of their users, whose numbers depend on the order of arrival."""
    cursor.execute("SELECT number, user_id FROM metrics_usernumber")
    names = dict(cursor.fetchall())
    cursor.execute(
        "SELECT dimension, day, value, project_id, environment, chunk, n, bits FROM metrics_activeusers"
    )
    rows = []
    for *key, chunk, n, bits in cursor.fetchall():
        places = bitmap.read(bytes(bits))
        assert isinstance(places, tuple)
        assert len(places) == n
        rows.append(f"{key} {sorted(names[chunk * bitmap.CHUNK + place] for place in places)}")
    return sorted(rows)


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_every_metric_is_the_same_with_and_without_rollups(
    timezone: str, make_organization: Callable[..., Any], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(make_organization(timezone=timezone), now)
    events = rich_traffic(7, now)
    random.Random(1).shuffle(events)
    for start in range(0, len(events), 40):
        sender.send(*events[start : start + 40])
        sender.digest()
    compare(sender, now + timedelta(hours=2), monkeypatch)
    compare(sender, now - timedelta(minutes=20), monkeypatch)
    compare(sender, now - timedelta(hours=30), monkeypatch)


def test_a_withdrawn_batch_leaves_no_trace(sender: Sender, now: datetime) -> None:
    events = rich_traffic(8, now)
    sender.send(*events[::2])
    sender.digest()
    before = stored(sender)
    batch = sender.send(*events[1::2])
    sender.digest()
    assert stored(sender) != before
    with tenant(sender.provisioned.organization.id):
        ledger.withdraw(batch.batch_id)
    sender.digest()
    assert stored(sender) == before


def test_a_batch_withdrawn_before_its_digest_never_counted(sender: Sender, now: datetime) -> None:
    events = rich_traffic(9, now)
    sender.send(*events[::2])
    sender.digest()
    before = stored(sender)
    batch = sender.send(*events[1::2])
    with tenant(sender.provisioned.organization.id):
        ledger.withdraw(batch.batch_id)
    sender.digest()
    assert stored(sender) == before


def test_a_new_time_zone_is_answered_from_facts_until_its_days_are_built(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*rich_traffic(10, now))
    sender.digest()
    organization_id = sender.provisioned.organization.id
    with tenant(organization_id):
        Organization.objects.update(timezone="Asia/Kathmandu")
        assert not keep.is_current()
    assert organization_id in keep.stale_organizations()
    keep.rebuild(organization_id)
    assert organization_id not in keep.stale_organizations()
    compare(sender, now + timedelta(hours=2), monkeypatch)


def test_a_rebuild_that_ends_early_is_taken_up_while_events_go_on_coming(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = rich_traffic(11, now)
    sender.send(*events[::2])
    sender.digest()
    organization_id = sender.provisioned.organization.id
    with tenant(organization_id), connection.cursor() as cursor:
        cursor.execute("UPDATE metrics_rollupstate SET version = 'old'")
        keep._prepare()
        assert keep.progress() is not None
    keep._build_day(organization_id)
    sender.send(*events[1::2])
    sender.digest()
    with tenant(organization_id):
        assert not keep.is_current()
    keep.rebuild(organization_id)
    compare(sender, now + timedelta(hours=2), monkeypatch)


def test_a_rebuild_gives_the_tables_that_the_digest_gave(sender: Sender, now: datetime) -> None:
    events = rich_traffic(12, now)
    for start in range(0, len(events), 30):
        sender.send(*events[start : start + 30])
        sender.digest()
    before = stored(sender)
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute("UPDATE metrics_rollupstate SET version = 'old'")
    keep.rebuild(sender.provisioned.organization.id)
    assert stored(sender) == before


def test_distinct_users_are_counted_from_sets_and_not_from_events(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = now.replace(hour=12, minute=0)
    for days in range(3):
        at = noon - timedelta(days=days + 1)
        sender.send(*(query(at, f"s{n}", user_id=f"u{n}") for n in range(days * 100, days * 100 + 300)))
        sender.digest()
    start, end = now.date() - timedelta(days=3), now.date()
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        monkeypatch.setattr(facts, "distinct_users", None)
        found = run(organization, Query(("dau", "wau", "feature_adoption"), start, end), now)
        by_model = run(organization, Query(("dau",), start, end, group_by=("model",)), now)
    assert [point.value for point in found["dau"].points] == [300, 300, 300]
    assert [point.value for point in found["wau"].points] == [300, 400, 500]
    assert [(one.group, one.value) for one in by_model["dau"].points] == [({"model": "(none)"}, 300)] * 3


def test_groups_beyond_the_limit_are_joined_to_one_crowd(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now - timedelta(hours=1)
    sender.send(
        *(query(at, f"s{n}", id=f"e{n}", user_id=f"u{n % 5}", feature=f"f{n % 7}") for n in range(60))
    )
    sender.digest()
    start, end = now.date() - timedelta(days=1), now.date() + timedelta(days=1)
    question = Query(("dau", "mau"), start, end, group_by=("feature",), limit=2)
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        rolled = {key: series.points for key, series in run(organization, question, now).items()}
        monkeypatch.setattr(keep, "is_current", lambda: False)
        assert rolled == {key: series.points for key, series in run(organization, question, now).items()}
    assert {"(other)"} < {point.group["feature"] for point in rolled["dau"]}


def test_facts_built_anew_leave_the_same_sets(sender: Sender, now: datetime) -> None:
    sender.send(*rich_traffic(13, now))
    sender.digest()
    before = stored(sender)
    with tenant(sender.provisioned.organization.id):
        rebuild()
    assert stored(sender) == before


def test_the_version_changes_with_a_definition() -> None:
    assert len(cube.VERSION) == 16
    assert all(len(set(one.measures)) == len(one.measures) for one in cube.CUBES.values())
