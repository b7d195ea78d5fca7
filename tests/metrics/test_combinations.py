"""What is asked for by several dimensions at once is followed: the same numbers, from rollups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.events import ledger
from apps.metrics import adding
from apps.metrics.catalogue import METRICS
from apps.metrics.query import Query
from apps.metrics.rollups import combinations, keep
from apps.metrics.series import run
from tests.conftest import Sender
from tests.metrics.test_rollups import rich_traffic, stored

BOTH = ("channel", "feature")


@pytest.fixture(autouse=True)
def _follow_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combinations, "FOLLOW_FROM_ROWS", 1)


def question(sender: Sender, key: str, **asked: Any) -> Query:
    asked = {"group_by": BOTH, "interval": "day", **asked}
    return Query(
        (key,), sender.now.date() - timedelta(days=4), sender.now.date() + timedelta(days=2), **asked
    )


def answer(sender: Sender, key: str, **asked: Any) -> list[Any]:
    with tenant(sender.provisioned.organization.id):
        query = question(sender, key, **asked)
        return run(Organization.objects.get(), query, sender.now + timedelta(hours=2))[key].points


def follow_both(sender: Sender) -> None:
    """Ask for the combination of every fact table, and let it be built."""
    for key in ("sessions", "generations", "tool_calls"):
        answer(sender, key)
    build(sender)
    assert len(states(sender)) == 3
    assert {state for _, _, state, _ in states(sender)} == {"infinity"}, states(sender)


def build(sender: Sender) -> None:
    """What the beat does for every organisation that lacks something."""
    organization_id = sender.provisioned.organization.id
    if organization_id in keep.stale_organizations():
        keep.rebuild(organization_id)
    keep.build_combinations(organization_id)


def is_unbuilt(sender: Sender) -> bool:
    return sender.provisioned.organization.id in combinations.organizations_with_unbuilt()


def states(sender: Sender) -> list[tuple[int, str, str, bool]]:
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, name, built_to::text, is_too_fine FROM metrics_combination ORDER BY source, name"
        )
        return list(cursor.fetchall())


def compare(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every metric by both dimensions, grouped and filtered, from rollups and from facts; how many rollups served."""
    forms: list[dict[str, Any]] = [
        {},
        {"interval": "total"},
        {"interval": "total", "rolling_days": 3},
        {"group_by": ("feature", "environment", "channel")},
        {"group_by": ("feature",), "filters": {"channel": ("web",)}},
        {"limit": 1},
        {"limit": 2, "group_by": ("feature",)},
        {"limit": 3, "interval": "week"},
        {"group_by": ("channel",), "filters": {"feature": ("search", "(none)"), "environment": ("test",)}},
    ]
    served = 0
    for metric in METRICS.values():
        if not {*BOTH, "environment"} <= set(metric.dimensions):
            continue
        for form in forms:
            rolled = answer(sender, metric.key, **form)
            with monkeypatch.context() as patch:
                patch.setattr(keep, "is_current", lambda: False)
                patch.setattr(adding, "note_combination", lambda *_: None)
                plain = answer(sender, metric.key, **form)
            assert rolled == plain, (metric.key, form)
        served += _is_served(sender, metric.key)
    return served


