"""Text as the readers see it: cleaned of what nobody said, split into plain lower-case words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Code, quoted lines, links, mail addresses, redaction marks, placeholders and identifiers are not speech.
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,400}`", re.S)
QUOTED = re.compile(r"^[ \t]*>.*$", re.M)
LINK = re.compile(r"(?:https?://|www\.)\S+")
MAIL = re.compile(r"\S+@\S+")
PLACEHOLDER = re.compile(r"\[[a-z_ ]{2,24}\]|\{\{[^{}\n]{1,60}\}\}|<[^<>\n]{1,60}>|#[A-Z][A-Z0-9_-]{1,30}#")
IDENTIFIER = re.compile(r"\b(?=\w*\d)[\w-]{3,}\b|\b\w+_\w+\b")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Any three like characters: six times as fast to look for as letters, which are replaced if there are any.
TRIPLED = re.compile(r"(.)\1\1")
STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
# Any word of two characters or more in ASCII capitals has two such neighbours.
CAPITALS = re.compile(r"[A-Z0-9]'?[A-Z]|[A-Z]'?[0-9]")
NOT_MERGED = frozenset(
    [
        "do",
        "does",
        "did",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "must",
        "might",
        "need",
        "am",
    ]
)
MAX_CHARACTERS = 4_000
MAX_WORDS = 400


def clean(text: str) -> str:
    """`text` without code, quotes, links and placeholders, apostrophes made plain; at most 4,000 characters."""
    text = text[:MAX_CHARACTERS]
    if "`" in text:
        text = CODE.sub(" ", text)
    if ">" in text:
        text = QUOTED.sub(" ", text)
    if "://" in text or "www." in text:
        text = LINK.sub(" ", text)
    if "@" in text:
        text = MAIL.sub(" ", text)
    if "[" in text or "{{" in text or "<" in text or "#" in text:
        text = PLACEHOLDER.sub(" ", text)
    if not text.isascii():
        text = text.replace("’", "'").replace("‘", "'").replace("`", "'")
    return text


def without_identifiers(text: str) -> str:
    """Cleaned text without order numbers, codes and file names, which are often written in capitals."""
    return IDENTIFIER.sub(" ", text)


def raw_words(cleaned: str) -> list[str]:
    """Lower-case words, apostrophes and accents kept; letters written three times or more are written once."""
    lowered = cleaned.lower()
    if TRIPLED.search(lowered):
        lowered = STRETCHED.sub(r"\1", lowered)
    return WORD.findall(lowered)[:MAX_WORDS]


@lru_cache(maxsize=1)
def _accents() -> dict[int, str]:
    """A translation of accented Latin letters to plain ones; German umlauts become two letters."""
    table = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss", ord("œ"): "oe", ord("æ"): "ae"}
    for code in range(0xC0, 0x250):
        plain = "".join(c for c in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(c))
        if code not in table and plain.isascii():
            table[code] = plain.lower()
    return table


def fold(words: list[str], *, splits_apostrophes: bool) -> list[str]:
    """Words as the lexicons spell them: without accents, "don't", "do not" and "dont" alike.

    French and its like (`splits_apostrophes`) write an apostrophe between two words: "j'ai" becomes two.
    """
    joined = " ".join(words)
    if not joined.isascii():
        table = _accents()
        words = [word.translate(table) for word in words]
    if splits_apostrophes:
        return " ".join(words).replace("'", " ").split()
    if "'" in joined:
        words = [word.replace("'", "") for word in words]
    return _merge_not(words) if "not" in words or "cannot" in words else words


def _merge_not(words: list[str]) -> list[str]:
    merged: list[str] = []
    for word in words:
        if word == "not" and merged and merged[-1] in NOT_MERGED:
            merged[-1] = {"can": "ca", "will": "wo"}.get(merged[-1], merged[-1]) + "nt"
        elif word == "cannot":
            merged.append("cant")
        else:
            merged.append(word)
    return merged


def count_shouted(cleaned: str) -> tuple[int, int]:
    """(words in capitals, words that could be) of two letters or more, identifiers left out; (0, 0) for none."""
    if cleaned.isascii() and not CAPITALS.search(cleaned):
        return 0, 0
    text = without_identifiers(cleaned)
    letters = [word for word in WORD.findall(text) if len(word) > 1]
    return sum(word.isupper() for word in letters), len(letters)
