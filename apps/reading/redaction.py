"""Replacing personal data in text before it is stored: e-mail, phone, card, IBAN, keys and tokens.

Patterns are linear (no nested quantifiers) and a candidate counts only where its check digits fit:
Luhn for cards, mod 97 for IBANs. What was found is returned as counts by kind, never as values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from apps.reading.secrets import NAMED_SECRET, SECRET, may_hold_secret, may_name_secret

EMAIL = re.compile(
    r"[\w.+%'-]{1,64}\s?(?:@|\[at\]|\(at\)|＠)\s?[\w-]{1,63}(?:(?:\.|\[dot\]|\(dot\))[\w-]{1,63}){1,8}"
    r"|[\w.+%'-]{1,64}@\[[0-9.]{7,15}\]",
    re.I,
)
IBAN = re.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
CARD = re.compile(r"(?<![0-9])[0-9](?:[ .\-–\u00a0]?[0-9]){12,18}(?![0-9])")
PHONE = re.compile(r"(?<![\w.,:/=#-])(?:\+|00|\()?[ ]?[0-9][0-9 ().\-/\u00a0\u2011–]{5,22}[0-9](?![\w-])")
DIGITS = re.compile(r"[0-9]+")
DATE = re.compile(
    r"(?:[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{2,4})\b"
)
ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
SEVEN_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){6}")
IBAN_HINT = re.compile(r"[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}")
CALLED = re.compile(
    r"(?:phone|mobile|cell|call|tel|fon|whatsapp|sms|text me|reach me|fax|móvil|telefon\w*|telefone|teléfono"
    r"|téléphone|portable|handy|rufen|llám\w+|ligue|appel\w+)\W{0,3}(?:\w+\W+){0,3}$",
    re.I,
)
Check = Callable[[re.Match[str]], bool]


def passes_luhn(digits: str) -> bool:
    total = 0
    for position, character in enumerate(reversed(digits)):
        number = int(character)
        if position % 2:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    return total % 10 == 0


def is_iban(match: re.Match[str]) -> bool:
    compact = re.sub(r"[ -]", "", match.group()).upper()
    if not 15 <= len(compact) <= 34:
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def is_card(match: re.Match[str]) -> bool:
    digits = "".join(DIGITS.findall(match.group()))
    # Card numbers begin with 2 to 6; one order number in ten passes Luhn by chance.
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and len(set(digits)) > 1 and passes_luhn(digits)


def is_phone(match: re.Match[str]) -> bool:
    """International or grouped numbers, or a bare run of digits that the words before call a phone.

    Any other bare run is an order number; dates, network addresses and amounts are not phones.
    """
    candidate = match.group()
    groups = DIGITS.findall(candidate)
    digits = sum(map(len, groups))
    if not 7 <= digits <= 15 or ADDRESS.fullmatch(candidate):
        return False
    is_five_pairs = [len(group) for group in groups] == [2] * 5
    if candidate.startswith(("+", "00", "(")) or (is_five_pairs and candidate.startswith("0")):
        return True
    if DATE.match(candidate):
        return False
    if digits < 13 and CALLED.search(match.string, max(0, match.start() - 60), match.start()):
        return True
    if candidate.startswith("0"):
        return digits >= 9 and (len(groups) >= 2 or digits in (10, 11))
    is_amount = set(groups[1:]) == {"000"}
    return len(groups) >= 3 and digits >= 8 and not is_amount and max(map(len, groups)) <= 5


def always(_: re.Match[str]) -> bool:
    return True


RULES: tuple[tuple[str, re.Pattern[str], Check], ...] = (
    ("secret", SECRET, always),
    ("email", EMAIL, always),
    ("iban", IBAN, is_iban),
    ("card", CARD, is_card),
    ("phone", PHONE, is_phone),
)


def redact(text: str) -> tuple[str, Counter[str]]:
    """`text` with personal data replaced by `[kind]`, and how many of each kind were found.

    Redacting twice changes nothing more.
    """
    found: Counter[str] = Counter()
    text, named = _redact_named(text)
    if named:
        found["secret"] = named
    for kind, pattern, is_real in RULES:
        if not _may_hold(kind, text):
            continue

        def replace(match: re.Match[str], kind: str = kind, is_real: Check = is_real) -> str:
            if not is_real(match):
                return match.group()
            found[kind] += 1
            return f"[{kind}]"

        text = pattern.sub(replace, text)
    return text, found


def _redact_named(text: str) -> tuple[str, int]:
    """Secrets that only the word before gives away: the word stays, as in "password: [secret]"."""
    if not may_name_secret(text):
        return text, 0
    return NAMED_SECRET.subn(r"\1[secret]", text)


def _may_hold(kind: str, text: str) -> bool:
    """A cheap look that spares most texts the patterns."""
    if kind == "email":
        return "@" in text or "at)" in text or "at]" in text or "＠" in text
    if kind == "secret":
        return may_hold_secret(text)
    if DIGITS.search(text) is None:
        return False
    return (IBAN_HINT if kind == "iban" else SEVEN_DIGITS).search(text) is not None


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
