"""One message read alone: its language and compact facts, which may be stored where text may not.

Facts hold no words of the user's own: evidence is always an entry of the reviewed lexicons.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from math import sqrt
from typing import Any

from apps.reading.fingerprints import fingerprint
from apps.reading.injection import find_injection
from apps.reading.languages import detect, short_code
from apps.reading.lexicons import (
    LANGUAGES,
    SPLITTING,
    Hit,
    Lexicon,
    is_supported,
    lexicon,
    match_all,
    match_at,
    match_pair,
)
from apps.reading.words import MAX_WORDS, clean, count_shouted, fold, raw_words

READING_VERSION = 2
# What `unpack` reads. Facts of version 1 differ only in lacking `addressed`, `comparison`,
# `opinion_question` and `asks_on`; a comparison is among their corrections.
READABLE = frozenset({1, READING_VERSION})
USER, ASSISTANT = "user", "assistant"
# How the signals are stored: one letter each. Letters are for ever; new signals get new ones.
CODES = {
    "failure": "f",
    "correction": "c",
    "rejection": "r",
    "confusion": "q",
    "doubt": "d",
    "impatience": "i",
    "annoyance": "a",
    "outrage": "o",
    "insult": "b",
    "profanity": "p",
    "giving_up": "g",
    "accusation": "u",
    "addressed": "v",
    "comparison": "k",
    "human_request": "h",
    "gratitude": "t",
    "acceptance": "y",
    "closing": "x",
    "greeting": "e",
    "request": "w",
    "question": "?",
    "shouting": "!",
    "emphasis": "z",
    "emoji": "j",
    "injection": "I",
    "apology": "A",
    "unable": "U",
    "not_understood": "N",
    "refusal": "R",
    "human_offer": "H",
    "clarifying": "C",
    "opinion_question": "O",
    "asks_on": "W",
}
NAMES = {code: name for name, code in CODES.items()}
# What a guardrail would call it.
HARMS = {CODES["injection"]: "prompt_injection", CODES["insult"]: "toxicity", CODES["profanity"]: "toxicity"}
UPSET = frozenset("😠😡🤬😤😒🙄😞😣😖😫😩😭😢☹🙁👎💩🤦😑😕")
PLEASED = frozenset("😀😁😃😄😊🙂😍🤩👍🙏❤🎉😂🥰😎")
# In answers: the service itself, or what the assistant offers. Dislike of that is dislike of its work.
OWN_WORK = "own_work"
EVIDENCE_CHARACTERS = 24
NEGATION_REACH = 3
NEGATION_FACTOR = -0.74  # Hutto & Gilbert 2014, VADER
BOOST = 1.29
FACE = 1.5
NORMALISER = 15.0  # VADER's alpha: sum ÷ √(sum² + 15)


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What one message says by itself.

    `language` None means undetermined: it takes the conversation's. `sentiment` is -1..1 and 0 where
    nothing was found. `signals` maps signal names to the lexicon entry that was found.
    """

    language: str | None
    words: int
    sentiment: float
    signals: dict[str, str]
    negations: int = 0
    contrasts: int = 0
    fingerprint: bytes = b""

    def packed(self) -> list[Any]:
        """A small JSON value; `unpack` is its inverse."""
        return [
            READING_VERSION,
            self.language,
            self.words,
            round(self.sentiment * 100),
            self.negations * 10 + self.contrasts,
            b64encode(self.fingerprint).decode().rstrip("="),
            {CODES[name]: evidence for name, evidence in self.signals.items()},
        ]

    @classmethod
    def unpack(cls, packed: list[Any]) -> MessageFacts:
        """Raises ValueError for a form that this version does not know."""
        if len(packed) != 7 or packed[0] not in READABLE:
            raise ValueError(f"message facts: version {packed[:1]} is none of {sorted(READABLE)}")
        _, language, words, sentiment, counts, print_, signals = packed
        return cls(
            language=language,
            words=words,
            sentiment=sentiment / 100,
            signals={NAMES[code]: evidence for code, evidence in signals.items()},
            negations=counts // 10,
            contrasts=counts % 10,
            fingerprint=b64decode(print_ + "=" * (-len(print_) % 4)),
        )


def harms_of(packed: list[Any]) -> set[str]:
    """The guardrail categories that packed facts show, without unpacking them."""
    return {HARMS[code] for code in packed[-1] if code in HARMS}


