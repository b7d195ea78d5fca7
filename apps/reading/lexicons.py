"""The reviewed word lists, one file a language, compiled once into tries.

How a list is written: `(a|b|)` stands for each of its alternatives, `_` for any one word, and a `~`
after a word for each of the language's endings ("mal~": malo, mala, malos, malas).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

from apps.reading.words import fold, raw_words

DATA = Path(__file__).parent / "data"
LANGUAGES = ("en", "de", "es", "fr", "pt")
SPLITTING = frozenset({"fr", "it", "ca"})
# Looked for in answers too.
ABUSE = ("insult", "profanity")
ANY = "_"
END = ""

# A trie's node: next word → node; under END the hits that end here, as (signal, entry).
Node = dict[str, Any]
Hit = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A signal that holds where `last` follows `first` with at most `gap` words of `glue` between."""

    signal: str
    first: frozenset[str]
    glue: frozenset[str]
    last: frozenset[str]
    gap: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that reading one language needs."""

    language: str
    user: Node
    start: Node
    whole: dict[str, str]
    assistant: Node
    pairs: tuple[Pair, ...]
    valence: dict[str, float]
    negators: frozenset[str]
    adjacent_negators: frozenset[str]
    boosters: frozenset[str]
    contrast: frozenset[str]
    fillers: frozenset[str]
    question_words: frozenset[str]
    stop_words: frozenset[str]


def is_supported(language: str | None) -> bool:
    """Whether there is a lexicon of the language (a code of two letters)."""
    return language in LANGUAGES


@cache
def lexicon(language: str) -> Lexicon:
    """The compiled lexicon; raises KeyError for a language without one."""
    if not is_supported(language):
        raise KeyError(language)
    source = json.loads((DATA / f"{language}.json").read_text(encoding="utf-8"))
    spell = _Speller(language, tuple(source["endings"]))
    return Lexicon(
        language=language,
        user=spell.trie(source["user"]),
        start=spell.trie(source["start"]),
        whole={entry: signal for signal, entry in spell.entries(source["whole"])},
        assistant=spell.trie({**source["assistant"], **{name: source["user"][name] for name in ABUSE}}),
        pairs=tuple(spell.pair(pair) for pair in source["pairs"]),
        valence=_valence(source, spell),
        negators=spell.set(source["negators"]),
        adjacent_negators=spell.set(source["adjacent_negators"]),
        boosters=spell.set(source["boosters"]),
        contrast=spell.set(source["contrast"]),
        fillers=spell.set(source["fillers"]),
        question_words=spell.set(source["question_words"]),
        stop_words=spell.set(source["stop_words"]),
    )


def _valence(source: dict[str, Any], spell: _Speller) -> dict[str, float]:
    """Word → -4..4. Words that name topics of ordinary requests ("alarm", "cancel") count as neutral."""
    valence: dict[str, float] = {}
    if "valence_file" in source:
        for line in (DATA / source["valence_file"]).read_text(encoding="utf-8").splitlines():
            word, value = line.split()
            valence[word] = float(value)
    for value, listed in source.get("valence", {}).items():
        valence.update(dict.fromkeys(spell.set(listed), float(value)))
    for word in spell.set(source.get("neutral", "")):
        valence.pop(word, None)
    return valence


def alternatives(entry: str) -> list[str]:
    """Every reading of `a (b|c|) d`; groups may stand inside groups."""
    depth, start = 0, 0
    readings, parts = [""], []
    for position, character in enumerate(f"{entry}|"):
        if character == "(":
            if depth == 0:
                parts.append([entry[start:position]])
                start = position + 1
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                parts.append(alternatives(entry[start:position]))
                start = position + 1
        elif character == "|" and depth == 0:
            parts.append([entry[start:position]])
            readings.extend("".join(chosen) for chosen in product(*parts))
            parts, start = [], position + 1
    return readings[1:]


class _Speller:
    """Turns what a file says into words as `fold` spells them."""

    def __init__(self, language: str, endings: tuple[str, ...]) -> None:
        self.splits = language in SPLITTING
        self.endings = endings

    def set(self, listed: str) -> frozenset[str]:
        return frozenset(entry for word in listed.split() for entry in self.expand(word))

    def expand(self, entry: str) -> Iterator[str]:
        for chosen in alternatives(entry):
            yield from self._ended(chosen)

    def _ended(self, entry: str) -> Iterator[str]:
        stem, mark, rest = entry.partition("~")
        if mark:
            for ending in self.endings:
                yield from self._ended(stem + ending + rest)
        else:
            words = raw_words(entry.replace(ANY, "0"))
            yield " ".join(
                ANY if word == "0" else word for word in fold(words, splits_apostrophes=self.splits)
            )

    def entries(self, section: dict[str, list[str]]) -> Iterator[Hit]:
        for signal, listed in section.items():
            for entry in listed:
                for phrase in self.expand(entry):
                    yield signal, phrase

    def trie(self, section: dict[str, list[str]]) -> Node:
        root: Node = {}
        for signal, phrase in self.entries(section):
            node = root
            for word in phrase.split():
                node = node.setdefault(word, {})
            hits = node.setdefault(END, [])
            if (signal, phrase) not in hits:
                hits.append((signal, phrase))
        return root

    def pair(self, source: dict[str, Any]) -> Pair:
        return Pair(
            source["signal"],
            self.set(source["first"]),
            self.set(source["glue"]),
            self.set(source["last"]),
            int(source["gap"]),
        )


def match_at(node: Node, words: list[str], position: int) -> Iterator[Hit]:
    """Every entry of the trie that begins at `position`, shorter ones first."""
    size = len(words)
    while position < size:
        following = node.get(words[position])
        position += 1
        if ANY in node:
            yield from match_at(node[ANY], words, position)
            if END in node[ANY]:
                yield from node[ANY][END]
        if following is None:
            return
        if END in following:
            yield from following[END]
        node = following


def match_all(root: Node, words: list[str]) -> Iterator[Hit]:
    """Every entry of the trie anywhere in the words."""
    for position, (word, after) in enumerate(zip_longest(words, words[1:], fillvalue="")):
        node = root.get(word)
        # Most first words of an entry are not followed by its second.
        if node and (after in node or END in node or ANY in node):
            yield from match_at(root, words, position)


def match_pair(pair: Pair, words: list[str]) -> str:
    """The two outer words where the pair holds, else an empty string."""
    for position, word in enumerate(words):
        if word not in pair.last:
            continue
        for before in range(position - 1, max(-1, position - 2 - pair.gap), -1):
            if words[before] in pair.first:
                return f"{words[before]} {word}"
            if words[before] not in pair.glue:
                break
    return ""
