"""The demo's texts under the product's own detection: nothing else says who is annoyed."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

import pytest

from apps.dashboards.demo import calendar
from apps.dashboards.demo.script import VOICES
from apps.dashboards.demo.voices import Voice
from apps.dashboards.demo.voices.english import ENGLISH
from apps.reading.frustration import ReadTurn, TurnScore, is_spiked, resolve_languages, score_turns
from apps.reading.messages import ASSISTANT, USER, read_message
from apps.reading.redaction import redact

TEXTS = {"llm_query_sent": (USER, "query_text"), "llm_response_generated": (ASSISTANT, "response_text")}


class Session(NamedTuple):
    days_ago: int
    languages: list[str | None]
    turns: list[tuple[str, TurnScore]]


def annoyed(voice: Voice) -> list[str]:
    return [*voice.openings, *voice.complaints, *voice.repeats, *voice.demands]


def pattern(template: str) -> str:
    return re.escape(template).replace(r"\{n\}", r"\d{5}").replace(r"\{said\}", ".+")


ANNOYED = re.compile("|".join(pattern(text) for voice, _ in VOICES for text in annoyed(voice)))


@pytest.fixture(scope="module")
def sessions(traffic: list[dict[str, Any]]) -> list[Session]:
    """Every conversation of the demo, read as the product reads it."""
    messages: dict[str, list[dict[str, Any]]] = {}
    for event in traffic:
        if event["event"] in TEXTS:
            messages.setdefault(event["session_id"], []).append(event)
    return [read(name, events) for name, events in messages.items()]


def read(name: str, events: list[dict[str, Any]]) -> Session:
    said = [(role, event.get(field, "")) for event in events for role, field in [TEXTS[event["event"]]]]
    turns = [ReadTurn(role, read_message(text, role=role)) for role, text in said]
    scored = zip(said, score_turns(turns), strict=True)
    users = [(text, score) for (_, text), score in scored if score is not None]
    return Session(int(name[5:7]), resolve_languages(turns), users)


def test_no_event_says_who_is_frustrated_how_it_sounds_or_in_which_language(
    traffic: list[dict[str, Any]],
) -> None:
    assert not any({"frustrated", "sentiment", "language"} & event.keys() for event in traffic)


def test_annoyance_is_written_in_many_ways() -> None:
    english = annoyed(ENGLISH)
    assert len(set(english)) == len(english) >= 60


def test_most_annoyed_turns_are_found_and_hardly_a_calm_one(sessions: list[Session]) -> None:
    counts = Counter[tuple[bool, bool]]()
    for session in sessions:
        for text, score in session.turns:
            counts[bool(ANNOYED.fullmatch(text)), score.is_frustrated] += 1
    found, missed = counts[True, True], counts[True, False]
    assert found + missed > 1_000
    assert 0.9 < found / (found + missed) < 1.0
    assert counts[False, True] / (counts[False, True] + counts[False, False]) < 0.005


def test_every_turn_is_scored_in_three_languages(sessions: list[Session]) -> None:
    assert not [text for one in sessions for text, score in one.turns if score.frustration is None]
    languages = Counter(session.languages[0] for session in sessions)
    assert {language for session in sessions for language in session.languages} == {"en", "de", "es"}
    assert min(languages.values()) > 200


def test_the_bad_prompt_shows_in_what_people_write(sessions: list[Session]) -> None:
    spiked, whole = Counter[bool](), Counter[bool]()
    for session in sessions:
        is_bad = session.days_ago in calendar.BAD_PROMPT_DAYS
        whole[is_bad] += 1
        spiked[is_bad] += is_spiked(score for _, score in session.turns)
    ordinary, bad = spiked[False] / whole[False], spiked[True] / whole[True]
    assert 0.05 < ordinary < 0.12
    assert bad > 2 * ordinary


def test_the_texts_hold_nothing_that_is_redacted(traffic: list[dict[str, Any]]) -> None:
    texts = {event[field] for event in traffic for _, field in TEXTS.values() if field in event}
    assert {text for text in texts if redact(text)[0] != text} == set()
    assert max(map(len, texts)) < 160
