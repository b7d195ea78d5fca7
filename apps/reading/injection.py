"""Messages that try to take an assistant's instructions from it.

The patterns (`data/injection.json`) are those of published jailbreak prompts: overriding instructions,
a persona without rules, asking for the system prompt, forged turn marks. They find the known English ways,
not every new one.
"""

from __future__ import annotations

import json
import re

from apps.reading.lexicons import DATA
from apps.reading.words import WORD

_SOURCE = json.loads((DATA / "injection.json").read_text(encoding="utf-8"))
PATTERNS = {name: re.compile("|".join(listed), re.I | re.S) for name, listed in _SOURCE["patterns"].items()}
HINT_LETTERS = 6
LONG_CHARACTERS = 300
MAX_CHARACTERS = 8_000
# One of the others in a short message is no attack: a persona may be a game.
STRONG = frozenset({"named", "prompt_leak", "turn_marks", "override"})


def _hints() -> tuple[dict[str, tuple[str, ...]], tuple[tuple[str, str], ...]]:
    """Beginnings of words → the patterns that they hint at; (phrase, pattern) for the other hints."""
    words: dict[str, tuple[str, ...]] = {}
    phrases: list[tuple[str, str]] = []
    for name, hints in _SOURCE["hints"].items():
        for hint in hints:
            if hint.isalpha() and len(hint) <= HINT_LETTERS:
                words[hint] = (*words.get(hint, ()), name)
            else:
                phrases.append((hint, name))
    return words, tuple(phrases)


HINT_WORDS, HINT_PHRASES = _hints()


def find_injection(text: str, words: list[str] | None = None) -> list[str]:
    """Names of the patterns that a prompt injection shows; empty where it shows none or too little.

    A strong pattern is enough; of the others it takes two, or one in a long message. `words` are those of
    the text in lower case, where the caller has them.
    """
    text = text[:MAX_CHARACTERS]
    lowered = text.lower()
    # A pattern without a hint in the text can not match: a cheap look that spares most messages them all.
    begun = {word[:HINT_LETTERS] for word in (WORD.findall(lowered) if words is None else words)}
    hinted = {name for begins in HINT_WORDS.keys() & begun for name in HINT_WORDS[begins]}
    hinted.update(name for phrase, name in HINT_PHRASES if phrase in lowered)
    if not hinted:
        return []
    found = [name for name, pattern in PATTERNS.items() if name in hinted and pattern.search(text)]
    is_enough = len(found) >= 2 or len(text) > LONG_CHARACTERS or not STRONG.isdisjoint(found)
    return found if is_enough else []
