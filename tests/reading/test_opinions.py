"""An opinion that was asked for is not a complaint; a complaint stays one whatever was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.reading.context import ReadTurn
from apps.reading.frustration import TurnScore, score_turns
from apps.reading.lexicons import LANGUAGES
from apps.reading.messages import ASSISTANT, CODES, USER, MessageFacts, read_message

LINES = (Path(__file__).parent / "opinion_turns.tsv").read_text(encoding="utf-8").splitlines()
TURNS = [tuple(line.split("\t")) for line in LINES[1:]]
DISLIKE = "I hated it, it was boring and the ending made no sense"


def talk(*texts: str, language: str | None = "en") -> TurnScore:
    """The score of the last of messages that user and assistant write in turn, the user last."""
    roles = [USER if (len(texts) - number) % 2 else ASSISTANT for number in range(len(texts))]
    turns = [
        ReadTurn(role, read_message(text, language, role=role, key=b"k"))
        for role, text in zip(roles, texts, strict=True)
    ]
    score = score_turns(turns)[-1]
    assert score is not None
    return score


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_stated", [True, False])
def test_tells_answers_from_complaints_in_every_language(language: str, is_stated: bool) -> None:
    rows = [row[1:] for row in TURNS if row[0] == language]
    stated = language if is_stated else None
    wrong = [row for row in rows if talk("ok", *row[1:], language=stated).is_frustrated != (row[0] == "1")]
    assert len(rows) >= 9
    assert len(wrong) <= 1, wrong


def test_the_same_words_are_a_complaint_where_no_opinion_was_asked_for() -> None:
    assert talk("ok", "Here is the result.", DISLIKE).is_frustrated
    assert not talk("ok", "What did you think of the film?", DISLIKE).is_frustrated


def test_what_an_opinion_explains_is_shown_with_its_evidence() -> None:
    shown = {one.name: one for one in talk("ok", "What did you think of the film?", DISLIKE).signals}
    assert shown["opinion_asked"].evidence == "did you think"
    assert shown["confusion"].evidence == "made no sense (as an opinion)"
    assert shown["confusion"].weight == pytest.approx(1.2 / 4)


def test_the_subject_stays_while_the_assistant_asks_on_and_ends_with_what_it_says() -> None:
    asked = ("ok", "What did you think of the film?", DISLIKE)
    assert not talk(*asked, "Why is that?", "It was stupid and really annoying to watch").is_frustrated
    other = talk(*asked, "Your table is booked.", "It was stupid and really annoying to watch")
    assert "opinion_asked" not in {one.name for one in other.signals}
    assert other.is_frustrated


def test_an_opinion_does_not_count_against_the_message_after_it() -> None:
    after = talk("ok", "What did you think of the film?", DISLIKE, "I see.", "Then let us talk about music")
    assert "upset_before" not in {one.name for one in after.signals}


@pytest.mark.parametrize(
    "question",
    [
        "How was our support today?",
        "Did you like my suggestion?",
        "I found a table at the Golden Fork. Do you like it?",
        "How do you feel about your visit?",
    ],
)
def test_dislike_of_the_assistants_own_work_is_no_mere_opinion(question: str) -> None:
    assert "opinion_question" not in read_message(question, "en", role=ASSISTANT).signals
    assert talk("ok", question, DISLIKE).is_frustrated


def test_a_comparison_weighs_as_a_correction_does_unless_a_preference_was_asked_for() -> None:
    told = "a chair instead of a lamp"
    plain = {one.name: one.weight for one in talk("ok", "Here it is.", told).signals}
    asked = {one.name: one.weight for one in talk("ok", "What do you prefer?", told).signals}
    assert plain["comparison"] == pytest.approx(1.5)
    assert asked["comparison"] == pytest.approx(1.5 / 4, abs=0.01)
    both = read_message("I already told you, a chair instead of a lamp", "en").signals
    assert "correction" in both
    assert "comparison" not in both


def test_facts_of_the_first_version_can_still_be_read() -> None:
    packed = [1, "en", 4, -46, 10, "", {"f": "not working", "c": "instead of"}]
    facts = MessageFacts.unpack(packed)
    assert facts.signals == {"failure": "not working", "correction": "instead of"}
    assert (facts.words, facts.sentiment, facts.negations) == (4, -0.46, 1)
    with pytest.raises(ValueError, match="version"):
        MessageFacts.unpack([99, *packed[1:]])


def test_no_two_signals_are_stored_under_one_letter() -> None:
    assert len(set(CODES.values())) == len(CODES)
