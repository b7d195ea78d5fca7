"""The read API: shapes, days of every zone, groups, refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.core.tenancy import tenant
from apps.core.time_buckets import edges
from apps.metrics.catalogue import METRICS
from apps.metrics.query import Query
from apps.pricing.models import CostSetting
from tests.conftest import Sender, query, response


def ask(made: Any, path: str, key: str = "read_key", **parameters: str) -> Any:
    client = Client(headers={"Authorization": f"Bearer {made.keys[key]}"})
    return client.get(
        f"/api/v1/{path}", {name.replace("__", "."): value for name, value in parameters.items()}
    )


def test_lists_the_catalogue(organization: Any) -> None:
    metrics = ask(organization, "metrics").json()["metrics"]
    assert [one["key"] for one in metrics] == list(METRICS)
    assert set(metrics[0]) == {
        "key", "title", "about", "lens", "unit", "direction", "dimensions", "definition_version", "target", "roles",
    }  # fmt: skip


def test_every_metric_answers_over_every_dimension(sender: Sender, now: datetime) -> None:
    sender.send(
        query(now, "s", user_id="u", frustrated=True), response(now, "s", model="gpt-4o", input_tokens=9)
    )
    sender.digest()
    dimensions = sorted({name for metric in METRICS.values() for name in metric.dimensions})
    for dimension in (None, *dimensions):
        able = [key for key, one in METRICS.items() if dimension is None or dimension in one.dimensions]
        for start in range(0, len(able), 40):
            keys = able[start : start + 40]
            for interval, length in (("total", 1), ("day", 31)):
                by = {"group_by": dimension} if dimension else {}
                answer = ask(
                    sender.provisioned, "metrics/query", metrics=",".join(keys), interval=interval, **by
                )
                assert answer.status_code == 200, (dimension, answer.content)
                found = answer.json()["metrics"]
                assert list(found) == keys
                if dimension is None:
                    assert {len(found[key]["points"]) for key in keys} == {length}


def test_money_is_a_string_with_nine_decimals(sender: Sender, now: datetime) -> None:
    sender.send(response(now, "s", cost_usd=0.0123, model="m"), response(now, "s", cost_usd=1e-9, model="m"))
    sender.digest()
    point = ask(sender.provisioned, "metrics/cost_total", interval="total").json()["points"][0]
    assert point["value"] == "0.012300001"
    each = ask(sender.provisioned, "metrics/cost_per_request", interval="total").json()["points"][0]
    assert Decimal(each["value"]) == Decimal("0.0061500005")
    assert each["numerator"] == "0.012300001"
    assert each["denominator"] == 2


@pytest.mark.parametrize(
    "zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "UTC"]
)
def test_a_day_is_the_organisations_day(
    make_organization: Callable[..., Any], now: datetime, zone: str
) -> None:
    made = make_organization(timezone=zone)
    sender = Sender(made, now)
    day = now.date() - timedelta(days=3)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    sender.send(query(midnight - timedelta(seconds=1), "before"), query(midnight, "first"))
    sender.digest()
    points = ask(made, "metrics/sessions").json()["points"]
    by_day = {point["start"]: point["value"] for point in points}
    assert by_day[midnight.astimezone(ZoneInfo(zone)).isoformat()] == 1
    assert sum(by_day.values()) == 2


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24),
        ("Asia/Kathmandu", date(2026, 4, 5), 24),
        ("America/Santiago", date(2026, 9, 6), 23),
    ],
)
def test_a_day_of_a_time_change_has_its_own_hours(zone: str, day: date, hours: int) -> None:
    found = edges(day, day + timedelta(days=1), "hour", ZoneInfo(zone))
    assert len(found) - 1 == hours
    assert found == sorted(set(found))


def test_groups_past_the_limit_become_other(sender: Sender, now: datetime) -> None:
    sender.send(*[query(now, f"s{number}", intent=f"i{number % 5}") for number in range(12)])
    sender.digest()
    points = ask(
        sender.provisioned, "metrics/sessions", group_by="intent", interval="total", limit="2"
    ).json()["points"]
    assert {point["group"]["intent"]: point["value"] for point in points} == {"i0": 3, "i1": 3, "(other)": 6}


def test_a_repeated_filter_means_or(sender: Sender, now: datetime) -> None:
    sender.send(*[query(now, f"s{number}", channel=f"c{number}") for number in range(4)])
    sender.digest()
    client = Client(headers={"Authorization": f"Bearer {sender.provisioned.keys['read_key']}"})
    answer = client.get("/api/v1/metrics/sessions?interval=total&filter.channel=c1&filter.channel=c2")
    assert answer.json()["points"][0]["value"] == 2


def test_test_traffic_counts_only_when_asked_for(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "real"))
    sender.send(query(now, "trial"), is_test=True)
    sender.digest()
    assert ask(sender.provisioned, "metrics/sessions", interval="total").json()["points"][0]["value"] == 1
    trial = ask(sender.provisioned, "metrics/sessions", interval="total", filter__environment="test").json()
    assert trial["points"][0]["value"] == 1


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("metrics/nope", {}, 404),
        ("metrics/sessions", {"group_by": "tool"}, 400),
        ("metrics/sessions", {"from": "yesterday"}, 400),
        ("metrics/sessions", {"from": "2020-01-01", "to": "2026-01-01"}, 422),
        ("metrics/sessions", {"from": "2026-02-01", "to": "2026-01-01"}, 422),
        ("metrics/sessions", {"limit": "1001"}, 422),
        ("metrics/sessions", {"interval": "minute"}, 400),
        ("metrics/sessions", {"what": "ever"}, 400),
        ("metrics/query", {}, 400),
        ("sessions/none", {}, 404),
    ],
)
def test_refuses_with_a_problem(
    organization: Any, path: str, parameters: dict[str, str], status: int
) -> None:
    answer = ask(organization, path, **parameters)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"]


def test_an_ingest_key_can_not_read(organization: Any) -> None:
    for path in ("metrics", "metrics/sessions", "sessions", "batches", "freshness", "cost-settings"):
        assert ask(organization, path, key="ingest_key").status_code == 403
        assert Client().get(f"/api/v1/{path}").status_code == 401


def test_a_cost_setting_changes_history_at_once(sender: Sender, now: datetime) -> None:
    sender.send(response(now - timedelta(days=2), "old", channel="web"), response(now, "new", channel="mail"))
    sender.digest()
    with tenant(sender.provisioned.organization.id):
        CostSetting(effective_from=now.date() - timedelta(days=1), cost_per_escalation=Decimal(20)).save()
    assert sender.value("deflection_value_total").value == Decimal(32)
    with tenant(sender.provisioned.organization.id):
        CostSetting(
            effective_from=now.date() - timedelta(days=9),
            channel="web",
            cost_per_escalation=Decimal(8),
            baseline_share=Decimal("0.5"),
        ).save()
    assert sender.value("deflection_value_total").value == Decimal(24)


def test_compares_with_the_period_before(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "a"), query(now, "b"), query(now - timedelta(days=21), "c"))
    sender.digest()
    point = sender.points("sessions", interval="total", compare=True)[0]
    assert (point.value, point.previous.value) == (2, 1)


def test_the_period_before_has_the_same_weekdays(sender: Sender, now: datetime) -> None:
    at = now - timedelta(days=35)
    sender.send(
        query(now, "a"), query(at, "b"), query(at - timedelta(days=1), "c"), query(at, "d"), historical=True
    )
    sender.digest()
    start = now.date() - timedelta(days=29)
    points = sender.points("sessions", compare=True, start=start)
    assert [(point.value, point.previous.value) for point in points[-2:]] == [(0, 1), (1, 2)]


def test_groups_are_compared_day_by_day_also_where_days_are_empty(sender: Sender, now: datetime) -> None:
    at = now - timedelta(days=7)
    sender.send(query(now, "a", channel="web"), query(at, "b", channel="web"))
    sender.send(query(at - timedelta(days=2), "c", channel="web"))
    sender.digest()
    start = now.date() - timedelta(days=6)
    (point,) = sender.points("sessions", compare=True, start=start, group_by=("channel",))
    assert (point.value, point.previous.value, point.previous.start.date()) == (1, 1, at.date())


def test_what_is_compared_with_what() -> None:
    def before(start: str, end: str, **asked: Any) -> tuple[str, str]:
        found = Query(("sessions",), date.fromisoformat(start), date.fromisoformat(end), **asked).previous()
        return found.start.isoformat(), found.end.isoformat()

    assert before("2026-11-02", "2026-11-09") == ("2026-10-26", "2026-11-02")
    assert before("2026-11-02", "2026-11-03") == ("2026-10-26", "2026-10-27")
    assert before("2026-10-10", "2026-11-09") == ("2026-09-05", "2026-10-05")
    assert before("2026-11-08", "2026-11-09", rolling_days=30) == ("2026-10-04", "2026-10-05")
    assert before("2026-09-01", "2026-11-01", interval="month") == ("2026-07-01", "2026-09-01")
    assert before("2026-09-02", "2026-10-02", interval="month") == ("2026-07-29", "2026-08-28")


def test_a_rolling_window_ends_with_the_points_day(sender: Sender, now: datetime) -> None:
    sender.send(*[query(now - timedelta(days=number), f"s{number}", user_id="u") for number in range(10)])
    sender.digest()
    points = sender.points("sessions", rolling_days=7)
    assert [point.value for point in points[-3:]] == [7, 7, 7]
    assert sender.points("dau")[-1].value == 1


def test_percentiles_are_nearest_rank_within_one_percent(sender: Sender, now: datetime) -> None:
    values = [1.5 * (number + 1) ** 2 for number in range(100)]
    sender.send(*[response(now, f"s{number}", latency_ms=value) for number, value in enumerate(values)])
    sender.digest()
    for key, rank in (("latency_p50", 50), ("latency_p90", 90), ("latency_p95", 95), ("latency_p99", 99)):
        assert sender.value(key).value == pytest.approx(sorted(values)[rank - 1], rel=0.01)


def test_tokens_are_exclusive_buckets(sender: Sender, now: datetime) -> None:
    tokens = {"input_tokens": 100, "output_tokens": 50, "cached_input_tokens": 40, "reasoning_tokens": 20}
    sender.send(
        response(now, "a", **tokens),
        response(now, "b", **tokens, token_convention="exclusive"),
        response(now, "c", tokens_used=7),
    )
    sender.digest()
    found = {
        key: sender.value(key).value
        for key in ("tokens_input", "tokens_output", "tokens_cached", "tokens_total")
    }
    assert found == {"tokens_input": 240, "tokens_output": 120, "tokens_cached": 80, "tokens_total": 367}


def test_inner_calls_add_to_the_response_that_they_serve(sender: Sender, now: datetime) -> None:
    call = {
        "event": "model_call",
        "session_id": "s",
        "model": "x",
        "input_tokens": 30,
        "cost_usd": 0.25,
        "status": "ok",
    }
    sender.send(
        {**call, "timestamp": now.isoformat()},
        response(now + timedelta(seconds=1), "s", model="y", input_tokens=10, cost_usd=0.5),
    )
    sender.digest()
    assert sender.value("generations").value == 2
    assert sender.value("tokens_per_request").value == 40
    assert sender.value("cost_per_request").value == Decimal("0.75")
    assert sender.value("cost_total").value == Decimal("0.75")


def test_an_unknown_model_is_unpriced_never_free(sender: Sender, now: datetime) -> None:
    sender.send(
        response(now, "a", model="no-such-model", input_tokens=10),
        response(now, "b", model="gpt-4o", input_tokens=10),
    )
    sender.digest()
    point = sender.value("cost_unpriced_share")
    assert (point.numerator, point.denominator) == (1, 2)


def test_token_counts_that_contradict_each_other_are_told(sender: Sender, now: datetime) -> None:
    sender.send(
        response(now, "a", model="gpt-4o", input_tokens=10, cached_input_tokens=30, output_tokens=1),
        response(now, "b", model="gpt-4o", input_tokens=10, output_tokens=1),
    )
    sender.digest()
    point = sender.value("usage_suspect_share")
    assert (point.numerator, point.denominator) == (1, 2)


def test_a_rating_moves_no_session_to_another_environment(sender: Sender, now: datetime) -> None:
    sender.send(
        response(now, "a", response_id="r", environment="staging"),
        {"event": "response_feedback", "timestamp": now.isoformat(), "response_id": "r", "session_id": "a",
         "feedback_type": "thumbs_up"},
    )  # fmt: skip
    sender.digest()
    points = sender.points("sessions", interval="total", group_by=("environment",))
    assert {point.group["environment"]: point.value for point in points} == {"staging": 1}


def test_agent_runs_are_root_runs_or_responses(make_organization: Callable[..., Any], now: datetime) -> None:
    plain, agents = Sender(make_organization(), now), Sender(make_organization(), now)
    plain.send(response(now, "a"), response(now, "b"))
    run = {"event": "agent_run", "timestamp": now.isoformat(), "session_id": "a", "agent_name": "x"}
    agents.send(response(now, "a"), {**run, "depth": 1}, {**run, "depth": 2}, {**run, "parent_id": "p"}, run)
    for one in (plain, agents):
        one.digest()
        assert one.value("agent_runs").value == 2
