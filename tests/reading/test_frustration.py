"""Frustration from facts: what a turn and a conversation must and must not score."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.reading.context import ReadTurn
from apps.reading.frustration import TurnScore, default_model, is_spiked, score_turns
from apps.reading.messages import ASSISTANT, USER, MessageFacts, read_message

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def talk(*lines: str, language: str | None = "en", gap_s: float | None = None) -> list[TurnScore | None]:
    """Scores of lines such as "u: hello" and "a: hi"; every message `gap_s` after the one before."""
    turns = []
    for number, line in enumerate(lines):
        role = USER if line.startswith("u: ") else ASSISTANT
        at = None if gap_s is None else START + timedelta(seconds=gap_s * number)
        turns.append(ReadTurn(role, read_message(line[3:], language, role=role, key=b"k"), at))
    return score_turns(turns)


def last(*lines: str, **options: Any) -> TurnScore:
    score = talk(*lines, **options)[-1]
    assert score is not None
    return score


def names(score: TurnScore) -> set[str]:
    return {one.name for one in score.signals}


@pytest.mark.parametrize(
    "text",
    [
        "No, that's not what I asked. I already told you it still doesn't work!",
        "This is ridiculous, I have been waiting for three weeks and nothing happened",
        "you are a useless bot",
        "I want to talk to a real human agent",
    ],
)
def test_explicit_words_make_a_first_message_frustrated(text: str) -> None:
    assert last(f"u: {text}").is_frustrated


@pytest.mark.parametrize(
    "text",
    [
        "Hi, could you tell me when my order arrives?",
        "Thanks a lot, that helped!",
        "no thanks, that is all",
        "I would like to cancel my subscription, please.",
        "ORDER ABC-1234 AND INVOICE INV_2231",
        "ok",
    ],
)
def test_calm_messages_stay_below_the_threshold(text: str) -> None:
    assert not last(f"u: {text}").is_frustrated


def test_repetition_raises_the_score_and_names_the_message_it_repeats() -> None:
    question = "where is my parcel with the red shoes"
    plain = last("u: hello", "a: hi", f"u: {question}")
    again = last(f"u: {question}", "a: hi", f"u: {question}?")
    assert again.frustration is not None
    assert plain.frustration is not None
    assert again.frustration > plain.frustration
    assert [one.evidence for one in again.signals if one.name == "repetition"] == ["repeats message 1"]


def test_a_first_message_is_not_frustrated_by_length_or_context() -> None:
    long_calm = (
        "i wonder whether the table near the window with the nice view over the river could be ours " * 4
    )
    assert not last("a: Sorry, I can not help with that.", f"u: {long_calm}").is_frustrated


def test_before_any_answer_there_is_nothing_to_reject() -> None:
    words = "I don't know how to change my address"
    assert "rejection" not in names(last(f"u: {words}"))
    assert not last(f"u: {words}").is_frustrated
    assert "rejection" in names(last("u: hello", "a: Please change it in your account.", f"u: {words}"))


def test_rapid_fire_counts_only_messages_sent_before_an_answer_came() -> None:
    waiting = last("u: one", "u: two", "u: three", gap_s=10)
    answered = last("u: one", "a: yes", "u: two", "a: yes", "u: three", gap_s=10)
    slow = last("u: one", "u: two", "u: three", gap_s=60)
    assert "rapid_fire" in names(waiting)
    assert "rapid_fire" not in names(answered) | names(slow)


def test_a_language_without_a_lexicon_is_unscored_and_not_zero() -> None:
    assert last("u: Non funziona, è inaccettabile!", language="it").frustration is None
    assert last("u: これは動きません。どうすればいいですか", language=None).frustration is None


def test_a_short_message_takes_the_language_of_its_conversation() -> None:
    assert (
        last("u: il mio ordine non è arrivato perché", "a: ok", "u: 12345", language=None).frustration is None
    )
    assert last("u: where is my order", "a: ok", "u: 12345", language=None).frustration is not None


def test_a_request_for_a_human_spikes_the_conversation() -> None:
    scores = talk("u: hello", "a: hi", "u: let me speak to an agent please")
    assert is_spiked(scores)
    assert not is_spiked(talk("u: hello", "a: hi", "u: thanks, great"))


def test_an_offset_and_a_threshold_calibrate_the_model() -> None:
    facts = read_message("it still does not work", "en")
    stricter = default_model().calibrated(threshold=0.99)
    lower = default_model().calibrated(offset=-2.0)
    turn = [ReadTurn(USER, facts)]
    plain, strict, moved = [
        score_turns(turn, model)[0] or TurnScore(None) for model in (None, stricter, lower)
    ]
    assert strict.frustration == plain.frustration
    assert not strict.is_frustrated
    assert (moved.frustration or 0) < (plain.frustration or 0)


def test_facts_survive_being_stored() -> None:
    facts = read_message("No! My e-mail jane@example.com still doesn't work, WHY NOT??", "en", key=b"k")
    stored = json.dumps(facts.packed(), separators=(",", ":"), ensure_ascii=False)
    assert MessageFacts.unpack(json.loads(stored)) == facts
    assert "jane" not in stored


def test_fingerprints_of_different_keys_are_not_comparable() -> None:
    one, two = (read_message("refund for the broken camera", "en", key=key) for key in (b"a", b"b"))
    assert one.fingerprint != two.fingerprint


def run_command(lines: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "manage.py", "score_turns"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
    )


def test_the_command_scores_dialogues_without_database_or_secret_key() -> None:
    dialogue = {
        "dialogue_id": "d1",
        "language": "en",
        "turns": [
            {"role": "user", "text": "this is not working at all", "timestamp": "2026-03-02T09:00:00Z"},
            {"role": "assistant", "text": "I'm sorry, I did not understand."},
            {"role": "user", "text": "get me a human agent", "timestamp": 1772442010},
        ],
    }
    done = run_command([json.dumps(dialogue), "", json.dumps({**dialogue, "language": "it"})])
    assert done.returncode == 0, done.stderr
    scored, unsupported = map(json.loads, done.stdout.splitlines())
    assert scored["dialogue_id"] == "d1"
    assert scored["spiked"] is True
    assert 0 < scored["turns"][0]["frustration"] < scored["turns"][2]["frustration"] < 1
    assert scored["turns"][2]["frustrated"] is True
    assert {"name", "evidence", "weight"} == set(scored["turns"][2]["signals"][0])
    assert "frustration" not in scored["turns"][1]
    assert unsupported["turns"][0]["frustration"] is None
    assert unsupported["turns"][0]["frustrated"] is False


def test_the_command_names_the_line_and_the_field_that_it_can_not_read() -> None:
    done = run_command(['{"turns":[{"role":"robot","text":"x"}]}'])
    assert done.returncode != 0
    assert "Line 1: turns[0].role: must be user or assistant." in done.stderr
