"""Sealed events: packed by columns, found again, counted alike, and rows again where they must be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import Project
from apps.accounts.projects import request_recompute
from apps.conversations import packs, sealing
from apps.conversations import rebuild as rebuilding
from apps.conversations.load import events_of_sessions
from apps.core.tenancy import tenant
from apps.events.ledger import delete_project_events, withdraw
from apps.events.sealed import EVENTS_A_PACK
from apps.events.storage import compact_partitions, ensure_partitions
from tests.conftest import Sender, query, response
from tests.metrics.test_order_of_arrival import tables, traffic

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ALL = "SELECT e::text FROM events_event e ORDER BY 1"


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "FEWEST", 1)
    monkeypatch.setattr(sealing, "EVENTS_A_SLAB", 20)


def seal(sender: Sender, at: datetime | None = None) -> None:
    """Seal as if a month had passed, or at a moment."""
    while sealing.seal_organization(sender.provisioned.organization.id, at or sender.now + 30 * DAY):
        pass


def fetch(sender: Sender, sql: str) -> list[tuple[Any, ...]]:
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def counts(sender: Sender) -> tuple[int, int]:
    """(sealed events, rows)."""
    ((sealed, rows),) = fetch(
        sender, "SELECT (SELECT coalesce(sum(n), 0) FROM events_sealed), (SELECT count(*) FROM events_event)"
    )
    return int(sealed), int(rows)


def assert_a_rebuild_changes_nothing(sender: Sender) -> dict[str, list[str]]:
    """The facts are those that a rebuild from nothing, which unseals everything, leaves; returns them."""
    found = tables(sender.provisioned.organization.id)
    with tenant(sender.provisioned.organization.id):
        rebuilding.rebuild()
    assert counts(sender)[0] == 0
    assert tables(sender.provisioned.organization.id) == found
    return found


def change_gap(sender: Sender, minutes: int) -> None:
    """Set the idle gap, and settle all history anew in steps."""
    with tenant(sender.provisioned.organization.id):
        Project.objects.update(idle_gap_minutes=minutes)
        request_recompute()
    assert rebuilding.rebuild_if_requested(sender.provisioned.organization.id) is False


def names_of_rows(sender: Sender) -> set[str]:
    return {name for (name,) in fetch(sender, "SELECT DISTINCT name FROM events_event")}


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_sealing_and_unsealing_leaves_every_row_as_it_was(seed: int, sender: Sender, now: datetime) -> None:
    sender.send(*traffic(seed, now))
    sender.send(
        query(
            now, "s", user_id="ü", id="an-id", properties={"deep": {"list": [1, 2.5, None, "ß"]}}, tags=["a"]
        ),
        response(now + MINUTE, "s", id="sha256:" + "a" * 40, cost_usd=0.1),
    )
    sender.digest()
    before = fetch(sender, ALL)
    seal(sender)
    sealed, rows = counts(sender)
    assert sealed > 20
    assert sealed + rows == len(before)
    with tenant(sender.provisioned.organization.id):
        packs.unseal_all()
    assert fetch(sender, ALL) == before


def test_what_is_looked_for_by_an_id_of_its_own_stays_a_row(sender: Sender, now: datetime) -> None:
    at = now.isoformat()
    sender.send(
        query(now, "s", user_id="a"),
        response(now + MINUTE, "s", user_id="a", response_id="r"),
        {"event": "tool_call", "timestamp": at, "session_id": "s", "tool_name": "t", "status": "error"},
        {"event": "tool_call", "timestamp": at, "session_id": "s", "tool_name": "t", "status": "ok"},
        {"event": "response_feedback", "timestamp": at, "response_id": "r", "feedback_type": "thumbs_up"},
        {"event": "activation", "timestamp": at, "session_id": "s", "user_id": "a"},
        {"event": "heartbeat", "timestamp": at, "service": "x", "up": True},
        {"event": "tool_call", "timestamp": at, "session_id": "no-messages", "tool_name": "alone"},
        {**query(now, "s"), "properties": {"long": [number * 7919 % 1000 for number in range(2_000)]}},
        query(now, "mixed", user_id="b"),
        {**query(now + MINUTE, "x", user_id="b"), "session_id": None},
    )
    sender.digest()
    seal(sender)
    assert counts(sender) == (3, 8)
    assert names_of_rows(sender) == {
        "tool_call",
        "response_feedback",
        "activation",
        "heartbeat",
        "llm_query_sent",
    }


def test_nothing_younger_than_two_days_and_nothing_pending_is_sealed(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "s"), response(now + MINUTE, "s"))
    # A digest that is due goes first.
    assert sealing.seal_organization(sender.provisioned.organization.id, now + 30 * DAY) is True
    assert counts(sender) == (0, 2)
    sender.digest()
    seal(sender, now + 2 * DAY)
    assert counts(sender) == (0, 2)
    # What is no full slab waits for the end of its week.
    monday = now.replace(hour=0, minute=0) + (7 - now.weekday()) * DAY
    seal(sender, monday + 2 * DAY - MINUTE)
    assert counts(sender) == (0, 2)
    seal(sender, monday + 2 * DAY)
    assert counts(sender) == (2, 0)


def test_few_events_stay_rows(sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "FEWEST", 3)
    sender.send(query(now, "s"), response(now + MINUTE, "s"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (0, 2)


def test_events_that_arrive_late_are_sealed_the_next_time(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "new"))
    sender.digest()
    seal(sender)
    sender.send(query(now - 9 * DAY, "old"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (2, 0)


def test_a_batch_that_can_not_be_digested_does_not_hold_sealing_up(sender: Sender, now: datetime) -> None:
    sender.send(query(now - 9 * DAY, "stuck"))
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute("UPDATE events_batch SET next_attempt_at = now() + interval '1 hour'")
    sender.send(*[query(now - 3 * DAY, f"s{number}") for number in range(50)])
    sender.digest()
    seal(sender)
    assert counts(sender) == (50, 1)


def test_sealing_leaves_an_organisation_whose_digest_is_under_way(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "s"))
    sender.digest()
    organization_id = sender.provisioned.organization.id
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7401, %s)", [organization_id % 2**31])
        assert sealing.seal_organization(organization_id, now + 30 * DAY) is True
    finally:
        other.close()
    assert counts(sender) == (0, 1)


@pytest.mark.parametrize("minutes", [-50, 2, 29])
def test_a_late_event_joins_its_sealed_session(minutes: int, sender: Sender, now: datetime) -> None:
    events = [query(now, "s", user_id="a"), response(now + MINUTE, "s", user_id="a", response_id="r")]
    late = query(now + minutes * MINUTE, "s", user_id="a", frustrated=True)
    sender.send(*events)
    sender.digest()
    seal(sender)
    assert counts(sender) == (2, 0)
    sender.send(late)
    sender.digest()
    assert counts(sender) == (2, 1)
    assert sender.value("conversation_depth").numerator == 2
    seal(sender)
    assert counts(sender) == (3, 0)
    assert_a_rebuild_changes_nothing(sender)


def test_a_late_reaction_finds_its_sealed_response(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "s"), response(now + MINUTE, "s", response_id="r"), query(now, "other"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (3, 0)
    rating = {"event": "response_feedback", "response_id": "r", "feedback_type": "thumbs_up"}
    sender.send({**rating, "timestamp": (now + 3 * MINUTE).isoformat()})
    sender.digest()
    assert sender.value("thumbs_up_rate").numerator == 1


def test_an_event_without_a_session_joins_the_sealed_one_before_it(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "s", user_id="a"), response(now + MINUTE, "s", user_id="a"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (2, 0)
    sender.send({**query(now + 2 * MINUTE, "x", user_id="a"), "session_id": None})
    sender.digest()
    assert sender.value("sessions").value == 1
    assert sender.value("conversation_depth").numerator == 2


@pytest.mark.parametrize("seed", [44, 45])
def test_a_withdrawn_batch_takes_its_sealed_events_along(seed: int, sender: Sender, now: datetime) -> None:
    events = traffic(seed, now)
    sender.send(*events[::2])
    sender.digest()
    without = tables(sender.provisioned.organization.id)
    wrong = sender.send(*events[1::2])
    sender.digest()
    seal(sender)
    ((sealed,),) = fetch(
        sender,
        "SELECT count(*) FROM events_sealed s CROSS JOIN LATERAL unnest(s.batch_id) AS u(batch_id) "
        f"WHERE u.batch_id = {wrong.batch_id}",
    )
    assert sealed > 10
    with tenant(sender.provisioned.organization.id):
        withdraw(wrong.batch_id)
    sender.digest()
    assert tables(sender.provisioned.organization.id) == without
    assert sum(counts(sender)) == len(events[::2])
    seal(sender)
    assert tables(sender.provisioned.organization.id) == without


def monday_before(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0) - (now.weekday() + 7) * DAY


def test_events_of_a_session_whose_row_vanishes_are_unsealed(sender: Sender, now: datetime) -> None:
    monday = monday_before(now)
    run = {"event": "agent_run", "session_id": "s", "agent_name": "planner"}
    sender.send({**run, "timestamp": (monday - 30 * MINUTE).isoformat()})
    talk = sender.send(query(monday + 5 * MINUTE, "s"), response(monday + 6 * MINUTE, "s"))
    sender.digest()
    # Only the week that is over.
    seal(sender, monday + 2 * DAY + MINUTE)
    assert counts(sender) == (1, 2)
    with tenant(sender.provisioned.organization.id):
        withdraw(talk.batch_id)
    sender.digest()
    assert counts(sender) == (0, 1)
    sender.send(query(monday + 10 * MINUTE, "s"))
    sender.digest()
    assert len(assert_a_rebuild_changes_nothing(sender)["conversations_run"]) == 1


def test_events_that_a_narrower_session_would_leave_outside_are_unsealed(
    sender: Sender, now: datetime
) -> None:
    revenue = {"event": "revenue", "session_id": "s", "amount_usd": 5}
    sender.send(
        query(now, "s", user_id="a"),
        {**query(now + 20 * MINUTE, "x", user_id="a"), "session_id": None},
        {**revenue, "timestamp": (now + 70 * MINUTE).isoformat()},
    )
    sender.digest()
    seal(sender)
    assert counts(sender) == (1, 2)
    change_gap(sender, 5)
    assert counts(sender) == (0, 3)
    assert_a_rebuild_changes_nothing(sender)


def test_a_late_event_finds_the_sealed_session_that_its_user_joined_later(
    sender: Sender, now: datetime
) -> None:
    sender.send(query(now - MINUTE, "s"), response(now, "s"), query(now + 30 * MINUTE, "s", user_id="u"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (3, 0)
    sender.send({**query(now + 15 * MINUTE, "x", user_id="u"), "session_id": None})
    sender.digest()
    assert len(assert_a_rebuild_changes_nothing(sender)["conversations_session"]) == 1


def test_a_rebuild_in_steps_reads_sealed_events(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "EVENTS_A_STEP", 7)
    sender.send(*traffic(46, now))
    sender.digest()
    seal(sender)
    change_gap(sender, 2)
    assert counts(sender)[0] > 20
    assert_a_rebuild_changes_nothing(sender)


def test_a_timeline_is_the_same_before_and_after(sender: Sender, now: datetime) -> None:
    at = (now + MINUTE).isoformat()
    sender.send(
        query(now, "s", user_id="a", query_text="Where is my order?"),
        {
            "event": "tool_call",
            "timestamp": at,
            "session_id": "s",
            "tool_name": "orders",
            "duration_ms": 12.5,
        },
        {"event": "step", "timestamp": at, "session_id": "s", "stage": "plan", "properties": {"x": 1}},
        response(now + 2 * MINUTE, "s", user_id="a", response_text="On its way."),
    )
    sender.digest()

    def told() -> Any:
        answer = Client().get(
            "/api/v1/sessions/s", headers={"Authorization": f"Bearer {sender.provisioned.keys['admin_key']}"}
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    before = told()
    seal(sender)
    assert counts(sender) == (4, 0)
    assert told() == before


def test_a_long_session_is_found_in_every_slab(sender: Sender, now: datetime) -> None:
    start = now - 19 * DAY
    talk = [query(start + hours * timedelta(hours=1), "long") for hours in range(0, 24 * 19, 4)]
    sender.send(*talk, *traffic(47, now))
    sender.digest()
    seal(sender)
    key = (sender.provisioned.project.id, "long")
    with tenant(sender.provisioned.organization.id):
        assert len(packs.packs_of([key])) > 5
        assert len(events_of_sessions([key])[key]) == len(talk)


def test_a_deleted_project_leaves_no_pack(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "s"), response(now + MINUTE, "s"))
    sender.digest()
    seal(sender)
    with tenant(sender.provisioned.organization.id):
        assert delete_project_events(sender.provisioned.project.id) == 2
    assert counts(sender) == (0, 0)
    assert fetch(sender, "SELECT 1 FROM events_identity") == []


def test_packs_past_the_longest_retention_end(sender: Sender, now: datetime) -> None:
    sender.send(query(now - 9 * DAY, "old"), query(now, "young"))
    sender.digest()
    seal(sender)
    assert counts(sender) == (2, 0)
    fetch(
        sender,
        "UPDATE events_sealed SET first_at = first_at - interval '408 days', last_at = last_at - interval '408 days' "
        "WHERE id = (SELECT min(id) FROM events_sealed) RETURNING id",
    )
    ensure_partitions()
    assert counts(sender) == (1, 0)


def test_packs_hold_a_thousand_events_each(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "EVENTS_A_SLAB", 16_000)
    events = [query(now + number * MINUTE / 60, f"s{number % 300}") for number in range(1_500)]
    sender.send(*events)
    sender.digest()
    seal(sender)
    held = fetch(sender, "SELECT n, low, high FROM events_sealed ORDER BY low")
    assert [n for n, _, _ in held] == [EVENTS_A_PACK, 500]
    assert held[0][2] <= held[1][1]


@pytest.fixture
def owner() -> Iterator[psycopg.Connection[Any]]:
    from django.conf import settings

    held = settings.DATABASES["owner"]
    with psycopg.connect(
        host=held["HOST"],
        port=held["PORT"],
        dbname=connection.settings_dict["NAME"],
        user=held["USER"],
        password=held["PASSWORD"],
        autocommit=True,
    ) as link:
        yield link


def test_a_week_that_is_over_gives_its_room_back(
    sender: Sender, now: datetime, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "EVENTS_A_SLAB", 16_000)
    at = now.replace(hour=0, minute=0) - (now.weekday() + 200) * DAY
    week = (at - at.weekday() * DAY).strftime("%Y%m%d")
    for number in range(4):
        sender.send(
            *[
                query(at + count * MINUTE / 60, f"s{number}-{count}", properties={"x": "y" * 900})
                for count in range(1_000)
            ],
            historical=True,
        )
    sender.digest()
    size = f"SELECT pg_relation_size('events_event_{week}')"
    full = owner.execute(size).fetchone()
    seal(sender)
    owner.execute(f"VACUUM (ANALYZE, TRUNCATE off) events_event_{week}")
    with owner.transaction():
        owner.execute(f"LOCK TABLE events_event_{week} IN ACCESS SHARE MODE")
        compact_partitions()
        assert owner.execute(size).fetchone() == full
    compact_partitions()
    left = owner.execute(size).fetchone()
    assert full is not None
    assert left is not None
    assert left[0] < full[0] / 10
    assert counts(sender)[0] == 4_000
