"""The demo's traffic as it is generated, before it is sent."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from apps.dashboards.demo import calendar
from apps.dashboards.demo.traffic import MOST_EVENTS, anchor_hour, generate
from tests.demo.conftest import NOW


def days_ago(event: dict[str, Any]) -> int:
    return (NOW.date() - datetime.fromisoformat(event["timestamp"]).astimezone(NOW.tzinfo).date()).days


def test_is_the_same_for_the_same_hour_and_zone(traffic: list[dict[str, Any]]) -> None:
    assert generate(NOW + timedelta(minutes=19)) == traffic
    assert generate(NOW + timedelta(hours=1)) != traffic


def test_covers_60_days_up_to_the_present_hour_in_order(traffic: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(event["timestamp"]) for event in traffic]
    assert times == sorted(times)
    assert times[-1] == anchor_hour(NOW)
    assert times[0] == anchor_hour(NOW).replace(hour=0) - timedelta(days=60)


def test_has_unique_ids_and_at_most_100_000_events(traffic: list[dict[str, Any]]) -> None:
    assert len({event["id"] for event in traffic}) == len(traffic)
    assert 50_000 < len(traffic) <= MOST_EVENTS


def test_is_busier_on_weekdays_and_by_day(traffic: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(one["timestamp"]) for one in traffic if one["event"] == "llm_query_sent"]
    weekend = sum(at.weekday() >= 5 for at in times) / len(times)
    night = sum(at.hour < 6 for at in times) / len(times)
    assert weekend < 0.2
    assert night < 0.06


def test_the_bad_prompt_answers_without_sources_until_it_is_rolled_back(
    traffic: list[dict[str, Any]],
) -> None:
    cited, total = Counter[str](), Counter[str]()
    for event in traffic:
        if "total_sentences" in event:
            cited[event["prompt_version"]] += event["cited_sentences"]
            total[event["prompt_version"]] += event["total_sentences"]
    shares = {version: cited[version] / total[version] for version in total}
    assert shares.pop("v14") < 0.4
    assert min(shares.values()) > 0.7
    deployed = [(days_ago(one), one["version"]) for one in traffic if one.get("kind") == "prompt"]
    assert (20, "v14") in deployed
    assert (16, "v13") in deployed


def test_the_slow_tool_times_out_only_in_its_days(traffic: list[dict[str, Any]]) -> None:
    late = [event for event in traffic if event.get("timed_out")]
    assert {event["tool_name"] for event in late} == {"search_kb"}
    # A conversation begun before midnight may go on after it.
    assert {days_ago(event) for event in late} <= {*calendar.SLOW_TOOL_DAYS, min(calendar.SLOW_TOOL_DAYS) - 1}


def test_the_loop_calls_models_up_to_depth_6_on_one_day(traffic: list[dict[str, Any]]) -> None:
    assert {days_ago(event) for event in traffic if event["event"] == "model_call"} == {calendar.LOOP_DAY}
    assert max(event["depth"] for event in traffic if event["event"] == "agent_run") == 6
