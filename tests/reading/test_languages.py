"""Which language a text is in, and that the lexicons other than the English one tell trouble from calm."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.reading.context import ReadTurn
from apps.reading.frustration import score_turns
from apps.reading.languages import short_code
from apps.reading.lexicons import END, LANGUAGES, lexicon
from apps.reading.messages import USER, read_message

LINES = (Path(__file__).parent / "labelled_turns.tsv").read_text(encoding="utf-8").splitlines()
TURNS = [(language, label == "1", text) for language, label, text in (line.split("\t") for line in LINES[1:])]


def score(text: str, language: str | None) -> tuple[float, bool]:
    found = score_turns([ReadTurn(USER, read_message(text, language))])[0]
    assert found is not None
    assert found.frustration is not None
    return found.frustration, found.is_frustrated


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_frustrated_turns_of_a_language_outrank_calm_ones(language: str) -> None:
    upset = [score(text, language)[0] for code, label, text in TURNS if code == language and label]
    calm = [score(text, language)[0] for code, label, text in TURNS if code == language and not label]
    wins = sum((a > b) + 0.5 * (a == b) for a in upset for b in calm)
    assert wins / (len(upset) * len(calm)) >= 0.95


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_the_threshold_separates_a_languages_turns(language: str) -> None:
    rows = [(score(text, language)[1], label, text) for code, label, text in TURNS if code == language]
    wrong = [(text, flag) for flag, label, text in rows if flag != label]
    assert len(wrong) <= 4, wrong


def test_detects_the_language_of_the_labelled_turns() -> None:
    detected = [(read_message(text).language, code, text) for code, _, text in TURNS]
    assert not [row for row in detected if row[0] not in (None, row[1])]
    assert sum(found == code for found, code, _ in detected) / len(detected) >= 0.8


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can't find the order that I placed last week", "en"),
        ("Non riesco a trovare il mio ordine, perché non è arrivato", "it"),
        ("Ik kan mijn bestelling niet vinden", "nl"),
        ("Nie mogę znaleźć zamówienia, proszę o pomoc", "pl"),
        ("Где мой заказ?", "ru"),
        ("注文が届きません", "ja"),
        ("我的订单在哪里", "zh"),
        ("أين طلبي", "ar"),
        ("주문이 어디에 있나요", "ko"),
        ("12345 ???", None),
        ("", None),
    ],
)
def test_detects_languages_with_and_without_a_lexicon(text: str, language: str | None) -> None:
    assert read_message(text).language == language


def test_the_callers_language_wins_over_the_detected_one() -> None:
    assert read_message("Das ist gut", "en-GB").language == "en"
    assert short_code("not a code") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_lexicon_holds_an_empty_entry(language: str) -> None:
    compiled = lexicon(language)
    assert all(END not in trie for trie in (compiled.user, compiled.start, compiled.assistant))
    assert "" not in compiled.whole
