"""Every number equals a plain calculation over the raw events, whatever the zone and the order of arrival."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from apps.accounts.models import Organization
from apps.conversations import sealing
from apps.conversations.sealing import seal_organization
from apps.core.tenancy import tenant
from apps.metrics.catalogue import METRICS
from apps.metrics.query import MAX_METRICS, Query
from apps.metrics.series import run
from apps.pricing.models import CostSetting
from tests.conftest import Sender
from tests.metrics.conversations import DAY, HOUR, change_of_the_clock, conversations
from tests.metrics.oracle import PERCENTILES, RULES, Oracle, Setting
from tests.metrics.oracle_sessions import at
from tests.metrics.test_order_of_arrival import normalized, tables
from tests.metrics.test_rollups import active_users

ZONES = [
    ("UTC", 0),
    ("Asia/Kolkata", 0),
    ("Asia/Kathmandu", 0),
    ("Australia/Lord_Howe", 0),
    ("Australia/Lord_Howe", 1),
    ("America/New_York", 0),
    ("America/New_York", 1),
]
HOURLY = ("sessions", "error_rate", "cost_total", "latency_p95", "completion_rate")
KEYS = (*RULES, *PERCENTILES)
# Without shrinking, which takes minutes where an example takes a second: a failure shows its events.
EXAMPLES = settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(autouse=True)
def _seal_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "FEWEST", 1)
    monkeypatch.setattr(sealing, "EVENTS_A_SLAB", 20)


def settings_of(middle: date) -> list[Setting]:
    return [
        Setting(middle, Decimal("8.5")),
        Setting(middle + timedelta(days=1), Decimal("9.75"), "web"),
        Setting(middle + timedelta(days=1), Decimal("10")),
    ]


def receive_in_order(made: Any, events: list[dict[str, Any]], now: datetime) -> Sender:
    sender = Sender(made, now)
    sender.send(*events, historical=True)
    sender.digest()
    return sender


def receive_in_disorder(
    made: Any, events: list[dict[str, Any]], now: datetime, dice: random.Random
) -> Sender:
    """Shuffled, in batches of any size, some twice, with digests in between: late events and reopened sessions, some
    of them sealed."""
    sender = Sender(made, now)
    shuffled = dice.sample(events, len(events))
    while shuffled:
        size = dice.choice([1, 3, 9, 30])
        batch, shuffled = shuffled[:size], shuffled[size:]
        sender.send(*batch, *batch[: dice.choice([0, 2])], historical=True)
        if dice.random() < 0.4:
            sender.digest()
            if dice.random() < 0.5:
                seal_organization(made.organization.id, now + 60 * DAY)
        if dice.random() < 0.3:
            sender.send(*dice.sample(events, min(len(events), size)), historical=True)
    sender.send(*events[:3], historical=True)
    sender.digest()
    return sender


def stored(sender: Sender) -> dict[str, list[str]]:
    made = sender.provisioned
    found = normalized(tables(made.organization.id), made.project.id)
    with tenant(made.organization.id), connection.cursor() as cursor:
        found["users"] = sorted(re.sub(r", \d+, (?='\w+'\])", ", ", row) for row in active_users(cursor))
    return found


def assert_equal(
    sender: Sender, oracle: Oracle, middle: date, interval: Any, later: int = 0, **options: Any
) -> None:
    """Every metric over the days around the traffic, and some later, against the oracle."""
    start, end = middle - timedelta(days=3), middle + timedelta(days=5 + later)
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        for first in range(0, len(KEYS), MAX_METRICS):
            query = Query(KEYS[first : first + MAX_METRICS], start, end, interval, **options)
            for key, series in run(organization, query, oracle.now).items():
                days = METRICS[key].formula.window_days()
                for number, point in enumerate(series.points):
                    begin = oracle.midnight(start + timedelta(days=number))
                    last = end if interval == "total" else start + timedelta(days=number + 1)
                    if days:
                        begin = oracle.midnight(last - timedelta(days=days))
                    assert_point(key, point, oracle, begin, oracle.midnight(last))


def assert_hours_equal(sender: Sender, oracle: Oracle, day: date) -> None:
    """The hours of a local day, of which one holds the half hour that Lord Howe gains or loses."""
    start, end = oracle.midnight(day), oracle.midnight(day + timedelta(days=1))
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        query = Query(HOURLY, day, day + timedelta(days=1), "hour")
        for key, series in run(organization, query, oracle.now).items():
            starts = [point.start.astimezone(UTC) for point in series.points]
            assert starts[0] == start
            assert len(starts) == (end - start) // HOUR
            for point, begin, last in zip(series.points, starts, [*starts[1:], end], strict=True):
                assert_point(key, point, oracle, begin, last)


def assert_point(key: str, point: Any, oracle: Oracle, start: datetime, end: datetime) -> None:
    where = f"{key} from {start} to {end}: {point}"
    if key in PERCENTILES:
        wanted = oracle.percentile(key, start, end)
        assert point.value == (None if wanted is None else pytest.approx(wanted, rel=0.01)), where
        return
    numerator, denominator = oracle.value(key, start, end)
    if isinstance(numerator, (Decimal, int)):
        assert point.numerator == numerator, (where, numerator)
    else:
        assert point.numerator == pytest.approx(numerator, rel=1e-12), where
    if denominator is None:
        assert point.value == numerator, where
    elif denominator == 0:
        assert point.value is None, where
    else:
        assert point.denominator == denominator, (where, denominator)
        assert float(point.value) == pytest.approx(float(numerator) / denominator, rel=1e-12), where


@pytest.mark.parametrize(("name", "change"), ZONES)
def test_numbers_and_tables_are_those_of_the_events_whatever_their_order(
    name: str, change: int, make_organization: Callable[..., Any], now: datetime
) -> None:
    zone = ZoneInfo(name)
    middle = change_of_the_clock(zone, now, change)

    @EXAMPLES
    @given(
        events=conversations(zone, middle),
        seed=st.integers(0, 2**32),
        wait=st.sampled_from([timedelta(0), timedelta(minutes=30), 2 * DAY]),
    )
    def check(events: list[dict[str, Any]], seed: int, wait: timedelta) -> None:
        if not events:
            return
        note("\n".join(map(repr, events)))
        ordered, disordered = make_organization(timezone=name), make_organization(timezone=name)
        one = receive_in_order(ordered, events, now)
        other = receive_in_disorder(disordered, events, now, random.Random(seed))
        assert stored(one) == stored(other)
        asked_at = max(at(event) for event in events) + wait
        costs = settings_of(middle)
        with tenant(disordered.organization.id):
            for cost in costs:
                CostSetting.objects.create(
                    effective_from=cost.day, cost_per_escalation=cost.value, channel=cost.channel
                )
        oracle = Oracle(events, zone, asked_at, costs)
        assert_equal(other, oracle, middle, "day")
        assert_equal(other, oracle, middle, "total", later=27)
        assert_hours_equal(other, oracle, middle)
        web = Oracle(events, zone, asked_at, costs, "web")
        assert_equal(other, web, middle, "total", filters={"channel": ("web",)})

    check()
