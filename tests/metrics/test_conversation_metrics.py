"""The five conversation metrics from explicit facts, each rule by an example."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.conftest import Sender, query, response

MINUTE = timedelta(minutes=1)


def talk(
    at: datetime, session: str, flags: list[bool | None], user: str | None = None
) -> list[dict[str, object]]:
    """A session of one turn a flag, each answered."""
    events: list[dict[str, object]] = []
    for number, flag in enumerate(flags):
        asked = at + number * MINUTE
        more = {} if flag is None else {"frustrated": flag}
        events.append(query(asked, session, user_id=user, **more))
        events.append(
            response(asked + timedelta(seconds=5), session, user_id=user, response_id=f"{session}-{number}")
        )
    return events


def test_counts_spiked_sessions_among_those_with_a_scored_turn(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "calm", [False]), *talk(now, "spiked", [True]), *talk(now, "unscored", [None]))
    sender.digest()
    point = sender.value("frustration_spike_rate")
    assert (point.numerator, point.denominator, point.value) == (1, 2, 0.5)


def test_a_negative_rating_outranks_the_callers_calm_flag(sender: Sender, now: datetime) -> None:
    down = {"event": "response_feedback", "timestamp": (now + MINUTE).isoformat(), "response_id": "s-0"}
    sender.send(*talk(now, "s", [False]), {**down, "feedback_type": "thumbs_down"})
    sender.digest()
    assert sender.value("frustration_spike_rate").value == 1.0


def test_an_open_session_counts_only_once_it_is_idle(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "s", [True]))
    sender.digest()
    gap = timedelta(minutes=30, seconds=5)
    assert sender.value("frustration_spike_rate", at=now + gap - timedelta(seconds=1)).value is None
    assert sender.value("frustration_spike_rate", at=now + gap).value == 1.0


@pytest.mark.parametrize(("turns_after", "recovered"), [(3, 0), (4, 1)])
def test_recovers_with_four_further_turns(
    sender: Sender, now: datetime, turns_after: int, recovered: int
) -> None:
    sender.send(*talk(now, "s", [True] + [False] * turns_after))
    sender.digest()
    point = sender.value("recovery_rate")
    assert (point.numerator, point.denominator) == (recovered, 1)


def test_a_later_frustrated_turn_inside_the_window_is_the_same_spike(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "s", [True, True, False, True, True, False]))
    sender.digest()
    assert sender.value("recovery_rate").denominator == 2


def test_praise_after_the_message_recovers_a_spike(sender: Sender, now: datetime) -> None:
    up = {"event": "response_feedback", "timestamp": (now + MINUTE).isoformat(), "session_id": "s"}
    sender.send(*talk(now, "s", [True]), {**up, "feedback_type": "thumbs_up"})
    sender.digest()
    assert sender.value("recovery_rate").value == 1.0
    assert sender.value("frustration_spike_rate").value == 1.0


def test_averages_grounding_over_the_responses_where_it_is_expected(sender: Sender, now: datetime) -> None:
    sender.send(
        response(now, "a", grounding_expected=True, cited_sentences=3, total_sentences=4),
        response(now, "b", sources=[{"id": "kb-1"}], cited_sentences=1, total_sentences=4),
        response(now, "c", cited_sentences=0, total_sentences=4),
        response(now, "d", grounding_expected=True),
        response(now, "e", grounding_expected=True, cited_sentences=4, total_sentences=4, status="error"),
    )
    sender.digest()
    assert sender.value("grounding_score").value == 0.5
    assert sender.value("low_grounding_rate").value == 0.5
    assert sender.value("grounding_coverage").value == pytest.approx(2 / 3)


def test_weights_tokens_by_label(sender: Sender, now: datetime) -> None:
    tokens = {"input_tokens": 80, "output_tokens": 20}
    sender.send(
        query(now, "s"),
        response(now + MINUTE, "s", **tokens),
        query(now + 2 * MINUTE, "s", frustrated=True),
        response(now + 3 * MINUTE, "s", **tokens, resolution="follow_up"),
        query(now + 4 * MINUTE, "s"),
        response(now + 5 * MINUTE, "s", **tokens),
        response(now + 6 * MINUTE, "s"),
    )
    sender.digest()
    # unresolved (a frustrated turn follows), follow_up (sent), follow_up, and one without usage.
    point = sender.value("token_efficiency_index")
    assert (point.numerator, point.denominator, point.n) == (20 + 50 + 50, 300, 3)


def test_values_a_deflected_session_by_the_default_setting(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "s", [False]), response(now, "t", cost_usd=0.5))
    sender.digest()
    point = sender.value("deflection_value_total")
    assert point.value == Decimal("23.5")
    daily = sender.value("escalation_deflection_value")
    assert abs(daily.value - Decimal("23.5") / 30) < Decimal("1e-20")
    assert daily.denominator == 30


def test_a_human_reached_within_a_day_takes_the_deflection_back(sender: Sender, now: datetime) -> None:
    human = {"event": "handoff", "target": "human", "session_id": "second", "user_id": "ann"}
    later = now + timedelta(hours=23)
    sender.send(*talk(now - timedelta(days=1), "first", [False], "ann"))
    sender.digest()
    at = now + timedelta(days=2)
    assert sender.value("deflection_rate", at=at).value == 1.0
    sender.send(
        *talk(later - timedelta(days=1), "second", [False], "ann"),
        {**human, "timestamp": (later - timedelta(days=1)).isoformat()},
    )
    sender.digest()
    assert sender.value("deflection_rate", at=at).numerator == 0
    assert sender.value("escalation_rate", at=at).numerator == 1


def test_a_return_within_a_day_makes_a_contained_session_unresolved(sender: Sender, now: datetime) -> None:
    before = now - timedelta(days=2)
    sender.send(*talk(before, "first", [None], "bob"))
    sender.digest()
    at = now + timedelta(days=1)
    assert sender.value("contained_rate", at=at).value == 1.0
    sender.send(*talk(before + timedelta(hours=20), "second", [None], "bob"))
    sender.digest()
    assert sender.value("contained_rate", at=at).numerator == 1
    assert sender.value("contained_rate", at=at).denominator == 2


def test_events_without_a_session_join_the_nearest_earlier_one(sender: Sender, now: datetime) -> None:
    half = timedelta(minutes=29)
    sender.send(
        {"event": "llm_query_sent", "timestamp": now.isoformat(), "user_id": "eve"},
        {"event": "llm_response_generated", "timestamp": (now + half).isoformat(), "user_id": "eve"},
        {
            "event": "llm_query_sent",
            "timestamp": (now + half + timedelta(minutes=30)).isoformat(),
            "user_id": "eve",
        },
    )
    sender.digest()
    assert sender.value("sessions").value == 2
    # A late event closes the gap: the two become one.
    sender.send(
        {
            "event": "llm_query_sent",
            "timestamp": (now + half + timedelta(minutes=15)).isoformat(),
            "user_id": "eve",
        }
    )
    sender.digest()
    assert sender.value("sessions").value == 1


def test_a_rating_that_arrives_before_its_response_counts(sender: Sender, now: datetime) -> None:
    sender.send(
        {
            "event": "response_feedback",
            "timestamp": (now + MINUTE).isoformat(),
            "response_id": "s-0",
            "feedback_type": "thumbs_down",
        }
    )
    sender.digest()
    sender.send(*talk(now, "s", [None]))
    sender.digest()
    assert sender.value("frustration_spike_rate").value == 1.0