def _is_served(sender: Sender, key: str) -> bool:
    formula = METRICS[key].formula
    if formula.people() or not list(formula.parts()):
        return False
    with tenant(sender.provisioned.organization.id):
        piece = adding.Slice(
            [sender.now, sender.now], BOTH, {}, sender.now, [], [sender.now.date()], frozenset()
        )
        piece = replace(piece, combined=combinations.serving(BOTH))
        return all(adding.is_rolled(part, piece) for part in formula.parts())


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kathmandu"])
def test_a_followed_combination_answers_what_the_facts_answer(
    timezone: str, make_organization: Callable[..., Any], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(make_organization(timezone=timezone), now)
    events = rich_traffic(21, now)
    sender.send(*events[::3])
    sender.digest()
    follow_both(sender)
    # Sessions that reopen, late events, and a batch that is taken back.
    for start in (1, 2):
        batch = sender.send(*events[start::3])
        sender.digest()
    assert compare(sender, monkeypatch) > 40
    with tenant(sender.provisioned.organization.id):
        ledger.withdraw(batch.batch_id)
    sender.digest()
    assert compare(sender, monkeypatch) > 40


def test_events_that_come_while_it_is_built_are_counted_once(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = rich_traffic(22, now)
    sender.send(*events[::2])
    sender.digest()
    organization_id = sender.provisioned.organization.id
    for key in ("sessions", "generations", "tool_calls"):
        answer(sender, key)
    assert keep._build_day_of_combination(organization_id)
    assert is_unbuilt(sender)
    sender.send(*events[1::2])
    sender.digest()
    compare(sender, monkeypatch)
    build(sender)
    assert not is_unbuilt(sender)
    assert compare(sender, monkeypatch) > 40


def test_the_digest_leaves_the_tables_that_building_leaves(sender: Sender, now: datetime) -> None:
    events = rich_traffic(23, now)
    sender.send(*events[::2])
    sender.digest()
    follow_both(sender)
    sender.send(*events[1::2])
    sender.digest()
    before = stored(sender)
    with tenant(sender.provisioned.organization.id):
        combinations.begin_anew()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM metrics_rollup WHERE dimension LIKE '%%,%%'")
            cursor.execute("DELETE FROM metrics_rollupslots WHERE dimension LIKE '%%,%%'")
    build(sender)
    assert stored(sender) == before


def test_a_new_time_zone_and_a_rebuild_from_events_build_it_again(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*rich_traffic(24, now))
    sender.digest()
    follow_both(sender)
    with tenant(sender.provisioned.organization.id):
        rebuild()
    assert {state for _, _, state, _ in states(sender)} == {"-infinity"}
    build(sender)
    with tenant(sender.provisioned.organization.id):
        Organization.objects.update(timezone="Australia/Lord_Howe")
    compare(sender, monkeypatch)
    build(sender)
    assert compare(sender, monkeypatch) > 40


def test_a_wider_combination_answers_for_its_parts(sender: Sender, now: datetime) -> None:
    sender.send(*rich_traffic(25, now))
    sender.digest()
    answer(sender, "generations", group_by=("channel", "feature", "model"))
    build(sender)
    answer(sender, "generations")
    assert [name for _, name, _, _ in states(sender)] == ["channel,feature,model"]


def test_too_fine_a_combination_is_left_to_the_facts(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*rich_traffic(26, now))
    sender.digest()
    plain = answer(sender, "generations")
    monkeypatch.setattr(combinations, "MAX_ROWS_A_DAY", 1)
    build(sender)
    ((_, _, _, is_too_fine),) = states(sender)
    assert is_too_fine
    assert answer(sender, "generations") == plain
    assert not [row for row in stored(sender)["metrics_rollup"] if "channel,feature" in row]
    assert not is_unbuilt(sender)


def test_what_nobody_asks_for_any_more_makes_room(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(*rich_traffic(27, now))
    sender.digest()
    monkeypatch.setattr(combinations, "MAX_FOLLOWED", 1)
    answer(sender, "generations")
    build(sender)
    answer(sender, "sessions")
    assert [name for _, name, _, _ in states(sender)] == ["channel,feature"]
    with tenant(sender.provisioned.organization.id), connection.cursor() as cursor:
        cursor.execute("UPDATE metrics_combination SET asked_at = asked_at - interval '31 days'")
    answer(sender, "generations", group_by=("channel", "model"))
    assert [name for _, name, _, _ in states(sender)] == ["channel,model"]
    assert not [row for row in stored(sender)["metrics_rollup"] if "channel,feature" in row]


def test_few_rows_are_added_up_at_once(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combinations, "FOLLOW_FROM_ROWS", 100_000)
    sender.send(*rich_traffic(28, now))
    sender.digest()
    answer(sender, "generations")
    assert states(sender) == []
