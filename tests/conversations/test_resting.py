"""When the digest leaves the machine to requests."""

from __future__ import annotations

from apps.conversations.digest import EVENTS_A_ROUND, LONGEST_REST_S, Round, rest_after


def test_rests_twice_as_long_as_a_full_round_took_while_a_burst_comes_in() -> None:
    assert rest_after(Round(EVENTS_A_ROUND, is_more=True, waited_s=0.5), took_s=0.8) == 1.6


def test_never_rests_long() -> None:
    assert rest_after(Round(EVENTS_A_ROUND, is_more=True, waited_s=0.5), took_s=60) == LONGEST_REST_S


def test_does_not_rest_after_a_round_that_was_not_full() -> None:
    assert rest_after(Round(EVENTS_A_ROUND - 1, is_more=True, waited_s=0.5), took_s=0.8) == 0


def test_does_not_rest_while_events_have_waited_long() -> None:
    assert rest_after(Round(EVENTS_A_ROUND, is_more=True, waited_s=9), took_s=0.8) == 0
