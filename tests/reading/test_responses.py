"""Citations against a table labelled by hand, sentences, refusals and formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.reading.citations import count_citations
from apps.reading.responses import ResponseFacts, read_response

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "cited_answers.jsonl").read_text(encoding="utf-8").splitlines()
]
MIN_AGREEMENT = 0.95


def counted(row: dict[str, Any]) -> tuple[int, int]:
    found = count_citations(row["text"], row["sources"], row["annotations"])
    return found.cited, found.total


def test_citations_agree_with_the_hand_labelled_answers() -> None:
    wrong = [(row["text"], counted(row)) for row in ROWS if counted(row) != (row["cited"], row["total"])]
    assert len(ROWS) >= 60
    assert 1 - len(wrong) / len(ROWS) >= MIN_AGREEMENT, wrong


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "As an AI language model, I cannot provide medical advice.",
        "I am not able to share that, it is against our policy.",
        "Es tut mir leid, dabei kann ich Ihnen nicht helfen.",
        "Lo siento, no puedo ayudarte con eso.",
        "Je suis désolé, je ne peux pas vous aider.",
        "Lamento, não posso ajudar com isso.",
    ],
)
def test_recognises_a_refusal(text: str) -> None:
    assert read_response(text).is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "You can help yourself by restarting the router.",
        "If you can not access your account, reset the password.",
        "Sure, here is the code you asked for.",
    ],
)
def test_an_ordinary_answer_is_no_refusal(text: str) -> None:
    assert not read_response(text).is_refusal


def test_reads_apology_and_clarifying_question() -> None:
    facts = read_response("I'm sorry about that. Could you tell me your order number?", "en")
    assert facts.has_apology
    assert facts.asks_to_clarify


@pytest.mark.parametrize(
    ("text", "expected_format", "is_valid"),
    [
        ('{"a": 1}', "json", True),
        ("[1, 2]", "json", True),
        ("[1, 2]", "json_object", False),
        ('```json\n{"a": 1}\n```', "json", False),
        ("[" * 100_000, "json", False),
        ("Hello", "json", False),
        ("Hello", "haiku", None),
        ("Hello", None, None),
    ],
)
def test_judges_the_expected_format(text: str, expected_format: str | None, is_valid: bool | None) -> None:
    assert read_response(text, expected_format=expected_format).is_format_valid is is_valid


def test_response_facts_survive_being_stored() -> None:
    facts = read_response("Refunds take 14 days [1].", "en", sources=["Refunds"], key=b"k")
    assert ResponseFacts.unpack(json.loads(json.dumps(facts.packed()))) == facts
