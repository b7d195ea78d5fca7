"""A dimension keeps its first values; all others fold into `(other)`, from rollups and facts alike, in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.core.tenancy import tenant
from apps.events import ledger
from apps.metrics.rollups import keep, values
from apps.metrics.series import Query, run
from tests.conftest import Sender, query, response
from tests.metrics.test_order_of_arrival import normalized, tables
from tests.metrics.test_rollups import stored

METRICS = ("sessions", "cost_total", "latency_p95", "dau", "new_users", "error_rate", "completion_rate")


@pytest.fixture(autouse=True)
def _few_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_VALUES", 3)


def traffic(now: datetime) -> list[dict[str, Any]]:
    """Twelve sessions of eight features and five models, the hours apart; every second without a feature."""
    events: list[dict[str, Any]] = []
    for number in range(24):
        at, session = now - timedelta(hours=48 - 2 * number), f"s{number}"
        shared: dict[str, Any] = {"user_id": f"u{number % 5}", "model": f"m{number % 5}"}
        if number % 2:
            shared["feature"] = f"f{number // 2 % 8}"
        events.append(query(at, session, **shared, id=f"q{number}"))
        costs = {"cost_usd": 0.25, "latency_ms": number}
        events.append(response(at + timedelta(seconds=1), session, **shared, **costs, id=f"r{number}"))
    return events


def scattered(now: datetime) -> list[dict[str, Any]]:
    """The same, every session in one of ten environments; the last to be seen is `test`."""
    names = [*(f"e{number}" for number in range(9)), "test"]
    return [{**event, "environment": names[number // 2 % 10]} for number, event in enumerate(traffic(now))]


def days(now: datetime) -> tuple[date, date]:
    return now.date() - timedelta(days=4), now.date() + timedelta(days=2)


def groups(sender: Sender, key: str, dimension: str = "feature", **options: Any) -> dict[str, Any]:
    start, end = days(sender.now)
    points = sender.points(key, interval="total", start=start, end=end, group_by=(dimension,), **options)
    return {point.group[dimension]: point.value for point in points}


def assert_rollups_and_facts_agree(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    start, end = days(sender.now)
    asked: list[dict[str, Any]] = [
        {"group_by": (name,), "interval": interval, **more}
        for name in ("feature", "model", "environment")
        for interval in ("total", "day")
        for more in (
            {},
            {"limit": 2},
            {"filters": {name: ("(other)",)}},
            {"filters": {name: ("f1", "m1", "e1")}},
        )
    ]
    asked += [{"filters": {"feature": (value,)}} for value in ("f1", "f7", "(other)", "(none)")]
    asked += [
        {"filters": {"environment": value}, **more}
        for value in (("e1",), ("e7",), ("test",), ("(other)",), ("(other)", "test", "e2"))
        for more in ({}, {"group_by": ("feature",)}, {"group_by": ("environment", "model")})
    ]
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        assert keep.is_current()
        for one in asked:
            question = Query(METRICS, start, end, **one)
            rolled = run(organization, question, sender.now + timedelta(hours=2))
            with monkeypatch.context() as patch:
                patch.setattr(keep, "is_current", lambda: False)
                plain = run(organization, question, sender.now + timedelta(hours=2))
            for key in METRICS:
                assert rolled[key].points == plain[key].points, (key, one)


def test_keeps_the_first_values_by_time_and_folds_the_rest(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*traffic(now))
    sender.digest()
    assert groups(sender, "sessions") == {"f0": 2, "f1": 2, "f2": 2, "(other)": 6, "(none)": 12}
    assert groups(sender, "mau") == {"f0": 2, "f1": 2, "f2": 2, "(other)": 5, "(none)": 5}
    assert set(groups(sender, "generations", "model")) == {"m0", "m1", "m2", "(other)"}
    assert sender.value("sessions", filters={"feature": ("(other)",)}).value == 6
    assert sender.value("sessions", filters={"feature": ("f7",)}).value == 1
    assert_rollups_and_facts_agree(sender, monkeypatch)


def test_of_values_seen_at_the_same_time_the_smaller_ones_are_kept(sender: Sender, now: datetime) -> None:
    sender.send(*(query(now, f"s{n}", feature=f"f{n}") for n in (5, 2, 4, 1, 3)))
    sender.digest()
    assert set(groups(sender, "sessions")) == {"f1", "f2", "f3", "(other)"}


def test_environments_are_folded_too_but_for_test(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*scattered(now))
    sender.digest()
    assert groups(sender, "sessions", "environment") == {"e0": 3, "e1": 3, "e2": 3, "(other)": 13}
    assert groups(sender, "new_users", "environment").keys() == {"e0", "e1", "e2", "(other)"}
    assert sender.value("sessions").value == 22
    for name, sessions in (("test", 2), ("(other)", 13), ("e7", 2), ("e1", 3)):
        assert sender.value("sessions", filters={"environment": (name,)}).value == sessions
    assert_rollups_and_facts_agree(sender, monkeypatch)


def test_another_environment_with_every_event_makes_no_further_rows(sender: Sender, now: datetime) -> None:
    def rows_of(first: int) -> int:
        at = now - timedelta(hours=12)
        sender.send(
            *(query(at + timedelta(seconds=n), "s", environment=f"e{n}") for n in range(first, first + 40))
        )
        sender.digest()
        with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
            tables = (
                "metrics_rollup",
                "metrics_rollupslots",
                "metrics_activeusers",
                "metrics_dimensionvalue",
            )
            cursor.execute(" UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables))
            return sum(count for (count,) in cursor.fetchall())

    assert rows_of(0) == rows_of(40)


def test_tells_of_it_in_the_answer(sender: Sender, now: datetime) -> None:
    sender.send(*traffic(now))
    sender.digest()
    start, end = days(now)
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        found = run(organization, Query(("sessions",), start, end, group_by=("feature",)), now)
        other = run(organization, Query(("sessions",), start, end, group_by=("channel",)), now)
    assert found["sessions"].notices == [
        "feature: only the 3 values that were seen first are kept apart; all others are in (other)."
    ]
    assert other["sessions"].notices == []


def test_a_late_event_displaces_a_value_without_a_wrong_number_in_between(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*traffic(now))
    sender.digest()
    sender.send(query(now - timedelta(hours=70), "late", feature="f6"))
    sender.digest()
    expected = {"f6": 2, "f0": 2, "f1": 2, "(other)": 7, "(none)": 12}
    with tenant(sender.provisioned.organization.id):
        assert not keep.is_current()
    assert groups(sender, "sessions") == expected
    keep.rebuild(sender.provisioned.organization.id)
    assert groups(sender, "sessions") == expected
    assert_rollups_and_facts_agree(sender, monkeypatch)


@pytest.mark.parametrize("events_of", [traffic, scattered])
def test_any_order_and_split_leaves_the_same_tables(
    make_organization: Callable[..., Any],
    now: datetime,
    events_of: Callable[[datetime], list[dict[str, Any]]],
) -> None:
    found = []
    for seed in range(3):
        sender = Sender(make_organization(), now)
        dice = random.Random(seed)
        events = dice.sample(events_of(now), 48) if seed else events_of(now)
        for first in range(0, len(events), 7):
            sender.send(*events[first : first + 7])
            sender.digest()
        organization_id = sender.provisioned.organization.id
        keep.rebuild(organization_id)
        found.append(normalized(tables(organization_id), sender.provisioned.project.id))
    assert found[0] == found[1] == found[2]


def test_a_withdrawn_batch_gives_its_places_back(sender: Sender, now: datetime) -> None:
    sender.send(*traffic(now))
    sender.digest()
    before = stored(sender)
    batch = sender.send(query(now - timedelta(hours=70), "late", feature="f9"))
    sender.digest()
    assert set(groups(sender, "sessions")) == {"f9", "f0", "f1", "(other)", "(none)"}
    with tenant(sender.provisioned.organization.id):
        ledger.withdraw(batch.batch_id)
    sender.digest()
    assert set(groups(sender, "sessions")) == {"f0", "f1", "f2", "(other)", "(none)"}
    keep.rebuild(sender.provisioned.organization.id)
    assert stored(sender) == before


def test_values_known_before_the_guard_are_found_when_rollups_are_built(
    sender: Sender, now: datetime
) -> None:
    sender.send(*traffic(now))
    sender.digest()
    before = stored(sender)
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM metrics_dimensionvalue")
        cursor.execute("UPDATE metrics_rollupstate SET version = 'old'")
    keep.rebuild(sender.provisioned.organization.id)
    assert stored(sender) == before
