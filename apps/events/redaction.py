"""Replacing personal data in text before it is stored: e-mail, phone, card, IBAN, keys and tokens.

Patterns are linear (no nested quantifiers) and a candidate counts only where its check digits fit:
Luhn for cards, mod 97 for IBANs. What was found is returned as counts by kind, never as values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

EMAIL = re.compile(r"[A-Za-z0-9_.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
PHONE = re.compile(r"(?<![\w.])(?:\+|00|\()?[0-9][0-9 ().\-/]{6,20}[0-9](?![\w])")
TOKEN = re.compile(
    r"\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abpr]|lmk|AKIA|ASIA|AIza|hf|npm|pypi)[-_]?[A-Za-z0-9_\-]{16,200}"
    r"|\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,4000}\.[A-Za-z0-9_-]{4,2000}"
    r"|(?i:\bbearer )[A-Za-z0-9._~+/-]{16,2000}=*"
)


def passes_luhn(digits: str) -> bool:
    total = 0
    for position, character in enumerate(reversed(digits)):
        number = int(character)
        if position % 2:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    return total % 10 == 0


def is_iban(candidate: str) -> bool:
    compact = candidate.replace(" ", "")
    if not 15 <= len(compact) <= 34:
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def is_card(candidate: str) -> bool:
    digits = re.sub(r"[ -]", "", candidate)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and passes_luhn(digits)


def is_phone(candidate: str) -> bool:
    """International or grouped numbers; a bare run of digits is an order number, not a phone."""
    digits = sum(character.isdigit() for character in candidate)
    if not 7 <= digits <= 15:
        return False
    if candidate.startswith(("+", "00", "(")):
        return True
    groups = re.findall(r"[0-9]+", candidate)
    is_date = len(groups) == 3 and (len(groups[0]) == 4 or len(groups[2]) == 4) and digits == 8
    return len(groups) >= 3 and not is_date and "." not in candidate.replace(". ", "")[:4]


def always(_: str) -> bool:
    return True


RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("secret", TOKEN, always),
    ("email", EMAIL, always),
    ("iban", IBAN, is_iban),
    ("card", CARD, is_card),
    ("phone", PHONE, is_phone),
)


def redact(text: str) -> tuple[str, Counter[str]]:
    """`text` with personal data replaced by `[kind]`, and how many of each kind were found."""
    found: Counter[str] = Counter()
    for kind, pattern, is_real in RULES:

        def replace(match: re.Match[str], kind: str = kind, is_real: Callable[[str], bool] = is_real) -> str:
            if not is_real(match.group()):
                return match.group()
            found[kind] += 1
            return f"[{kind}]"

        text = pattern.sub(replace, text)
    return text, found


def redact_value(value: Any) -> Any:
    """The same for every string (keys too) inside a JSON value."""
    if isinstance(value, str):
        return redact(value)[0]
    if isinstance(value, dict):
        return {redact(key)[0]: redact_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_value(item) for item in value]
    return value


def drop_text(value: Any) -> Any:
    """A JSON value without its strings: what may be stored of free properties in `drop` mode."""
    if isinstance(value, dict):
        return {key: drop_text(item) for key, item in value.items() if not isinstance(item, str)}
    if isinstance(value, list):
        return [drop_text(item) for item in value if not isinstance(item, str)]
    return value
