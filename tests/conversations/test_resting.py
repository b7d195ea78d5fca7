"""When the digest leaves the machine to requests."""

from __future__ import annotations

from apps.conversations.digest import LONGEST_REST_S, rest_after


def test_rests_twice_as_long_as_a_round_took_while_a_burst_comes_in() -> None:
    assert rest_after(took_s=0.8, waited_s=0.5) == 1.6


def test_never_rests_long() -> None:
    assert rest_after(took_s=60, waited_s=0.5) == LONGEST_REST_S


def test_does_not_rest_while_events_have_waited_long() -> None:
    assert rest_after(took_s=0.8, waited_s=9) == 0
