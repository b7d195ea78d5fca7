"""Personal data in 200 formats, and text that only looks like it."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from apps.reading.redaction import drop_text, redact, redact_value

HERE = Path(__file__).parent
LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zC0fR"
ALPHABETS = {"A": LETTERS, "D": "3141592653589793", "H": "9f86d081884c7d65", "U": "Q7ZK2M5PX8R4TVW3"}


def filled(text: str) -> str:
    """A line of the corpus with its placeholders as characters: whole keys would trip secret scanners."""
    return re.sub(r"\{([ADHU])(\d+)\}", lambda m: (ALPHABETS[m[1]] * 9)[: int(m[2])], text)


def corpus() -> list[tuple[str, str, str]]:
    lines = (HERE / "pii_corpus.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(kind, filled(value), filled(text)) for kind, value, text in rows]


def secret_part(kind: str, value: str) -> str:
    """What must be gone: of "password: x" only x, of a URL only the credentials."""
    if kind != "secret":
        return value
    found = re.search(r"(?:://|[:=] ?| is | )([^\s:/?&]{8,}:?[^\s:/?&@]*)(?=@|&|$)", value)
    return found[1] if found and not value.startswith("-----") else value


def test_recall_over_the_corpus_is_at_least_95_percent() -> None:
    rows = corpus()
    missed = defaultdict(list)
    for kind, value, text in rows:
        redacted, found = redact(text)
        if secret_part(kind, value) in redacted or not found:
            missed[kind].append(text)
    total = sum(map(len, missed.values()))
    assert len(rows) >= 200
    assert 1 - total / len(rows) >= 0.95, dict(missed)


@pytest.mark.parametrize("kind", ["email", "phone", "card", "iban", "secret"])
def test_no_kind_is_missed_more_than_one_time_in_ten(kind: str) -> None:
    rows = [row for row in corpus() if row[0] == kind]
    hits = sum(secret_part(kind, value) not in redact(text)[0] for _, value, text in rows)
    assert hits / len(rows) >= 0.9


@pytest.mark.parametrize("text", (HERE / "not_pii.txt").read_text(encoding="utf-8").splitlines())
def test_leaves_what_is_no_personal_data(text: str) -> None:
    assert redact(text) == (text, {})


def test_counts_kinds_and_keeps_no_values() -> None:
    text, found = redact("Mail jane@example.com or joe@example.com, card 4111 1111 1111 1111.")
    assert text == "Mail [email] or [email], card [card]."
    assert found == {"email": 2, "card": 1}


def test_redacting_twice_changes_nothing_more() -> None:
    for _, _, text in corpus():
        once = redact(text)[0]
        assert redact(once) == (once, {})


def test_redacts_every_string_inside_a_value_keys_too() -> None:
    value = {"jane@example.com": ["+49 30 901820", {"n": 5, "x": "fine"}]}
    assert redact_value(value) == {"[email]": ["[phone]", {"n": 5, "x": "fine"}]}
    assert drop_text({"a": "text", "b": [1, "text", {"c": "text", "d": None}]}) == {"b": [1, {"d": None}]}