def read_message(
    text: str, language: str | None = None, *, role: str = USER, key: bytes = b""
) -> MessageFacts:
    """Facts of one message, 20-60 µs.

    `language` is the caller's and wins; without it the language is detected. Where nothing decides it,
    every lexicon is read: a text that short means the same under each. `key` keys the fingerprint.
    """
    cleaned = clean(text)
    raw = raw_words(cleaned)
    # Answers are often in another language than the caller's field, which describes the user.
    stated = short_code(language)
    code = (stated if role == USER else None) or detect(cleaned, raw) or stated
    signals = _form(cleaned) if role == USER else _asks(cleaned)
    if role == USER:
        _add_injection(signals, text, cleaned, raw)
    if code is not None and not is_supported(code):
        return MessageFacts(code, len(raw), 0.0, signals, fingerprint=fingerprint(raw, key))
    words = fold(raw, splits_apostrophes=code in SPLITTING)
    lexicons = [lexicon(one) for one in ([code] if code else LANGUAGES)]
    for lexicon_ in lexicons:
        hits = find_user_signals(lexicon_, words) if role == USER else match_all(lexicon_.assistant, words)
        for signal, entry in hits:
            signals.setdefault(signal, entry[:EVIDENCE_CHARACTERS])
    if "correction" in signals:
        signals.pop("comparison", None)
    if signals.pop(OWN_WORK, None):
        signals.pop("opinion_question", None)
    stop_words = lexicons[0].stop_words
    return MessageFacts(
        language=code,
        words=len(raw),
        sentiment=sentiment(lexicons, words, cleaned) if role == USER else 0.0,
        signals=signals,
        negations=_count(words, [one.negators for one in lexicons]),
        contrasts=_count(words, [one.contrast for one in lexicons]),
        fingerprint=fingerprint((word for word in words if word not in stop_words), key),
    )


def _add_injection(signals: dict[str, str], text: str, cleaned: str, raw: list[str]) -> None:
    # What cleaning took away, and what stands behind the last word that is read, is looked at here.
    is_whole = cleaned == text and len(raw) < MAX_WORDS
    found = find_injection(text, raw if is_whole else None)
    if found:
        signals["injection"] = found[0]


def find_user_signals(lexicon_: Lexicon, words: list[str]) -> list[Hit]:
    """Every lexical signal of a user's message, each with the entry that was found."""
    hits: list[Hit] = []
    whole = lexicon_.whole.get(" ".join(words)) if len(words) <= 4 else None
    if whole:
        hits.append((whole, " ".join(words)))
    hits.extend(_opening(lexicon_, words))
    hits.extend(match_all(lexicon_.user, words))
    for pair in lexicon_.pairs:
        found = match_pair(pair, words)
        if found:
            hits.append((pair.signal, found))
    if words and words[0] in lexicon_.question_words:
        hits.append(("question", words[0]))
    return hits


def _opening(lexicon_: Lexicon, words: list[str]) -> list[Hit]:
    """How the message begins, after fillers: the longest entry decides ("no" but "no thanks")."""
    position = 0
    while position < min(3, len(words) - 1) and words[position] in lexicon_.fillers:
        position += 1
    longest: Hit | None = None
    for hit in match_at(lexicon_.start, words, position):
        if longest is None or len(hit[1]) > len(longest[1]):
            longest = hit
    return [longest] if longest else []


def sentiment(lexicons: list[Lexicon], words: list[str], cleaned: str) -> float:
    """Graded sentiment -1..1, by VADER's rules: valence, negation before, boosters, "but" turns the weight."""
    total = 0.0
    for lexicon_ in lexicons:
        valence = lexicon_.valence
        for position in [position for position, word in enumerate(words) if word in valence]:
            value = valence[words[position]]
            before = words[max(0, position - NEGATION_REACH) : position]
            if before and before[-1] in lexicon_.boosters:
                value *= BOOST
            if _is_negated(lexicon_, before):
                value *= NEGATION_FACTOR
            total += value
    if not cleaned.isascii():
        total += sum((c in PLEASED) - (c in UPSET) for c in cleaned if c > "\u2000") * FACE
    if ":(" in cleaned or ":-(" in cleaned:
        total -= 1.9
    return total / sqrt(total * total + NORMALISER)


def _is_negated(lexicon_: Lexicon, before: list[str]) -> bool:
    """Whether a negator stands before; "no" negates only the very next word ("No, that is wrong")."""
    return any(
        word in lexicon_.negators and (word not in lexicon_.adjacent_negators or position == len(before) - 1)
        for position, word in enumerate(before)
    )


def _count(words: list[str], sets: list[frozenset[str]]) -> int:
    """How many of the words are in any of the sets; 9 at most, which is one digit in store."""
    known = sets[0] if len(sets) == 1 else frozenset().union(*sets)
    return min(9, sum(map(known.__contains__, words)))


def _asks(cleaned: str) -> dict[str, str]:
    return {"question": "?"} if "?" in cleaned else {}


def _form(cleaned: str) -> dict[str, str]:
    """Signals that need no lexicon: question mark, emphasis, capitals, upset faces."""
    signals = _asks(cleaned)
    if "!!" in cleaned or "??" in cleaned or "?!" in cleaned or "!?" in cleaned:
        signals["emphasis"] = "!!" if "!!" in cleaned else "??"
    if not cleaned.isascii():
        faces = [c for c in cleaned if c in UPSET]
        if faces:
            signals["emoji"] = faces[0]
    if not cleaned.islower():
        shouted, possible = count_shouted(cleaned)
        if shouted >= 2 and shouted >= 0.6 * possible:
            signals["shouting"] = f"{shouted} words"
    return signals
