"""Messages that try to take an assistant's instructions from it.

The patterns (`data/injection.json`) are those of published jailbreak prompts: overriding instructions,
a persona without rules, asking for the system prompt, forged turn marks. They find the known English ways,
not every new one.
"""

from __future__ import annotations

import json
import re

from apps.reading.lexicons import DATA

_SOURCE = json.loads((DATA / "injection.json").read_text(encoding="utf-8"))
# A text with none of these words shows no pattern: a cheap look that spares most messages the patterns.
HINTS = tuple(hint.replace("_", " ") for hint in _SOURCE["hints"])
PATTERNS = {name: re.compile("|".join(listed), re.I | re.S) for name, listed in _SOURCE["patterns"].items()}
LONG_CHARACTERS = 300
MAX_CHARACTERS = 8_000
# One of the others in a short message is no attack: a persona may be a game.
STRONG = frozenset({"named", "prompt_leak", "turn_marks", "override"})


def find_injection(text: str) -> list[str]:
    """Names of the patterns that a prompt injection shows; empty where it shows none or too little.

    A strong pattern is enough; of the others it takes two, or one in a long message.
    """
    text = text[:MAX_CHARACTERS]
    lowered = text.lower()
    if not any(map(lowered.__contains__, HINTS)):
        return []
    found = [name for name, pattern in PATTERNS.items() if pattern.search(text)]
    is_enough = len(found) >= 2 or len(text) > LONG_CHARACTERS or not STRONG.isdisjoint(found)
    return found if is_enough else []
