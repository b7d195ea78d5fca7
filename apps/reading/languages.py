"""Which language a text is in: by script, then by the function words of Latin-script languages.

Cheap on purpose (a dictionary look-up a word). A text without any function word stays undetermined
(None) and takes the language of its conversation.
"""

from __future__ import annotations

import json
import re
from functools import cache
from operator import itemgetter

from apps.reading.lexicons import DATA

SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("uk", re.compile(r"[іїєґ]", re.I)),
    ("ru", re.compile(r"[а-яё]", re.I)),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("fa", re.compile(r"[پچژگ]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
NOT_LATIN = re.compile(r"[\u0370-\u1fff\u3040-\uffdc]")
ENOUGH = 0.9
MARGIN = 1.3


@cache
def _function_words() -> dict[str, tuple[str, ...]]:
    """Word → languages that use it as a function word."""
    found: dict[str, list[str]] = {}
    source = json.loads((DATA / "function_words.json").read_text(encoding="utf-8"))
    for language, words in source.items():
        for word in words.split():
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}


def short_code(language: str | None) -> str | None:
    """ "en-GB", "EN_us" → "en"; None for anything that is no language code."""
    code = (language or "").strip().lower().replace("_", "-").partition("-")[0]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def detect(cleaned: str, words: list[str]) -> str | None:
    """The language's code, or None where nothing decides. `words` as `raw_words` makes them."""
    if not cleaned.isascii() and NOT_LATIN.search(cleaned):
        for code, pattern in SCRIPTS:
            if pattern.search(cleaned):
                return code
    known = _function_words()
    scores: dict[str, float] = {}
    for word in words[:60]:
        languages = known.get(word)
        if languages:
            share = 1.0 / len(languages)
            for language in languages:
                scores[language] = scores.get(language, 0.0) + share
    return _clear_winner(scores)


def _clear_winner(scores: dict[str, float]) -> str | None:
    if not scores:
        return None
    (best, score), *others = sorted(scores.items(), key=itemgetter(1), reverse=True)[:2]
    is_clear = not others or score >= MARGIN * others[0][1]
    return best if score >= ENOUGH and is_clear else None
